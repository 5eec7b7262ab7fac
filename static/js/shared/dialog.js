/* The confirmation before something is deleted for good. */
import { byId, find } from "./elements.js";
import { announce } from "./announce.js";
import { deleteAnalysis } from "./api.js";

/**
 * @param {string} title what would be deleted
 * @returns {Promise<boolean>}
 */
export function confirmDelete(title) {
  const dialog = byId("confirm-delete", HTMLDialogElement);
  find(dialog, "[data-delete-title]").textContent = title;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true });
  });
}

/**
 * Set up the delete button of an analysis's page.
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
