/* The values of tokens.css for drawing on canvases. */

/**
 * A value in the current theme.
 * @param {string} name such as "--ink"
 * @param {Element} [element] whose value is asked for
 */
export function token(name, element = document.documentElement) {
  return getComputedStyle(element).getPropertyValue(name).trim();
}
