/* The question that comes before something is deleted for good. */
import { announce } from "./announce.js";
import { deleteAnalysis } from "./api.js";

/**
 * @param {string} title what would be deleted
 * @returns {Promise<boolean>}
 */
export function confirmDelete(title) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("confirm-delete"));
  dialog.querySelector("[data-delete-title]").textContent = title;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true });
  });
}

/**
 * Let the delete button of an analysis's own page do its work.
 * @param {HTMLElement} button
 * @param {{id: string, title: string}} analysis
 * @param {() => void} leave runs when the analysis is gone
 */
export function enableDeletion(button, { id, title }, leave) {
  button.addEventListener("click", async () => {
    if (!(await confirmDelete(title))) return;
    try {
      await deleteAnalysis(id);
      leave();
    } catch (error) {
      if (error.status === 404) leave();
      else announce(error.message);
    }
  });
}
