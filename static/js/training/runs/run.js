/* The page of one training: progress, curves and evaluation. */
import { byId, findAll, readData } from "../../shared/elements.js";
import { announce } from "../../shared/announce.js";
import { changeRun, deleteRun, getEvaluation, getRun } from "../api.js";
import { ask } from "../../shared/ask.js";
import { Curves } from "../curves.js";
import { showEvaluations } from "../versions/evaluation.js";
import { watchTrainings } from "../../shared/feed.js";
import { describe, isActive, share, showTag } from "../words.js";
import { duration } from "../../shared/times.js";

/**
 * @typedef {import("../api.js").Run} Run
 * @typedef {import("../api.js").Epoch} Epoch
 */

const view = byId("run");
const both = ["Validation", "Training"];
const charts = {
  loss: new Curves(byId("loss", HTMLCanvasElement), { labels: both }),
  accuracy: new Curves(byId("accuracy", HTMLCanvasElement), { labels: both, percent: true }),
  rates: new Curves(byId("rates", HTMLCanvasElement), { labels: ["Learning rate"] }),
};

/** @type {Run} */
let run;
/** @type {Epoch[]} */
let epochs = [];
let drawn = "";

/** Show the whole state, as it was read. @param {Run} state */
function show(state) {
  epochs = state.epochs ?? [];
  showState(state);
  showEpochs();
  showEvaluations(byId("evaluations"), state.evaluations ?? []);
}

/** @param {Run} state */
function showState(state) {
  const ended = run && isActive(run) && !isActive(state);
  run = { ...run, ...state };
  const { status, phase, progress, error, log, model_version: version } = run;
  const words = describe(run);
  view.dataset.status = status;
  showTag(byId("tag"), status);
  // The error is shown below in a separate box.
  byId("state").textContent = status === "failed" ? `After ${run.epoch_count} epoch${run.epoch_count === 1 ? "" : "s"}` : words;
  const bar = byId("progress", HTMLProgressElement);
  bar.hidden = !isActive(run);
  bar.value = phase === "evaluating" ? 1 : progress?.share ?? 0;
  byId("epoch").textContent = progress
    ? `${progress.epoch}${progress.epochs ? ` of ${progress.epochs}` : ""}` : String(run.epoch_count);
  byId("batch").textContent = progress ? `${progress.batch} of ${progress.batches}` : "–";
  byId("left").textContent = timeLeft(run);
  byId("speed").textContent = progress ? Math.round(progress.faces_per_second).toLocaleString() : "–";
  byId("best").textContent = share(run.best_accuracy);
  byId("error").hidden = status !== "failed";
  byId("error").textContent = error?.message ?? "";
  byId("registered").hidden = !version;
  byId("version").textContent = `version ${version}`;
  byId("version", HTMLAnchorElement).href = `/models/${version}/`;
  if (byId("log").textContent !== log) {
    byId("log").textContent = log;
    byId("log").scrollTop = byId("log").scrollHeight;
  }
  /** @type {Record<string, boolean>} */
  const possible = {
    cancel: isActive(run) && !run.canceling,
    resume: status === "failed" || status === "canceled",
    retry: !isActive(run),
    delete: !isActive(run),
  };
  for (const button of findAll(document, "[data-do]", HTMLButtonElement)) {
    button.hidden = !possible[button.dataset.do ?? ""];
    button.disabled = false;
  }
  if (ended) byId("status").textContent = words;
}

/** @param {Run} state */
function timeLeft({ status, progress, estimated_seconds: estimated }) {
  if (progress?.seconds_left != null) return duration(progress.seconds_left);
  if ((status === "queued" || status === "running") && estimated) return `about ${duration(estimated)}`;
  return "–";
}

function showEpochs() {
  const key = `${epochs.length} ${epochs.at(-1)?.loss}`;
  if (key === drawn) return;
  drawn = key;
  const line = (/** @type {"validation_loss"|"loss"|"validation_accuracy"|"accuracy"|"learning_rate"} */ name) => epochs.map((epoch) => ({ x: epoch.number, y: epoch[name] }));
  charts.loss.show([line("validation_loss"), line("loss")]);
  charts.accuracy.show([line("validation_accuracy"), line("accuracy")]);
  charts.rates.show([line("learning_rate")]);
  byId("rate").textContent = epochs.at(-1)?.learning_rate.toExponential(2) ?? "–";
  byId("epochs", HTMLTableElement).tBodies[0].replaceChildren(...epochs.map(row));
}

/** @param {Epoch} epoch */
function row(epoch) {
  const line = document.createElement("tr");
  const values = [
    epoch.side, epoch.learning_rate.toExponential(2), epoch.loss.toFixed(4), epoch.validation_loss.toFixed(4),
    share(epoch.accuracy), share(epoch.validation_accuracy), share(epoch.validation_macro_f1), Math.round(epoch.seconds),
  ];
  const number = Object.assign(document.createElement("th"), { scope: "row", textContent: String(epoch.number) });
  line.append(number, ...values.map((value) =>
    Object.assign(document.createElement("td"), { textContent: String(value) })));
  return line;
}

async function reload() {
  try {
    const state = await getRun(run.id);
    if (state.sequence >= run.sequence) show(state);
  } catch (error) {
    if (error.status === 404) location.assign(view.dataset.list ?? "/");
    else throw error;
  }
}

/**
 * Events include only new epochs; if one is missing, all are reloaded.
 * @param {any} event
 */
function hear(event) {
  if (event.type === "evaluation.changed") hearEvaluation(event.evaluation);
  if (event.type === "run.deleted" && event.id === run.id) location.assign(view.dataset.list ?? "/");
  if (event.type !== "run.changed") return;
  if (event.run.id !== run.id) {
    // Runs ahead in the queue have moved.
    if (run.status === "queued") reload().catch(() => {});
    return;
  }
  if (event.run.sequence < run.sequence) return;
  const fits = event.epochs.every((/** @type {Epoch} */ { number }, /** @type {number} */ at) => number === epochs.length + 1 + at);
  if (fits) epochs = [...epochs, ...event.epochs];
  showState(event.run);
  showEpochs();
  if (!fits || epochs.length !== run.epoch_count || run.status === "succeeded") reload().catch(() => {});
}

/** @param {{id: string}} evaluation */
async function hearEvaluation({ id }) {
  const known = run.evaluations ?? [];
  if (!known.some((one) => one.id === id)) return;
  const fresh = await getEvaluation(id);
  run.evaluations = known.map((one) => (one.id === id ? fresh : one));
  showEvaluations(byId("evaluations"), run.evaluations);
}

/** @type {Record<string, () => Promise<void>>} */
const actions = {
  async cancel() {
    const text = "It stops within seconds. Finished epochs are kept, and you can resume from there.";
    if (!(await ask({ title: "Cancel this training?", text, yes: "Cancel training", danger: true }))) return;
    show(await changeRun(run.id, "cancel"));
  },
  async resume() {
    show(await changeRun(run.id, "resume"));
  },
  async retry() {
    const { id } = await changeRun(run.id, "retry");
    location.assign(`/training/runs/${id}/`);
  },
  async delete() {
    const text = "Its curves, log and checkpoint will be deleted for good. A registered model version stays.";
    if (!(await ask({ title: "Delete this training?", text, yes: "Delete", danger: true }))) return;
    await deleteRun(run.id);
    location.assign(view.dataset.list ?? "/");
  },
};

for (const button of findAll(document, "[data-do]", HTMLButtonElement)) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await actions[button.dataset.do ?? ""]();
    } catch (error) {
      announce(error.message);
    } finally {
      button.disabled = false;
    }
  });
}

show(readData("run-data"));
watchTrainings({ waiting: () => isActive(run), reload, onEvent: hear });
