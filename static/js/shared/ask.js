/* A question before something that others notice is done. */

/**
 * @param {{title: string, text: string, yes: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function ask({ title, text, yes, danger = false }) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("ask"));
  document.getElementById("ask-title").textContent = title;
  document.getElementById("ask-text").textContent = text;
  const button = document.getElementById("ask-yes");
  button.textContent = yes;
  button.classList.toggle("btn-danger", danger);
  button.classList.toggle("btn-primary", !danger);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
