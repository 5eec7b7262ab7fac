/* What a face does, as geometry: its measures in plain words, and the lines of its mesh. */

import { childrenOf } from "./elements.js";

/**
 * @typedef {Object} Measures degrees, and shares from 0 to 1
 * @property {number} yaw
 * @property {number} pitch
 * @property {number} roll
 * @property {number} eye_left
 * @property {number} eye_right
 * @property {number} mouth_open
 * @property {number} mouth_corners
 * @property {number} brows
 * @property {number|null} gaze_x
 * @property {number|null} gaze_y
 */

/** What faces at rest show, as engine/measures.py has it. */
const NEUTRAL = { mouth_corners: 0.55, brows: 0.54 };
/** Smaller turns than this count as none, in degrees. */
const STRAIGHT = 8;
/** How far from rest a corner or brow must be to count as moved. */
const MOVED = 0.08;

/** The lines of a drawing, as points of the mesh: brows, lips, eyes, and the outline. */
const LINES = [
  [46, 53, 52, 65, 55], [70, 63, 105, 66, 107], [276, 283, 282, 295, 285], [300, 293, 334, 296, 336],
  [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185, 61],
  [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191, 78],
  [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 33],
  [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466, 263],
  [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
    149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10],
  [168, 6, 197, 195, 5, 4, 1, 2], [98, 97, 2, 326, 327],
];

/**
 * The lines of a mesh as the data of a path. @param {number[][]} points
 * @returns {string}
 */
export const meshPath = (points) =>
  LINES.map((line) => `M${line.map((at) => points[at].join(" ")).join("L")}`).join("");

const degrees = (/** @type {number} */ value) => `${Math.round(Math.abs(value))}°`;
const share = (/** @type {number} */ value) => `${Math.round(100 * value)}%`;

/** @param {number} value @param {string} more @param {string} less */
const toward = (value, more, less) => `${degrees(value)} ${value > 0 ? more : less}`;

/** @param {Measures} measures */
function head({ yaw, pitch, roll }) {
  const parts = [
    Math.abs(yaw) >= STRAIGHT && `turned ${toward(yaw, "right", "left")}`,
    Math.abs(pitch) >= STRAIGHT && `${toward(pitch, "down", "up")}`,
    Math.abs(roll) >= STRAIGHT && `tilted ${toward(roll, "clockwise", "counterclockwise")}`,
  ].filter(Boolean);
  return parts.length ? parts.join(", ") : "facing the camera";
}

/** @param {number} value */
const eye = (value) => `${value < 0.25 ? "closed" : value < 0.4 ? "half closed" : value < 0.75 ? "open" : "wide open"}, ${share(value)}`;

/** @param {number} value @param {number} rest @param {string} up @param {string} down */
const against = (value, rest, up, down) =>
  `${value > rest + MOVED ? up : value < rest - MOVED ? down : "at rest"}, ${share(value)}, usual ${share(rest)}`;

/**
 * Rows of a table: what is measured, its value in words, and as a share for a bar, if it is one. Left
 * and right are those of the picture.
 * @param {Measures} measures
 * @returns {[string, string, number?][]}
 */
export function measureRows(measures) {
  const { eye_left: left, eye_right: right, mouth_open: mouth, gaze_x: across, gaze_y: down } = measures;
  const looks = across == null || down == null
    ? "not measured"
    : Math.max(Math.abs(across), Math.abs(down)) < STRAIGHT
      ? "straight ahead"
      : [Math.abs(across) >= STRAIGHT && toward(across, "right", "left"), Math.abs(down) >= STRAIGHT && toward(down, "down", "up")].filter(Boolean).join(", ");
  return [
    ["Head", head(measures)],
    ["Left eye", eye(left), left],
    ["Right eye", eye(right), right],
    ["Mouth", `${mouth < 0.08 ? "closed" : mouth < 0.35 ? "slightly open" : "open"}, ${share(mouth)}`, mouth],
    ["Corners of the mouth", against(measures.mouth_corners, NEUTRAL.mouth_corners, "drawn up", "drawn down"), measures.mouth_corners],
    ["Brows", against(measures.brows, NEUTRAL.brows, "raised", "lowered"), measures.brows],
    ["Gaze (rough)", looks],
  ];
}

/**
 * Fill a table's body with the rows, or say that nothing was measured.
 * @param {HTMLElement} body
 * @param {Measures|null|undefined} measures
 */
export function showMeasures(body, measures) {
  const rows = measures ? measureRows(measures) : /** @type {[string, string, number?][]} */ ([["Geometry", "not measured"]]);
  if (body.children.length !== rows.length) {
    body.replaceChildren(...rows.map(() => {
      const row = document.createElement("tr");
      row.append(Object.assign(document.createElement("th"), { scope: "row" }), document.createElement("td"));
      return row;
    }));
  }
  rows.forEach(([name, value, part], at) => {
    const [label, cell] = childrenOf(body.children[at]);
    if (label.textContent !== name) label.textContent = name;
    if (cell.textContent !== value) cell.textContent = value;
    cell.classList.toggle("measured", part !== undefined);
    cell.style.setProperty("--share", (part ?? 0).toFixed(3));
  });
}
