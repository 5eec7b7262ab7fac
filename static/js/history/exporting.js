/* The dialog that asks for an export. */
import { startExporting } from "./exports-api.js";
import { showProblem } from "../shared/rows.js";

const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("export-dialog"));
const form = /** @type {HTMLFormElement} */ (document.getElementById("export-form"));
const problem = document.getElementById("export-error");
/** @type {Object<string, string|string[]>} */
let wanted = {};

/**
 * @param {string} words what would be exported
 * @param {Object<string, string|string[]>} filters
 */
export function offerFile(words, filters) {
  wanted = filters;
  dialog.querySelector("[data-what]").textContent = words;
  showProblem(problem, null);
  dialog.showModal();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector(".btn-primary");
  button.disabled = true;
  try {
    await startExporting(String(new FormData(form).get("format")), wanted);
    location.assign("/exports/"); // where it can be watched and fetched
  } catch (error) {
    showProblem(problem, error);
  } finally {
    button.disabled = false;
  }
});
form.querySelector("[data-close]").addEventListener("click", () => dialog.close());
