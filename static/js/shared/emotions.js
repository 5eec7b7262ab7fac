/* The seven expressions: order, names, colors, and formatting of probabilities. */
import { token } from "./tokens.js";

/** In the order of the model's output. */
export const EMOTIONS = Object.freeze([
  "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral",
]);

/** @param {string} emotion */
export const emotionName = (emotion) => emotion.charAt(0).toUpperCase() + emotion.slice(1);

/** @param {string} correction an expression, or "not_a_face" */
export const correctionName = (correction) => (correction === "not_a_face" ? "Not a face" : emotionName(correction));

/** What the person says of a corrected face. @param {{emotion: string, correction: string|null}} face */
export const correctionText = ({ emotion, correction }) =>
  `${correction === emotion ? "confirmed" : "corrected"}: ${correctionName(correction ?? "")}`;

/**
 * The color of an expression in the current theme.
 * @param {string} emotion
 */
export const emotionColor = (emotion) => token(`--${emotion}`);

/** @param {number} probability 0 to 1 */
export function percent(probability) {
  const value = probability * 100;
  if (value > 0 && value < 1) return "<1%";
  if (value > 99 && value < 100) return ">99%";
  return `${Math.round(value)}%`;
}
