/* A version's evaluation on a split: metrics, confusion matrix, classes, reliability, mistakes. */
import { childrenOf, find, fromTemplate } from "../../shared/elements.js";
import { EMOTIONS, emotionName, percent } from "../../shared/emotions.js";
import { icon } from "../../shared/icons.js";
import { Reliability } from "../curves.js";
import { share } from "../words.js";

/** @typedef {import("../api.js").Evaluation} Evaluation */

const COLUMNS = 8; // of the picture with the mistakes
/** @type {Record<string, string>} */
const SPLITS = { PrivateTest: "private test", PublicTest: "public test", Training: "training", validation: "validation", validation_framed: "framed validation" };

/**
 * A new element with this text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} text
 * @param {string} [scope] of a heading in a table
 */
const cell = (tag, text, scope) => Object.assign(document.createElement(tag), { textContent: text, ...(scope && { scope }) });

/**
 * Show evaluations in order; unchanged ones are kept.
 * @param {HTMLElement} container
 * @param {Evaluation[]} evaluations
 */
export function showEvaluations(container, evaluations) {
  const shown = new Map(childrenOf(container).map((section) => [section.dataset.key, section]));
  /** @type {[HTMLElement, Evaluation][]} */
  const added = [];
  const sections = evaluations.map((evaluation) => {
    const key = [evaluation.id || "card", evaluation.split, evaluation.sequence].join(" ");
    const known = shown.get(key);
    if (known) return known;
    const section = fromTemplate("evaluation-template");
    section.dataset.key = key;
    added.push([section, evaluation]);
    return section;
  });
  container.replaceChildren(...sections);
  for (const [section, evaluation] of added) fill(section, evaluation); // charts need their size
}

/** @param {HTMLElement} section @param {Evaluation} evaluation */
function fill(section, { status, split, dataset, figures: found, mistakes, picture_url: picture, error }) {
  const figures = /** @type {any} */ (found); // training/core/metrics.py says what is in it
  const part = (/** @type {string} */ name) => find(section, `[data-${name}]`);
  part("title").textContent = `On the ${SPLITS[split] ?? split} split, ${dataset.name}`;
  const isDone = status === "succeeded";
  part("figures").hidden = !isDone;
  part("pending").hidden = isDone;
  part("pending").textContent = error?.message
    ?? (status === "canceled" ? "The evaluation was canceled." : "The evaluation is queued or running.");
  if (!isDone) return;
  part("accuracy").textContent = share(figures.accuracy);
  part("recall").textContent = share(meanRecall(figures.per_class));
  part("macro").textContent = share(figures.macro_f1);
  part("ece").textContent = share(figures.ece);
  part("faces").textContent = figures.faces.toLocaleString();
  part("time").textContent = figures.milliseconds_per_face?.toFixed(2) ?? "–";
  fillConfusion(find(section, ".confusion"), figures.confusion);
  fillClasses(find(section, ".per-class tbody"), figures.per_class);
  part("reliability").hidden = !figures.reliability?.length;
  if (figures.reliability?.length) new Reliability(find(section, "canvas", HTMLCanvasElement), figures.reliability);
  part("mistakes").hidden = !(picture && mistakes.length);
  if (picture && mistakes.length) fillMistakes(find(section, ".mistakes"), mistakes, picture);
}

/**
 * @param {HTMLTableElement} table with an empty head and body
 * @param {number[][]} matrix rows the labels, columns the answers
 * @param {(value: number, row: number[]) => number} shade -1 to 1
 */
export function fillConfusion(table, matrix, shade = (value, row) => value / Math.max(1, sum(row))) {
  const head = find(table, "thead tr");
  const heading = (/** @type {string} */ emotion, /** @type {string} */ scope) => {
    const element = cell("th", "", scope);
    element.title = emotionName(emotion);
    element.dataset.emotion = emotion;
    const name = cell("span", emotionName(emotion));
    name.className = scope === "col" ? "visually-hidden" : "";
    element.append(icon(`face-${emotion}`), name);
    return element;
  };
  head.append(...EMOTIONS.map((emotion) => heading(emotion, "col")));
  table.tBodies[0].append(...matrix.map((counts, at) => {
    const row = document.createElement("tr");
    row.append(heading(EMOTIONS[at], "row"), ...counts.map((count, column) => {
      const field = cell("td", count.toLocaleString());
      const amount = shade(count, counts);
      field.style.setProperty("--share", Math.abs(amount).toFixed(3));
      field.classList.toggle("strong", Math.abs(amount) >= 0.5);
      field.title = `${emotionName(EMOTIONS[at])} predicted as ${emotionName(EMOTIONS[column])}`;
      return field;
    }));
    return row;
  }));
}

/** @param {number[]} row */
const sum = (row) => row.reduce((total, count) => total + count, 0);

/** Of the classes that occur. @param {Record<string, {recall: number, support: number}>} perClass */
function meanRecall(perClass) {
  const classes = Object.values(perClass).filter(({ support }) => support);
  return classes.reduce((total, { recall }) => total + recall, 0) / (classes.length || 1);
}

/**
 * @param {HTMLElement} body
 * @param {Record<string, {precision: number, recall: number, f1: number, support: number}>} perClass
 */
function fillClasses(body, perClass) {
  body.append(...EMOTIONS.filter((emotion) => perClass[emotion]).map((emotion) => {
    const { precision, recall, f1, support } = perClass[emotion];
    const name = cell("th", "", "row");
    name.dataset.emotion = emotion;
    name.append(icon(`face-${emotion}`), emotionName(emotion));
    const row = document.createElement("tr");
    row.append(name, ...[precision, recall, f1].map((value) => cell("td", share(value))), cell("td", support.toLocaleString()));
    return row;
  }));
}

/**
 * Each face is a tile of one picture from the server.
 * @param {HTMLElement} list
 * @param {any[]} mistakes
 * @param {string} picture
 */
function fillMistakes(list, mistakes, picture) {
  const lines = 1 + Math.max(...mistakes.map(({ line }) => line));
  list.append(...mistakes.map(({ line, column, emotion, answer, probability }) => {
    const face = document.createElement("span");
    face.className = "mistake-face";
    face.setAttribute("role", "img");
    face.setAttribute("aria-label", `A face labeled ${emotionName(emotion)}`);
    face.style.backgroundImage = `url("${picture}")`;
    face.style.backgroundSize = `${COLUMNS * 100}% ${lines * 100}%`;
    const down = lines > 1 ? (100 * line) / (lines - 1) : 0;
    face.style.backgroundPosition = `${(100 * column) / (COLUMNS - 1)}% ${down}%`;
    const caption = document.createElement("small");
    caption.append(cell("b", emotionName(answer)), ` ${percent(probability)}`, document.createElement("br"),
      `not ${emotionName(emotion)}`);
    const item = document.createElement("li");
    item.append(face, caption);
    return item;
  }));
}
