/* The list of trainings, and the form that starts one. */
import { estimateRun, listRuns, readPresets, startRun } from "../api.js";
import { watchTrainings } from "../../shared/feed.js";
import { describe, isActive, share, showTag } from "../words.js";
import { duration, showTime } from "../../shared/times.js";

/** @typedef {import("../api.js").Run} Run */

const MEASURING = 5_000; // milliseconds until a speed that is being measured is asked for again
const TYPING = 400;
const TITLES = {
  architecture: "Architecture", start: "Weights to begin with", optimizer: "Optimizer",
  schedule: "Learning rate over the run", precision: "Precision",
};

const byId = (id) => document.getElementById(id);
const list = byId("runs");
const isFirstPage = list.dataset.page === "1";

/** @type {Map<string, Run>} */
const runs = new Map();

/** @param {Run} run */
function show(run) {
  const known = runs.get(run.id);
  if (known && known.sequence > run.sequence) return;
  runs.set(run.id, run);
  let item = list.querySelector(`[data-id="${run.id}"]`);
  if (!item) {
    item = byId("run-template").content.firstElementChild.cloneNode(true);
    item.dataset.id = run.id;
    item.querySelector(".run-link").href = `/training/runs/${run.id}/`;
    const older = [...list.children].find(({ dataset }) => runs.get(dataset.id).created_at < run.created_at);
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

function fill(item, run) {
  const part = (name) => item.querySelector(`[data-${name}]`);
  part("name").textContent = `${run.config.architecture} on ${run.dataset.name}${run.note ? `: ${run.note}` : ""}`;
  showTag(part("tag"), run.status);
  part("state").textContent = describe(run);
  const bar = item.querySelector("progress");
  bar.hidden = run.status !== "running";
  bar.value = run.phase === "evaluating" ? 1 : run.progress?.share ?? 0;
  part("best").textContent = run.best_accuracy == null ? "" : `${share(run.best_accuracy)} validation`;
  part("epochs").textContent = `${run.epoch_count} epoch${run.epoch_count === 1 ? "" : "s"}`;
  showTime(part("time"), run.created_at);
}

async function reload() {
  if (!isFirstPage) return;
  const known = [...runs.keys()];
  const found = await listRuns();
  const there = new Set(found.map(({ id }) => id));
  for (const id of known) if (!there.has(id)) forget(id);
  for (const run of found.reverse()) show(run);
}

/** Places in the queue move up when a run before them begins or ends. */
const someoneWaits = () => [...runs.values()].some(({ status }) => status === "queued");

function hear(event) {
  if (event.type === "run.deleted") forget(event.id);
  if (event.type !== "run.changed") return;
  const before = runs.get(event.run.id)?.status;
  if (!before && !isFirstPage) return;
  show(event.run);
  if (before !== event.run.status && someoneWaits()) reload().catch(() => {});
}

for (const run of JSON.parse(byId("runs-data").textContent).reverse()) show(run);
watchTrainings({ waiting: () => [...runs.values()].some(isActive), reload, onEvent: hear });

const form = /** @type {HTMLFormElement|null} */ (byId("new-run"));
if (form) prepare(form);

/** @param {HTMLFormElement} form */
async function prepare(form) {
  let timer = 0;
  let asked = 0;

  const choices = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));

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
        ? "How fast this machine trains is being measured."
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
  form.addEventListener("change", ({ target }) => target.name === "preset" && hint());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
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

  /** Show what the chosen preset has for each option that is left empty. */
  function hint() {
    const preset = presets[new FormData(form).get("preset")];
    for (const input of byId("options").querySelectorAll("input")) {
      const value = input.name === "augmentation" ? 1 : preset[input.name];
      input.placeholder = value ?? "no limit";
    }
    for (const choice of byId("options").querySelectorAll("select")) {
      choice.options[0].textContent = `${preset[choice.name]} (preset)`;
    }
  }

  hint();
  await estimate();
}

function labelled(name, title, control) {
  control.name = name;
  control.id = `option-${name}`;
  const label = Object.assign(document.createElement("label"), { textContent: title, htmlFor: control.id });
  const line = document.createElement("p");
  line.className = "option";
  line.append(label, control);
  return line;
}

function field(name, { title, whole, lowest, highest }) {
  const input = document.createElement("input");
  input.className = "form-control";
  input.type = "number";
  input.step = whole ? "1" : "any";
  input.min = lowest;
  input.max = highest;
  input.autocomplete = "off";
  return labelled(name, title, input);
}

function select(name, title, values) {
  const choice = document.createElement("select");
  choice.className = "form-select";
  choice.append(new Option("", ""), ...values.map((value) => new Option(value, value)));
  return labelled(name, title, choice);
}
