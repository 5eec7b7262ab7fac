/* Model versions side by side: each expression, the confusion, and the curves. */
import { emotionName } from "./emotions.js";
import { icon } from "./icons.js";
import { Curves, STYLES } from "./training-curves.js";
import { fillConfusion } from "./training-evaluation.js";
import { points, share, writeShares } from "./training-words.js";

const byId = (id) => document.getElementById(id);
const comparison = JSON.parse(byId("comparison-data").textContent);
const curves = JSON.parse(byId("curves-data").textContent);
const numbers = curves.map(({ version }) => version);

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
  for (const { emotion, f1, difference } of comparison.classes) {
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
      `How answers moved: version ${numbers[at + 1]} less version ${numbers[0]}`, confusionTable(difference))),
  );
}

const trained = curves.filter(({ epochs }) => epochs.length > 0);
if (trained.length) {
  byId("curves-panel").hidden = false;
  const chart = new Curves(byId("curves"), { labels: trained.map(({ version }) => `Version ${version}`), percent: true });
  chart.show(trained.map(({ epochs }) => epochs.map(({ number, validation_accuracy: y }) => ({ x: number, y }))));
  byId("curves-legend").textContent = trained
    .map(({ version }, at) => `${STYLES[at % STYLES.length].name}: version ${version}.`).join(" ");
}
