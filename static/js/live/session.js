/* The page of one kept session: its faces, with averages and expressions over time. */
import { byId, findAll, readData } from "../shared/elements.js";
import { getAnalysis } from "../shared/api.js";
import { Bars } from "../shared/bars.js";
import { enableDeletion } from "../shared/dialog.js";
import { EMOTIONS, emotionName, percent } from "../shared/emotions.js";
import { enableEntry, showEntry } from "../shared/entry.js";
import { watchAnalyses } from "../shared/feed.js";
import { icon } from "../shared/icons.js";
import { showNotices } from "../shared/notices.js";
import { duration } from "../shared/times.js";
import { Timeline, clock } from "../shared/timeline.js";

/**
 * @typedef {import("../shared/api.js").Analysis} Analysis
 * @typedef {import("../shared/api.js").Track} Track
 */

/** After this many seconds out of view, a face's lines have a gap. */
const GAP = 2;

const view = byId("session-view");
const bars = new Bars(byId("bars", HTMLUListElement));
const timeline = new Timeline(byId("timeline", HTMLCanvasElement));

/** @type {Analysis} */
let session = readData("analysis");
/** Number of the chosen track. @type {number|null} */
let selected = null;

/** @param {Analysis} state */
function show(state) {
  session = state;
  const { status, tracks: found, seconds, frame_count: frames, model_version: model, notices } = state;
  const tracks = /** @type {Track[]} */ (found ?? []);
  const isRunning = status === "running";
  view.dataset.view = status;
  byId("running").hidden = !isRunning;
  byId("meta-length").textContent = duration(seconds ?? 0);
  byId("meta-frames").textContent = frames.toLocaleString();
  byId("meta-faces").textContent = String(tracks.length);
  byId("meta-model").textContent = model ? `Version ${model}` : "–";
  showNotices(byId("notices"), notices);
  showEntry(state);
  byId("result").hidden = tracks.length === 0;
  byId("no-face").hidden = tracks.length > 0 || isRunning;
  if (!tracks.length) return;
  const still = tracks.find(({ number }) => number === selected) ?? longest(tracks);
  byId("face-list").replaceChildren(...tracks.map(listItem));
  select(still.number);
}

/** @param {Track[]} tracks @returns {Track} the one in most frames */
const longest = (tracks) => tracks.reduce((best, track) => (track.frames > best.frames ? track : best));

/** @param {Track} track */
function listItem({ number, emotion, first, last }) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.emotion = emotion;
  button.dataset.track = String(number);
  const badge = Object.assign(document.createElement("b"), { textContent: String(number) });
  const when = document.createElement("small");
  when.textContent = `${clock(first)}–${clock(last)}`;
  button.append(badge, icon(`face-${emotion}`), emotionName(emotion), when);
  button.addEventListener("click", () => select(number));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

/** Show the reading of a face. @param {number} number */
function select(number) {
  selected = number;
  const track = /** @type {Track[]} */ (session.tracks ?? []).find((one) => one.number === number);
  if (!track) return;
  const { emotion, probabilities, series, first, last, frames } = track;
  for (const button of findAll(byId("face-list"), "button")) {
    button.setAttribute("aria-pressed", String(button.dataset.track === String(number)));
  }
  byId("reading-which").textContent = `Face ${number}, from ${clock(first)} to ${clock(last)}, ${frames.toLocaleString()} frames`;
  byId("reading-title").dataset.emotion = emotion;
  byId("reading-glyph").replaceChildren(icon(`face-${emotion}`));
  byId("reading-emotion").textContent = emotionName(emotion);
  byId("reading-probability").textContent = percent(probabilities[emotion]);
  bars.move(probabilities);
  bars.write(probabilities, emotion);
  // The same time axis for all faces, to compare them.
  timeline.show(lines(series), { from: 0, to: Math.max(1, session.seconds ?? last), top: emotion });
}

/**
 * @param {{times: number[], probabilities: Record<string, number[]>}} series
 * @returns {Record<string, {x: number, y: number}[]>} points of each expression
 */
function lines({ times, probabilities }) {
  return Object.fromEntries(EMOTIONS.map((emotion) => [emotion, times.flatMap((x, at) => {
    const point = { x, y: probabilities[emotion][at] };
    return at > 0 && x - times[at - 1] > gap(times) ? [{ x, y: NaN }, point] : [point];
  })]));
}

/** Points of a long session lie further apart than faces are away. @param {number[]} times */
const gap = (times) => Math.max(GAP, (3 * (times[times.length - 1] - times[0])) / times.length);

/** Load the state; events don't include the tracks. */
async function reload() {
  try {
    const state = await getAnalysis(session.id);
    if (state.sequence <= session.sequence) return;
    const hasEnded = session.status === "running" && state.status !== "running";
    show(state);
    if (hasEnded) byId("status").textContent = "The session has ended.";
  } catch (error) {
    if (error.status === 404) leave();
    else throw error;
  }
}

function leave() {
  location.assign(view.dataset.history ?? "/");
}

enableDeletion(byId("delete"), session, leave);
show(session);
enableEntry(session.id, show);
watchAnalyses({
  waiting: () => session.status === "running",
  reload,
  // If loading fails, the feed tries again.
  onChanged: ({ id, sequence }) => id === session.id && sequence > session.sequence && reload().catch(() => {}),
  onDeleted: (id) => id === session.id && leave(),
});
