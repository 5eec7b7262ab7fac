/* Why a face's prediction may be less reliable, in words. */

const WORDS = { small: "small in the photo", blurred: "blurred", turned: "turned away" };
const together = new Intl.ListFormat("en");

/** @param {("small"|"blurred"|"turned")[]} hints one or more */
export function doubt(hints) {
  const words = together.format(hints.map((hint) => WORDS[hint]));
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}: take it as a guess.`;
}
