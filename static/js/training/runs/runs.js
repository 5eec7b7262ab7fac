/* The list of trainings, and the form that starts one. */
import { around, byId, childrenOf, find, findAll, fromTemplate, readData, seek } from "../../shared/elements.js";
import { estimateRun, listRuns, readPresets, startRun } from "../api.js";
import { watchTrainings } from "../../shared/feed.js";
import { describe, isActive, share, showTag } from "../words.js";
import { duration, showTime } from "../../shared/times.js";

/** @typedef {import("../api.js").Run} Run */

const MEASURING = 5_000; // milliseconds until asking again for a speed being measured
const TYPING = 400;
/** @type {Record<string, string>} */
const TITLES = {
  architecture: "Architecture", start: "Initial weights", optimizer: "Optimizer",
  schedule: "Learning rate schedule", precision: "Precision",
};

const list = byId("runs");
const isFirstPage = list.dataset.page === "1";

/** @type {Map<string, Run>} */
const runs = new Map();

/** @param {Run} run */
function show(run) {
  const known = runs.get(run.id);
  if (known && known.sequence > run.sequence) return;
  runs.set(run.id, run);
  let item = seek(list, `[data-id="${run.id}"]`);
  if (!item) {
    item = fromTemplate("run-template");
    item.dataset.id = run.id;
    find(item, ".run-link", HTMLAnchorElement).href = `/training/runs/${run.id}/`;
    const older = childrenOf(list).find(({ dataset }) => (runs.get(dataset.id ?? "")?.created_at ?? "") < run.created_at);
    list.insertBefore(item, older ?? null);
  }
  fill(item, run);
  byId("empty").hidden = true;
}

/** @param {string} id */
function forget(id) {
  runs.delete(id);
  list.querySelector(`[data-id="${id}"]`)?.remove();
  byId("empty").hidden = runs.size > 0;
}

/**
 * @param {ParentNode} item
 * @param {import("../api.js").Run} run
 */
function fill(item, run) {
  const part = (/** @type {string} */ name) => find(item, `[data-${name}]`);
  part("name").textContent = `${run.config.architecture} on ${run.dataset.name}${run.note ? `: ${run.note}` : ""}`;
  showTag(part("tag"), run.status);
  part("state").textContent = describe(run);
  const bar = find(item, "progress", HTMLProgressElement);
  bar.hidden = run.status !== "running";
  bar.value = run.phase === "evaluating" ? 1 : run.progress?.share ?? 0;
  part("best").textContent = run.best_accuracy == null ? "" : `${share(run.best_accuracy)} validation`;
  part("epochs").textContent = `${run.epoch_count} epoch${run.epoch_count === 1 ? "" : "s"}`;
  showTime(find(item, "[data-time]", HTMLTimeElement), run.created_at);
}

async function reload() {
  if (!isFirstPage) return;
  const known = [...runs.keys()];
  const found = await listRuns();
  const there = new Set(found.map(({ id }) => id));
  for (const id of known) if (!there.has(id)) forget(id);
  for (const run of found.reverse()) show(run);
}

/** Update places in the queue when an earlier run starts or ends. */
const someoneWaits = () => [...runs.values()].some(({ status }) => status === "queued");

/**
 * @param {any} event
 */
function hear(event) {
  if (event.type === "run.deleted") forget(event.id);
  if (event.type !== "run.changed") return;
  const before = runs.get(event.run.id)?.status;
  if (!before && !isFirstPage) return;
  show(event.run);
  if (before !== event.run.status && someoneWaits()) reload().catch(() => {});
}

for (const run of readData("runs-data").reverse()) show(run);
watchTrainings({ waiting: () => [...runs.values()].some(isActive), reload, onEvent: hear });

const form = /** @type {HTMLFormElement|null} */ (seek(document, "#new-run"));
if (form) prepare(form);

/** @param {HTMLFormElement} form */
async function prepare(form) {
  let timer = 0;
  let asked = 0;

  const choices = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));

  /** @param {Error|null} error */
  function complain(error) {
    const line = byId("new-problem");
    line.hidden = !error;
    line.textContent = error?.message ?? "";
    if (error) byId("estimate").textContent = "";
  }

  async function estimate() {
    clearTimeout(timer);
    const number = ++asked;
    try {
      const { seconds } = await estimateRun(choices());
      if (number !== asked) return;
      complain(null);
      byId("estimate").textContent = seconds == null
        ? "Measuring how fast this machine trains."
        : `Takes about ${duration(seconds)}.`;
      if (seconds == null) timer = setTimeout(estimate, MEASURING);
    } catch (error) {
      if (number === asked) complain(error);
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(estimate, TYPING);
  });
  form.addEventListener("change", (event) => around(event, "[name=preset]") && hint());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = find(form, "[type=submit]", HTMLButtonElement);
    button.disabled = true;
    try {
      const run = await startRun(choices());
      location.assign(`/training/runs/${run.id}/`);
    } catch (error) {
      complain(error);
      button.disabled = false;
    }
  });

  const { presets, options, choices: named } = await readPresets();
  byId("options").append(
    ...Object.entries(named).map(([name, values]) => select(name, TITLES[name], values)),
    ...Object.entries(options).map(([name, option]) => field(name, option)),
  );

  /** Show the selected preset's values for empty options. */
  function hint() {
    const preset = presets[String(new FormData(form).get("preset"))];
    for (const input of findAll(byId("options"), "input", HTMLInputElement)) {
      const value = input.name === "augmentation" ? 1 : preset[input.name];
      input.placeholder = value ?? "no limit";
    }
    for (const choice of findAll(byId("options"), "select", HTMLSelectElement)) {
      choice.options[0].textContent = `${preset[choice.name]} (preset)`;
    }
  }

  hint();
  await estimate();
}

/**
 * @param {string} name
 * @param {string} title
 * @param {HTMLInputElement|HTMLSelectElement} control
 */
function labeled(name, title, control) {
  control.name = name;
  control.id = `option-${name}`;
  const label = Object.assign(document.createElement("label"), { textContent: title, htmlFor: control.id });
  const line = document.createElement("p");
  line.className = "option";
  line.append(label, control);
  return line;
}

/**
 * @param {string} name
 * @param {{title: string, whole: boolean, lowest: string, highest: string}} option
 */
function field(name, { title, whole, lowest, highest }) {
  const input = document.createElement("input");
  input.className = "form-control";
  input.type = "number";
  input.step = whole ? "1" : "any";
  input.min = lowest;
  input.max = highest;
  input.autocomplete = "off";
  return labeled(name, title, input);
}

/**
 * @param {string} name
 * @param {string} title
 * @param {string[]} values
 */
function select(name, title, values) {
  const choice = document.createElement("select");
  choice.className = "form-select";
  choice.append(new Option("", ""), ...values.map((value) => new Option(value, value)));
  return labeled(name, title, choice);
}
