/* The data sets page: adding data sets, and the results of their checks. */
import { byId, find, fromTemplate, readData, seek } from "../../shared/elements.js";
import { announce } from "../../shared/announce.js";
import { EMOTIONS, emotionName } from "../../shared/emotions.js";
import { icon } from "../../shared/icons.js";
import { addCorrections, addServerFile, checkDataset, deleteDataset, getDataset, listDatasets, uploadDataset } from "../api.js";
import { ask } from "../../shared/ask.js";
import { watchTrainings } from "../../shared/feed.js";
import { isActive, showTag } from "../words.js";

/** @typedef {import("../api.js").Dataset} Dataset */

const container = byId("datasets");
/** Whether new data sets belong on this page. */
const isFirstPage = container.dataset.page === "1";

/** @type {Map<string, Dataset>} */
const datasets = new Map();

/** @param {Dataset} dataset */
function show(dataset) {
  const known = datasets.get(dataset.id);
  if (known && known.sequence >= dataset.sequence) return;
  datasets.set(dataset.id, dataset);
  const section = fromTemplate("dataset-template");
  section.dataset.id = dataset.id;
  fill(section, dataset);
  const old = seek(container, `[data-id="${dataset.id}"]`);
  if (old) old.replaceWith(section);
  else container.prepend(section);
  byId("empty").hidden = true;
}

/**
 * @param {string} id
 */
function forget(id) {
  datasets.delete(id);
  container.querySelector(`[data-id="${id}"]`)?.remove();
  byId("empty").hidden = datasets.size > 0;
}

/** @param {HTMLElement} section @param {Dataset} dataset */
function fill(section, dataset) {
  const { id, name, status, sheet_url: sheet } = dataset;
  const report = /** @type {any} */ (dataset.report); // empty until the check has begun
  const part = (/** @type {string} */ key) => find(section, `[data-${key}]`);
  part("name").textContent = name;
  showTag(part("tag"), status);
  part("state").textContent = describe(dataset);
  part("train").hidden = status !== "succeeded";
  find(section, "[data-train]", HTMLAnchorElement).href = `/training/?dataset=${id}`;
  part("delete").addEventListener("click", () => askAndDelete(dataset));
  offerDecisions(part("decide"), dataset);
  const problems = report.problems ?? [];
  const isChecked = Boolean(report.counts && Object.keys(report.counts).length);
  part("report").hidden = !isChecked && problems.length < 2;
  if (isChecked) fillCounts(find(section, ".counts", HTMLTableElement), report.counts);
  part("findings").replaceChildren(...findings(report).map((text) =>
    Object.assign(document.createElement("li"), { textContent: text })));
  // A single problem is already shown above.
  part("problems").hidden = problems.length < 2;
  if (problems.length > 1) {
    const more = report.problem_count > problems.length ? `, the first ${problems.length}` : "";
    find(section, "[data-problems] summary").textContent = `${report.problem_count} entries can't be read${more}`;
    find(section, "[data-problems] ol").append(...problems.map((/** @type {string} */ text) =>
      Object.assign(document.createElement("li"), { textContent: text })));
  }
  part("sheet").hidden = !sheet;
  if (sheet) find(section, "[data-sheet] img", HTMLImageElement).src = sheet;
}

/** @param {Dataset} dataset */
function describe({ status, report, error, file, size }) {
  const faces = Number(report.faces);
  const what = `${file}, ${(size / 1024 ** 2).toFixed(1)} MB`;
  if (status === "queued") return `${what}. Waiting for a worker to check it.`;
  if (status === "running") return `${what}. Checking it.`;
  if (status === "canceled") return `${what}. Its check was canceled.`;
  if (error) return error.message;
  return `${what}, ${faces.toLocaleString()} faces.`;
}

/**
 * Buttons for what nobody but a person can decide about the folders' names.
 * @param {HTMLElement} place
 * @param {Dataset} dataset
 */
function offerDecisions(place, { id, error, report }) {
  const unknown = /** @type {[string, number][]} */ (Object.entries(report?.unknown ?? {}));
  const names = unknown.map(([name, count]) => `${name} (${count.toLocaleString()} images)`).join(", ");
  /** @type {[string, {leave_out_unknown?: boolean, class_order?: string}][]} */
  const choices = error?.code === "unknown_classes"
    ? [[`Check again without ${names}`, { leave_out_unknown: true }]]
    : error?.code === "numbered_classes"
      ? [["Use FER2013's order", { class_order: "fer2013" }], ["Use alphabetical order", { class_order: "alphabetical" }]]
      : [];
  place.hidden = !choices.length;
  place.replaceChildren(...choices.map(([textContent, classes]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-quiet btn-sm", textContent });
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        show(await checkDataset(id, classes));
      } catch (problem) {
        button.disabled = false;
        announce(problem.message);
      }
    });
    return button;
  }));
}

/** What the check found besides the counts, as sentences. @param {any} report */
function findings({ sizes = {}, duplicates = 0, across_splits: across = {}, with_votes: votes, not_faces: others, mapped = [], unknown = {}, left_out: leftOut }) {
  const lines = [];
  for (const { name, emotion, images } of mapped) lines.push(`${name} was read as ${emotion}: ${images.toLocaleString()} images.`);
  if (leftOut) lines.push(`Left out: ${Object.entries(unknown).map(([name, count]) => `${name} (${count.toLocaleString()} images)`).join(", ")}.`);
  const known = /** @type {[string, number][]} */ (Object.entries(sizes));
  if (known.length) lines.push(`Sizes: ${known.slice(0, 6).map(([size, count]) => `${count.toLocaleString()} × ${size.replace("x", "×")}`).join(", ")}${known.length > 6 ? " and others" : ""}.`);
  if (duplicates) lines.push(`${duplicates.toLocaleString()} faces appear more than once, or nearly so.`);
  for (const [pair, count] of /** @type {[string, number][]} */ (Object.entries(across))) {
    lines.push(`${count.toLocaleString()} near-duplicates between ${pair.replace("/", " and ")}: accuracy on one is too high after training on the other.`);
  }
  if (votes) lines.push(`${votes.toLocaleString()} faces have FER+ votes.`);
  if (others) lines.push(`${others.toLocaleString()} pictures show no face, according to the taggers.`);
  return lines;
}

/** @param {HTMLTableElement} table @param {Object<string, Object<string, number>>} counts */
function fillCounts(table, counts) {
  const cell = (/** @type {string} */ tag, /** @type {string} */ text, scope = "") => Object.assign(document.createElement(tag), { textContent: text, ...(scope && { scope }) });
  const splits = Object.keys(counts);
  const head = document.createElement("tr");
  head.append(cell("td", ""), ...splits.map((split) => cell("th", split, "col")));
  find(table, "thead").append(head);
  const row = (/** @type {Node} */ name, /** @type {(split: Object<string, number>) => number} */ value) => {
    const line = document.createElement("tr");
    line.append(name, ...splits.map((split) => cell("td", value(counts[split]).toLocaleString())));
    return line;
  };
  table.tBodies[0].append(...EMOTIONS.map((emotion) => {
    const name = cell("th", "", "row");
    name.dataset.emotion = emotion;
    name.append(icon(`face-${emotion}`), emotionName(emotion));
    return row(name, (split) => split[emotion] ?? 0);
  }), row(cell("th", "Total", "row"), (split) => Object.values(split).reduce((all, count) => all + count, 0)));
}

/** @param {Dataset} dataset */
async function askAndDelete({ id, name }) {
  const text = `${name} and its report will be deleted. A file in the server's folder stays.`;
  if (!(await ask({ title: "Delete this data set?", text, yes: "Delete", danger: true }))) return;
  try {
    await deleteDataset(id);
    forget(id);
  } catch (error) {
    if (error.status === 404) forget(id);
    else announce(error.message);
  }
}

/** Let a form add a data set. @param {HTMLFormElement} form @param {() => Promise<Dataset>} add */
function enable(form, add) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = find(form, "[type=submit]", HTMLButtonElement);
    button.disabled = true;
    byId("add-problem").hidden = true;
    const known = new Set(datasets.keys()); // the event may arrive before the response
    try {
      const dataset = await add();
      announce(known.has(dataset.id) ? `${dataset.name} is already here.` : "Checking it now.");
      show(dataset);
      form.reset();
    } catch (error) {
      byId("add-problem").hidden = false;
      byId("add-problem").textContent = error.message;
    } finally {
      button.disabled = false;
    }
  });
}

const upload = byId("upload", HTMLFormElement);
enable(upload, async () => {
  const form = new FormData(upload);
  const most = Number(upload.dataset.limitMb);
  // Checked here because not every browser shows a response during an upload.
  if (Number(byId("data", HTMLInputElement).files?.[0].size) > most * 1024 ** 2) {
    throw new Error(`This file is larger than ${most} MB. Compress it, or put it in the server's data set folder.`);
  }
  if (!byId("votes", HTMLInputElement).files?.length) form.delete("votes");
  const bar = byId("upload-progress", HTMLProgressElement);
  bar.value = 0;
  bar.hidden = false;
  try {
    return await uploadDataset(form, (fraction) => { bar.value = fraction; });
  } finally {
    bar.hidden = true;
  }
});
const choose = byId("choose", HTMLFormElement);
enable(choose, () => addServerFile(/** @type {any} */ (Object.fromEntries(new FormData(choose)))));
const corrections = seek(document, "#corrections");
if (corrections instanceof HTMLFormElement) enable(corrections, addCorrections);

async function reload() {
  const checked = [...datasets.values()].filter(isActive);
  const found = isFirstPage ? await listDatasets(Number(container.dataset.size)) : await Promise.all(checked.map(({ id }) => getDataset(id)));
  for (const dataset of found.reverse()) if (isFirstPage || datasets.has(dataset.id)) show(dataset);
}

for (const dataset of readData("datasets-data").reverse()) show(dataset);
watchTrainings({
  waiting: () => [...datasets.values()].some(isActive),
  reload,
  onEvent(event) {
    if (event.type === "dataset.changed" && (isFirstPage || datasets.has(event.dataset.id))) show(event.dataset);
    else if (event.type === "dataset.deleted") forget(event.id);
  },
});
