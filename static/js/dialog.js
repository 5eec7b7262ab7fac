/* The question that comes before something is deleted. */

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
