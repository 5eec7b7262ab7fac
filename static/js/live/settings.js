/* The Live page's settings, stored in this browser. */
import { find } from "../shared/elements.js";
const KEY = "mien-live";

/** @typedef {{camera: string, mirrored: boolean, rate: number, min_face: number, smoothing: number, mesh: boolean, place: "server"|"device"}} Settings */

/** @type {Settings} */
const DEFAULTS = { camera: "", mirrored: true, rate: 15, min_face: 60, smoothing: 0.3, mesh: false, place: "server" };

/** @returns {Settings} */
export function loadSettings() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS }; // storage may be blocked or hold other data
  }
}

/** @param {Settings} settings */
export function saveSettings(settings) {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // They last until the page is closed.
  }
}

/**
 * Connect a slider to a value and its label.
 * @param {HTMLInputElement} input whose <output> names it
 * @param {number} value
 * @param {(value: number) => string} write
 * @param {(value: number) => void} onChange runs when the hand lets go
 */
export function bindSlider(input, value, write, onChange) {
  const output = find(document, `output[for="${input.id}"]`);
  const show = () => {
    output.textContent = write(input.valueAsNumber);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.valueAsNumber = value;
  show();
  input.addEventListener("input", show);
  input.addEventListener("change", () => onChange(input.valueAsNumber));
}
