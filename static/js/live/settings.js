/* What a person has set on the Live page, remembered by this browser. */

const KEY = "mien-live";

/** @typedef {{camera: string, mirrored: boolean, rate: number, min_face: number, smoothing: number}} Settings */

/** @type {Settings} */
const DEFAULTS = { camera: "", mirrored: true, rate: 15, min_face: 60, smoothing: 0.3 };

/** @returns {Settings} */
export function loadSettings() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS }; // storage may be forbidden, or hold something else
  }
}

/** @param {Settings} settings */
export function saveSettings(settings) {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // They hold until the page is left.
  }
}

/**
 * Let a slider set a value and show it beside itself.
 * @param {HTMLInputElement} input whose <output> names it
 * @param {number} value
 * @param {(value: number) => string} write
 * @param {(value: number) => void} onChange runs when the hand lets go
 */
export function bindSlider(input, value, write, onChange) {
  const output = document.querySelector(`output[for="${input.id}"]`);
  const show = () => {
    output.textContent = write(input.valueAsNumber);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.valueAsNumber = value;
  show();
  input.addEventListener("input", show);
  input.addEventListener("change", () => onChange(input.valueAsNumber));
}
