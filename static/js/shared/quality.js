/* Why a face's prediction may be less reliable, in words. */

const WHOLE = "No face was detected, so the whole picture was read as one face.";
/** @type {Record<string, string>} */
const WORDS = {
  small: "small in the photo", blurred: "blurred", turned: "turned away", eyes_closed: "eyes closed", partly_covered: "partly covered",
};
const together = new Intl.ListFormat("en");

/** @param {import("./api.js").Face["quality"]} hints one or more */
export function doubt(hints) {
  const words = together.format(hints.filter((hint) => hint in WORDS).map((hint) => WORDS[hint]));
  const guess = words && `${words.charAt(0).toUpperCase()}${words.slice(1)}: take it as a guess.`;
  return [hints.includes("whole_picture") && WHOLE, guess].filter(Boolean).join(" ");
}
