/* A short message at the foot of the window. */

/**
 * Tell something once, to eyes and to screen readers.
 * @param {string} text
 */
export function announce(text) {
  const region = document.getElementById("announcer");
  region.textContent = text;
  region.classList.add("shown");
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => region.classList.remove("shown"), 6000);
}
