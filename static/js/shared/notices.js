/* The notices about a result, as a list below it. */
import { icon } from "./icons.js";

/**
 * @param {HTMLUListElement} list
 * @param {{message: string}[]} notices
 */
export function showNotices(list, notices) {
  list.hidden = notices.length === 0;
  list.replaceChildren(...notices.map(({ message }) => {
    const item = document.createElement("li");
    item.append(icon("info"), message);
    return item;
  }));
}
