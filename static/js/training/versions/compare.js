/* Compares model versions: expressions, confusion matrix, curves, and your photos. */
import { byId, find, findAll, readData } from "../../shared/elements.js";
import { uploadForm } from "../../shared/api.js";
import { EMOTIONS, emotionName, percent } from "../../shared/emotions.js";
import { icon } from "../../shared/icons.js";
import { Curves, STYLES } from "../curves.js";
import { fillConfusion } from "./evaluation.js";
import { points, share, writeShares } from "../words.js";

/** @type {{classes: {emotion: string, f1: number[], difference: number[]}[], confusion: number[][][]}|null} */
const comparison = readData("comparison-data");
/** @type {{version: number, epochs: (Record<string, number> & {number: number})[]}[]} */
const curves = readData("curves-data");
const numbers = curves.map(({ version }) => version);

/**
 * A new element with these properties.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {object} values
 */
const make = (tag, values = {}) => Object.assign(document.createElement(tag), values);

/** @param {string} title @param {HTMLTableElement} table */
function panel(title, table) {
  const section = make("section", { className: "panel" });
  const frame = make("div", { className: "scroll" });
  frame.append(table);
  section.append(make("h2", { textContent: title }), frame);
  return section;
}

function classTable() {
  const table = make("table", { className: "per-class" });
  const head = table.createTHead().insertRow();
  head.append(make("td"), ...numbers.flatMap((number, at) => [
    make("th", { scope: "col", textContent: `F1, version ${number}` }),
    ...(at ? [make("th", { scope: "col", textContent: "Points" })] : []),
  ]));
  const body = table.createTBody();
  for (const { emotion, f1, difference } of comparison?.classes ?? []) {
    const name = make("th", { scope: "row" });
    name.dataset.emotion = emotion;
    name.append(icon(`face-${emotion}`), emotionName(emotion));
    body.insertRow().append(name, ...f1.flatMap((value, at) => [
      make("td", { textContent: share(value) }),
      ...(at ? [make("td", { textContent: points(difference[at]), className: difference[at] < 0 ? "worse" : "" })] : []),
    ]));
  }
  return table;
}

/** @param {number[][]} difference answers of one version less those of the first */
function confusionTable(difference) {
  const table = make("table", { className: "confusion figure" });
  table.createTHead().insertRow().append(make("td"));
  table.createTBody();
  const largest = Math.max(1, ...difference.flat().map(Math.abs));
  fillConfusion(table, difference, (value) => value / largest);
  return table;
}

writeShares();
if (comparison) {
  byId("comparison").append(
    panel("Each expression", classTable()),
    ...comparison.confusion.map((difference, at) => panel(
      `Change in predictions: version ${numbers[at + 1]} minus version ${numbers[0]}`, confusionTable(difference))),
  );
}

const trained = curves.filter(({ epochs }) => epochs.length > 0);
if (trained.length) {
  byId("curves-panel").hidden = false;
  const labels = trained.map(({ version }) => `Version ${version}`);
  for (const canvas of findAll(document, "[data-curve]", HTMLCanvasElement)) {
    const figure = canvas.dataset.curve ?? "";
    const chart = new Curves(canvas, { labels, percent: figure.endsWith("accuracy") });
    chart.show(trained.map(({ epochs }) => epochs.map((epoch) => ({ x: epoch.number, y: epoch[figure] }))));
  }
  byId("curves-legend").textContent = trained
    .map(({ version }, at) => `${STYLES[at % STYLES.length].name}: version ${version}.`).join(" ");
}

const form = byId("photo-form", HTMLFormElement);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const files = [...byId("photo", HTMLInputElement).files ?? []];
  const button = find(form, "[type=submit]", HTMLButtonElement);
  button.disabled = true;
  byId("photo-faces").replaceChildren();
  // One by one, to keep the order of the photos.
  for (const file of files) byId("photo-faces").append(await readPhoto(file));
  button.disabled = false;
});

/**
 * @typedef {{box: {x: number, y: number, width: number, height: number}, probabilities: Record<string, number>[]}} PhotoFace
 */

/** @param {File} file @returns {Promise<HTMLElement>} what each version says of it, or why none does */
async function readPhoto(file) {
  const section = make("section", { className: "photo-reading" });
  section.append(make("h3", { textContent: file.name }));
  const body = new FormData(form);
  body.set("photo", file);
  try {
    const url = `${form.getAttribute("action")}?versions=${numbers.join(",")}`;
    const { faces } = await uploadForm(url, body, () => {});
    if (!faces.length) throw new Error("No face was found in this photo.");
    const photo = await createImageBitmap(file).catch(() => null); // browsers don't support every format
    section.append(...faces.map((/** @type {PhotoFace} */ face) => faceTable(face, photo)));
  } catch (error) {
    section.append(make("p", { className: "field-errors", role: "alert", textContent: error.message }));
  }
  return section;
}

/**
 * @param {PhotoFace} face
 * @param {ImageBitmap|null} photo
 */
function faceTable({ box, probabilities }, photo) {
  const frame = make("div", { className: "photo-face" });
  if (photo) {
    const canvas = make("canvas", { width: 120, height: 120 });
    canvas.setAttribute("aria-hidden", "true");
    const side = Math.max(box.width, box.height);
    const [left, top] = [box.x + (box.width - side) / 2, box.y + (box.height - side) / 2];
    canvas.getContext("2d")?.drawImage(photo, left, top, side, side, 0, 0, 120, 120);
    frame.append(canvas);
  }
  const table = make("table", { className: "per-class" });
  table.createTHead().insertRow().append(make("td"), ...numbers.map((number) =>
    make("th", { scope: "col", textContent: `Version ${number}` })));
  const body = table.createTBody();
  const tops = probabilities.map((values) => Math.max(...Object.values(values)));
  for (const emotion of EMOTIONS) {
    const name = make("th", { scope: "row" });
    name.dataset.emotion = emotion;
    name.append(icon(`face-${emotion}`), emotionName(emotion));
    body.insertRow().append(name, ...probabilities.map((values, at) => make("td", {
      textContent: percent(values[emotion]), className: values[emotion] === tops[at] ? "top" : "",
    })));
  }
  frame.append(table);
  return frame;
}
