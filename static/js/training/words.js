/* Formats states and metrics of trainings. */
import { findAll } from "../shared/elements.js";
import { duration } from "../shared/times.js";

/** @param {number|null|undefined} value 0 to 1 @returns {string} such as "68.2%" */
export const share = (value) => (value == null ? "–" : `${(100 * value).toFixed(1)}%`);

/** @param {number} value in shares @returns {string} such as "+1.5" percentage points */
export function points(value) {
  const text = (100 * value).toFixed(1);
  return value > 0 ? `+${text}` : text.replace("-", "−");
}

/** @param {{status: string}} job whether it has not ended */
export const isActive = ({ status }) => status === "queued" || status === "running";

/** @type {Record<string, string>} */
const TAGS = { queued: "queued", running: "running", succeeded: "done", failed: "failed", canceled: "canceled" };

/** Show the state of a job in a tag. @param {HTMLElement} element @param {string} status */
export function showTag(element, status) {
  element.textContent = TAGS[status];
  element.dataset.status = status;
  element.classList.toggle("tag-success", status === "succeeded");
}

/** @param {import("./api.js").Run} run @returns {string} what it is doing, in words */
export function describe(run) {
  const { status, phase, place, progress, error, canceling, model_version: version, attempts } = run;
  if (status === "queued") return place === 1 ? "Next in the queue" : `Place ${place} in the queue`;
  if (status === "failed") return error?.message ?? "Failed.";
  if (status === "canceled") return "Canceled. The finished epochs are kept.";
  if (status === "succeeded") return version ? `Registered as version ${version}` : "Done";
  if (canceling) return "Canceling";
  const again = attempts > 1 ? `, attempt ${attempts}` : "";
  if (phase === "evaluating") return `Evaluating${again}`;
  if (phase !== "training" || !progress) return `Starting${again}`;
  const of = progress.epochs ? ` of ${progress.epochs}` : "";
  const left = progress.seconds_left == null ? "" : `, ${duration(progress.seconds_left)} left`;
  return `Epoch ${progress.epoch}${of}${left}${again}`;
}

/** Format shares that the server sent as numbers. */
export function writeShares() {
  for (const element of findAll(document, "[data-percent]")) {
    element.textContent = share(Number(element.dataset.percent));
  }
}
