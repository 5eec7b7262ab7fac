/* Shared by the account's lists: template rows, confirmation, copying. */
import { byId, find, fromTemplate } from "./elements.js";
import { announce } from "./announce.js";

/**
 * A row from a template, whose parts have data attributes.
 * @param {string} id of the template
 * @param {Object<string, string>} texts by the name of the part
 */
export function newRow(id, texts) {
  const row = fromTemplate(id);
  for (const [name, text] of Object.entries(texts)) {
    find(row, `[data-${name}]`).textContent = text;
  }
  return row;
}

/**
 * @param {string} what would end
 * @returns {Promise<boolean>}
 */
export function confirmEnd(what) {
  const dialog = byId("confirm", HTMLDialogElement);
  find(dialog, "[data-what]").textContent = what;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** @param {HTMLInputElement} input whose text is copied */
export async function copy(input) {
  try {
    await navigator.clipboard.writeText(input.value);
    announce("Copied.");
  } catch {
    input.select(); // copying needs HTTPS
    announce("Press Ctrl and C to copy.");
  }
}

/**
 * Show or clear a form's error.
 * @param {HTMLElement} message
 * @param {Error|null} error
 */
export function showProblem(message, error) {
  message.hidden = !error;
  find(message, ":first-child").textContent = error?.message ?? "";
}
