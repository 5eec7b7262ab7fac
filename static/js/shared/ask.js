/* A confirmation before actions that affect others. */
import { byId } from "./elements.js";
/**
 * @param {{title: string, text: string, yes: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function ask({ title, text, yes, danger = false }) {
  const dialog = byId("ask", HTMLDialogElement);
  byId("ask-title").textContent = title;
  byId("ask-text").textContent = text;
  const button = byId("ask-yes");
  button.textContent = yes;
  button.classList.toggle("btn-danger", danger);
  button.classList.toggle("btn-primary", !danger);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
