/* Running imports, on the models page. */
import { byId, find, fromTemplate, readData, seek } from "../../shared/elements.js";
import { announce } from "../../shared/announce.js";
import { deleteImport, listImports } from "../api.js";
import { isActive, showTag } from "../words.js";

/** @typedef {import("../api.js").ModelImport} ModelImport */

const list = byId("imports");
/** @type {Map<string, ModelImport>} */
const imports = new Map();

/** @type {Record<string, string>} */
const STEPS = {
  waiting: "Starting",
  building: "Building the network and loading the weights",
  exporting: "Exporting to ONNX and Keras and comparing the outputs",
  registering: "Registering",
  done: "Done",
};

/** @param {ModelImport} one */
function describe({ status, step, error, model_version: version }) {
  if (status === "queued") return "Waiting for the training worker.";
  if (status === "canceled") return "Canceled.";
  if (error) return error.message;
  return version ? `Registered as version ${version}.` : STEPS[step];
}

/** @param {ModelImport} one */
function show(one) {
  const known = imports.get(one.id);
  if (known && known.sequence >= one.sequence) return;
  imports.set(one.id, one);
  let item = seek(list, `[data-id="${one.id}"]`);
  if (!item) {
    item = fromTemplate("import-template");
    item.dataset.id = one.id;
    find(item, "[data-remove]").addEventListener("click", () => remove(one.id));
    list.prepend(item);
  }
  const part = (/** @type {string} */ name) => find(item, `[data-${name}]`);
  part("name").textContent = [one.name, one.architecture].filter(Boolean).join(", ");
  showTag(part("tag"), one.status);
  part("state").textContent = describe(one);
  part("version").hidden = !one.model_version;
  find(item, "[data-version]", HTMLAnchorElement).href = `/models/${one.model_version}/`;
  part("remove").textContent = isActive(one) ? "Cancel" : "Dismiss";
}

/**
 * @param {string} id
 */
function forget(id) {
  imports.delete(id);
  list.querySelector(`[data-id="${id}"]`)?.remove();
}

/**
 * @param {string} id
 */
async function remove(id) {
  try {
    await deleteImport(id);
    forget(id);
  } catch (error) {
    if (error.status === 404) forget(id);
    else announce(error.message);
  }
}

/** Whether any is running. */
export const importsAreActive = () => [...imports.values()].some(isActive);

/** Reload what is shown. */
export async function reloadImports() {
  const found = await listImports();
  const there = new Set(found.map(({ id }) => id));
  for (const id of [...imports.keys()]) if (!there.has(id)) forget(id);
  for (const one of found.reverse()) if (imports.has(one.id) || isActive(one)) show(one);
}

/** @param {any} event */
export function hearOfImport(event) {
  if (event.type === "import.changed") show(event.model_import);
  else if (event.type === "import.deleted") forget(event.id);
}

for (const one of readData("imports-data").reverse()) show(one);
