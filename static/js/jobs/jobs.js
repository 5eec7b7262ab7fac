/* The jobs page; reloads every few seconds while it is visible. */
import { byId, childrenOf, find, fromTemplate, readData, seek } from "../shared/elements.js";
import { announce } from "../shared/announce.js";
import { changeJob, changeQueue, readOverview, readWorkers, retryFailed } from "./jobs-api.js";
import { duration, showTime } from "../shared/times.js";
import { ask } from "../shared/ask.js";
import { showTag } from "../training/words.js";

/**
 * @typedef {import("./jobs-api.js").Job} Job
 * @typedef {import("./jobs-api.js").Queue} Queue
 * @typedef {import("./jobs-api.js").Worker} Worker
 * @typedef {import("./jobs-api.js").Overview} Overview
 * @typedef {(name: string) => any} Part an element of a row
 */

const OVERVIEW_EVERY = 3_000;
const WORKERS_EVERY = 6_000;

/** @type {Record<string, string>} */
const PURPOSES = {
  analyses: "Photos",
  exports: "History exports and imports of photos",
  frames: "Webcam frames",
  maintenance: "Data set checks and evaluations. The site's own housekeeping continues while paused.",
  training: "Trainings and model imports",
  videos: "Videos",
  webhooks: "Webhook deliveries",
};
/** @type {Record<string, string>} */
const NOT_PAUSABLE = {
  frames: "Can't be paused: a late frame is useless.",
  webhooks: "Can't be paused. To stop deliveries, pause the webhook itself.",
};
/** @type {Record<string, string>} */
const KINDS = {
  analysis: "Photo", video: "Video", "annotated-video": "Video with boxes", export: "Export", training: "Training", check: "Data set check", evaluation: "Evaluation", import: "Import", "media-import": "Import of files",
};

/** Server's clock minus this one's, in milliseconds. */
let ahead = 0;
/** @type {Object<string, number>} number of workers by queue */
let consumers = {};
let overview = /** @type {Overview} */ (readData("overview-data"));

/** @param {string|null} iso @returns {string} how long ago that was */
const age = (iso) => {
  const began = Date.parse(iso ?? "");
  return began > 0 ? duration(Math.max(0, Date.now() + ahead - began) / 1000) : "an unknown time";
};
const counted = (/** @type {number} */ count, /** @type {string} */ one, many = `${one}s`) => `${count.toLocaleString()} ${count === 1 ? one : many}`;
const gigabytes = (/** @type {number} */ bytes) => `${(bytes / 1e9).toLocaleString(undefined, { maximumFractionDigits: 1 })} GB`;
/** @param {string} text */
const span = (text) => Object.assign(document.createElement("span"), { textContent: text });

/**
 * Show these items in a list. Existing rows stay, so focus and open tracebacks aren't lost.
 * @template T
 * @param {HTMLElement} list
 * @param {T[]} items
 * @param {string} template
 * @param {(item: T) => string} keyOf
 * @param {(part: Part, item: T) => void} fill
 */
function showList(list, items, template, keyOf, fill) {
  const known = new Map(childrenOf(list).map((row) => [row.dataset.key, row]));
  items.forEach((item, at) => {
    const key = keyOf(item);
    const row = known.get(key) ?? fromTemplate(template);
    known.delete(key);
    row.dataset.key = key;
    fill((name) => find(row, `[data-${name}]`), item);
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
  });
  for (const row of known.values()) row.remove();
}

/** @param {HTMLElement} element @param {(string|false|null)[]} facts */
function showFacts(element, facts) {
  element.replaceChildren(...facts.filter((fact) => typeof fact === "string" && fact !== "").map((fact) => span(String(fact))));
}

/**
 * A button that is disabled until its request ends.
 * @param {HTMLButtonElement} button
 * @param {boolean} isShown
 * @param {string} which
 * @param {() => Promise<unknown>} act
 */
function enable(button, isShown, which, act) {
  button.hidden = !isShown;
  const words = seek(button, "[data-which]");
  if (words) words.textContent = `: ${which}`;
  button.onclick = async () => {
    button.disabled = true;
    try {
      await act();
      await showOverview();
    } catch (error) {
      announce(error.message);
    } finally {
      button.disabled = false;
    }
  };
}

/**
 * @param {Part} part
 * @param {Queue} queue
 */
function fillQueue(part, queue) {
  const { name, paused, pausable, queued, running, messages } = queue;
  part("name").textContent = name;
  part("purpose").textContent = PURPOSES[name] ?? "";
  const tag = part("tag");
  tag.dataset.status = paused ? "paused" : running ? "running" : "idle";
  tag.textContent = paused ? "paused" : running ? "working" : queued ? "waiting" : "idle";
  part("state").textContent = paused
    ? `by ${queue.changed_by ?? "somebody"} for ${age(queue.changed_at)}; running jobs will finish.`
    : pausable ? "" : NOT_PAUSABLE[name] ?? "Can't be paused.";
  showFacts(part("facts"), [
    pausable && `${queued.toLocaleString()} waiting`,
    pausable && `${running.toLocaleString()} running`,
    queue.oldest_queued_at && `oldest queued for ${age(queue.oldest_queued_at)}`,
    queue.oldest_running_at && `oldest running for ${age(queue.oldest_running_at)}`,
    messages != null && `${counted(messages, "message")} in Redis`,
    name in consumers && counted(consumers[name], "worker"),
  ]);
  enable(part("pause"), pausable && !paused, name, () => changeQueue(name, "pause"));
  enable(part("resume"), paused, name, () => changeQueue(name, "resume"));
}

/** @param {Job} job */
const nameOf = ({ kind, name, id }) => (name ? `${KINDS[kind] ?? kind}: ${name}` : `${KINDS[kind] ?? kind} ${id.slice(0, 8)}`);

/** A job's subject, as a link if it has a page. @param {Job} job */
function linkTo(job) {
  if (!job.url) return span(nameOf(job));
  return Object.assign(document.createElement("a"), { href: job.url, textContent: nameOf(job) });
}

/**
 * @param {Part} part
 * @param {Job} job
 */
function fillJob(part, job) {
  const { status, error, attempts, silent, traceback } = job;
  if (part("name").textContent !== nameOf(job)) part("name").replaceChildren(linkTo(job));
  part("name").title = job.id;
  part("person").textContent = job.person ?? "";
  showTag(part("tag"), silent ? "running" : status);
  if (silent) Object.assign(part("tag"), { textContent: "silent" }).dataset.status = "silent";
  part("state").textContent = error?.message
    ?? (silent ? "Its worker stopped responding. Another worker will pick it up." : "");
  showFacts(part("facts"), [
    error && error.code,
    status === "queued" && `queued for ${age(job.waiting_since)}`,
    status === "running" && `running for ${age(job.started_at)}`,
    attempts > 1 && `attempt ${attempts}`,
    status !== "queued" && job.worker && `on ${job.worker}`,
  ]);
  if (job.finished_at) {
    const time = document.createElement("time");
    showTime(time, job.finished_at);
    part("facts").prepend(time);
  }
  part("details").hidden = !traceback;
  if (part("traceback").textContent !== traceback) part("traceback").textContent = traceback;
  enable(part("cancel"), job.cancelable, nameOf(job), async () => {
    const text = `${nameOf(job)}. You can retry it later.`;
    if (await ask({ title: "Cancel this job?", text, yes: "Cancel job", danger: true })) await changeJob(job, "cancel");
  });
  enable(part("retry"), job.retryable, nameOf(job), () => changeJob(job, "retry"));
}

/**
 * @param {Part} part
 * @param {import("./jobs-api.js").FailureCount} failure
 */
function fillCode(part, { kind, code, count, retryable }) {
  part("count").textContent = `${count.toLocaleString()} ×`;
  part("what").textContent = `${KINDS[kind] ?? kind}: ${code}`;
  part("all").textContent = `Retry all ${retryable.toLocaleString()}`;
  enable(part("retry-all"), retryable > 1, "", async () => {
    const { retried } = await retryFailed(kind, code);
    announce(`${counted(retried, "job")} queued again.`);
  });
}

/**
 * @param {Part} part
 * @param {Worker} worker
 */
function fillWorker(part, { name, host, pid, queues, answers, work }) {
  part("name").textContent = name ?? `Process ${pid ?? "?"} on ${host || "an unknown host"}`;
  part("queues").textContent = [
    queues.join(", "),
    !answers && (work.some(({ job }) => job?.silent) ? "silent" : "busy"),
  ].filter(Boolean).join("; ");
  showFacts(part("facts"), [name && `process ${pid}`, name && `on ${host}`]);
  part("work").replaceChildren(...(work.length ? work : [null]).map((/** @type {Worker["work"][number]|null} */ one) => {
    const line = document.createElement("li");
    if (!one) line.append(Object.assign(span("Idle"), { className: "muted" }));
    else {
      line.append(one.job ? linkTo(one.job) : span(one.task ?? ""));
      if (one.since) line.append(Object.assign(span(` for ${age(one.since)}`), { className: "muted" }));
    }
    return line;
  }));
}

/** @param {Overview["site"]} site */
function showSite({ problems, figures }) {
  byId("problems").replaceChildren(...problems.map((problem) => {
    const item = Object.assign(document.createElement("p"), { className: "message" });
    item.dataset.level = "error";
    item.append(span(problem));
    return item;
  }));
  const { disk_free_bytes: free, disk_total_bytes: size, live_sessions: sessions } = figures;
  const { training_epoch: epoch, training_validation_accuracy: accuracy } = figures;
  showFacts(byId("site-facts"), [
    !problems.length && "Everything it needs is there",
    free !== undefined && `${gigabytes(free)} of ${gigabytes(size)} free`,
    sessions !== undefined && counted(sessions, "live session"),
    epoch !== undefined && `training: ${counted(epoch, "epoch")} done`,
    accuracy !== undefined && `${(100 * accuracy).toFixed(1)} % of the validation part right`,
  ]);
}

function show() {
  ahead = Date.parse(overview.now) - Date.now();
  byId("unreachable").hidden = overview.reachable;
  showSite(overview.site);
  const { queues, running, waiting, failed, failures, canceled } = overview;
  const unfinished = [...running, ...waiting];
  showList(byId("queues"), queues, "queue-template", ({ name }) => name, fillQueue);
  showList(byId("unfinished"), unfinished, "job-template", ({ id }) => id, fillJob);
  showList(byId("failed"), failed, "code-template", ({ kind, code }) => `${kind} ${code}`, fillCode);
  showList(byId("failures"), failures, "job-template", ({ id }) => id, fillJob);
  showList(byId("canceled"), canceled, "job-template", ({ id }) => id, fillJob);
  byId("canceled-section").hidden = !canceled.length;
  byId("no-unfinished").hidden = unfinished.length > 0;
  byId("no-failures").hidden = failures.length > 0;
  const more = queues.reduce((all, { queued, running: runs }) => all + queued + runs, 0) - unfinished.length;
  byId("more-unfinished").hidden = more <= 0;
  byId("more-unfinished").textContent = `And ${more.toLocaleString()} more.`;
}

async function showOverview() {
  overview = await readOverview();
  show();
}

async function showWorkers() {
  const found = await readWorkers();
  consumers = found.reachable ? found.consumers : {};
  showList(byId("workers"), found.workers, "worker-template", ({ name, host, pid }) => `${name} ${host} ${pid}`, fillWorker);
  byId("no-workers").hidden = found.workers.length > 0;
  byId("no-workers").textContent = found.reachable
    ? "No worker is responding. Jobs will wait until one is started." : "The workers can't be reached without the queue.";
  show();
}

/**
 * Call repeatedly, but only while the page is visible.
 * @param {() => Promise<void>} read
 * @param {number | undefined} milliseconds
 */
async function repeat(read, milliseconds) {
  if (document.visibilityState === "visible") await read().catch(() => {}); // the next time
  setTimeout(() => repeat(read, milliseconds), milliseconds);
}

show();
setTimeout(() => repeat(showOverview, OVERVIEW_EVERY), OVERVIEW_EVERY);
repeat(showWorkers, WORKERS_EVERY);
