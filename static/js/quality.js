/* Why the reading of a face may be less certain than its numbers look, in words. */

const WORDS = { small: "small in the photo", blurred: "blurred", turned: "turned away" };
const together = new Intl.ListFormat("en");

/** @param {("small"|"blurred"|"turned")[]} hints one or more */
export function doubt(hints) {
  return `This face is ${together.format(hints.map((hint) => WORDS[hint]))}: take the reading as a guess.`;
}
