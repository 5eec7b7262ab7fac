/* Many cards of the history at once: selected, then tagged, read again,
   exported or deleted. */
import { around, byId, find, findAll } from "../shared/elements.js";
import { announce } from "../shared/announce.js";
import { editAnalysis, rerunAnalysis } from "../shared/api.js";
import { fillCard, tagsOf } from "./cards.js";
import { deleteSoon } from "../shared/deletions.js";
import { offerFile } from "./exporting.js";

const bar = byId("bulk");
const list = byId("history");

const boxes = () => findAll(list, ".analysis:not([hidden]) [data-select]", HTMLInputElement);
const selected = () => boxes().filter((box) => box.checked).map((box) => /** @type {HTMLElement} */ (box.closest(".analysis")));

/** Show the number of selected cards. */
export function countSelected() {
  const count = selected().length;
  bar.hidden = count === 0;
  byId("bulk-count").textContent = String(count);
  document.body.classList.toggle("selecting", count > 0);
}

/** @param {boolean} checked */
function selectAll(checked) {
  for (const box of boxes()) box.checked = checked;
  countSelected();
}

/**
 * Ask in a dialog.
 * @param {string} id
 * @returns {Promise<boolean>} whether the answer was yes
 */
function ask(id) {
  const dialog = byId(id, HTMLDialogElement);
  dialog.returnValue = "";
  // Not a submit button: the Enter key would press the first one.
  find(dialog, "[data-close]").onclick = () => dialog.close();
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue !== ""), { once: true });
  });
}

/**
 * Apply an action to one card after the other; stops at the first failure.
 * @param {HTMLElement[]} cards
 * @param {(card: HTMLElement) => Promise<unknown>} action
 * @param {string} done the message for those that succeeded
 */
async function inTurn(cards, action, done) {
  let count = 0;
  try {
    for (const card of cards) {
      await action(card);
      count += 1;
    }
    announce(`${count} ${count === 1 ? "entry" : "entries"} ${done}.`);
  } catch (error) {
    announce(`${error.message} (${count} of ${cards.length} ${done})`);
  }
}

async function addTag() {
  const input = byId("tag-name", HTMLInputElement);
  input.value = "";
  if (!(await ask("tag-dialog"))) return;
  const tag = input.value.trim();
  if (!tag) return;
  await inTurn(selected(), async (card) => {
    const tags = [...new Set([...tagsOf(card), tag])];
    fillCard(card, await editAnalysis(card.dataset.id ?? "", { tags }));
  }, "tagged");
}

async function readAgain() {
  const photos = selected().filter(({ dataset }) => dataset.kind === "image" && dataset.status === "succeeded");
  if (!photos.length) {
    announce("Only finished photos can be analyzed again.");
    return;
  }
  if (!(await ask("rerun-dialog"))) return;
  const version = Number(byId("rerun-version", HTMLSelectElement).value);
  await inTurn(photos, (card) => rerunAnalysis(card.dataset.id ?? "", version), "queued for another analysis");
  selectAll(false);
}

/** @param {(card: HTMLElement) => void} onDeleted */
export function enableSelection(onDeleted) {
  /** @type {Record<string, () => void>} */
  const actions = {
    all: () => selectAll(true),
    none: () => selectAll(false),
    tag: addTag,
    rerun: readAgain,
    export() {
      const ids = selected().map(({ dataset }) => dataset.id ?? "");
      offerFile(ids.length === 1 ? "the selected entry" : `the ${ids.length} selected entries`, { id: ids });
    },
    delete() {
      const cards = selected();
      selectAll(false);
      deleteSoon(cards, onDeleted);
    },
  };
  bar.addEventListener("click", (event) => {
    actions[around(event, "[data-bulk]")?.dataset.bulk ?? ""]?.();
  });
  list.addEventListener("change", countSelected);
  countSelected(); // browsers may restore checked boxes
}
