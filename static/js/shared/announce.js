/* A short message at the bottom of the window. */
import { byId } from "./elements.js";

let timer = 0;

/**
 * Show a message, and announce it to screen readers.
 * @param {string} text
 */
export function announce(text) {
  const region = byId("announcer");
  region.textContent = text;
  region.classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => region.classList.remove("shown"), 6000);
}
