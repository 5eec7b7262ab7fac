/* How photos get onto the page: selected, dropped, pasted, or the sample. */
import { byId } from "../shared/elements.js";
import { announce } from "../shared/announce.js";

/** @param {DragEvent} event */
const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

/** @param {(files: File[]) => void} onFiles */
export function receiveFiles(onFiles) {
  for (const id of ["files", "capture"]) {
    const input = byId(id, HTMLInputElement);
    const take = () => {
      onFiles([...(input.files ?? [])]);
      input.value = ""; // allows selecting the same file again
    };
    input.addEventListener("change", take);
    if (input.files?.length) take(); // selected before this script loaded
  }
  receiveDrops(onFiles);
  receivePastes(onFiles);
  offerSample(onFiles);
}

/** @param {(files: File[]) => void} onFiles */
function receiveDrops(onFiles) {
  const veil = byId("drop-veil");
  let depth = 0; // dragenter and dragleave also fire for inner elements
  const show = (/** @type {boolean} */ shown) => {
    if (!shown) depth = 0;
    veil.hidden = !shown;
  };
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth -= 1;
    if (depth <= 0) show(false);
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    show(false);
    if (event.dataTransfer) onFiles(await droppedFiles(event.dataTransfer));
  });
}

/**
 * The dropped files, including those in folders.
 * @param {DataTransfer} transfer
 * @returns {Promise<File[]>}
 */
async function droppedFiles(transfer) {
  // Read entries before the first await; afterwards the browser has cleared the drop.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry != null);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const found = await Promise.all(entries.map(filesOf));
  return found.flat().filter((file) => !file.name.startsWith("."));
}

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} those that can be read */
async function filesOf(entry) {
  if (entry.isFile) {
    return new Promise((resolve) => {
      /** @type {FileSystemFileEntry} */ (entry).file((file) => resolve([file]), () => resolve([]));
    });
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {File[]} */
  const files = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const entries = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!entries.length) return files;
    for (const inner of entries) files.push(...(await filesOf(inner)));
  }
}

/** @param {(files: File[]) => void} onFiles */
function receivePastes(onFiles) {
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    onFiles(files);
  });
}

/** @param {(files: File[]) => void} onFiles */
function offerSample(onFiles) {
  const button = byId("sample", HTMLButtonElement);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const response = await fetch(button.dataset.src ?? "");
      if (!response.ok) throw new Error(String(response.status));
      onFiles([new File([await response.blob()], "Sample photo.jpg", { type: "image/jpeg" })]);
    } catch {
      announce("The sample photo couldn't be loaded. Check your connection.");
    } finally {
      button.disabled = false;
    }
  });
}
