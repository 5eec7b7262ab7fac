/* The values of tokens.css for what is drawn on a canvas. */

/**
 * A value in the theme that is shown now.
 * @param {string} name such as "--ink"
 * @param {Element} [element] whose value is asked for
 */
export function token(name, element = document.documentElement) {
  return getComputedStyle(element).getPropertyValue(name).trim();
}
