/* The dialog that asks for a format of exports. */
import { byId, find } from "../shared/elements.js";
import { startExporting } from "./exports-api.js";
import { showProblem } from "../shared/rows.js";

const dialog = byId("export-dialog", HTMLDialogElement);
const form = byId("export-form", HTMLFormElement);
const problem = byId("export-error");
/** @type {Object<string, string|string[]>} */
let wanted = {};

/**
 * @param {string} words what would be exported
 * @param {Object<string, string|string[]>} filters
 */
export function offerFile(words, filters) {
  wanted = filters;
  find(dialog, "[data-what]").textContent = words;
  showProblem(problem, null);
  dialog.showModal();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = find(form, ".btn-primary", HTMLButtonElement);
  button.disabled = true;
  try {
    await startExporting(String(new FormData(form).get("format")), wanted);
    location.assign("/exports/"); // shows its progress and the download
  } catch (error) {
    showProblem(problem, error);
  } finally {
    button.disabled = false;
  }
});
find(form, "[data-close]").addEventListener("click", () => dialog.close());
