/* The page of one video or kept session: player, tracks, charts, markers; how far a reading is. */
import { byId, findAll, fromTemplate, readData } from "../shared/elements.js";
import { announce } from "../shared/announce.js";
import { cancelAnalysis, getAnalysis, retryAnalysis } from "../shared/api.js";
import { Bars } from "../shared/bars.js";
import { enableDeletion } from "../shared/dialog.js";
import { EMOTIONS, emotionName, percent } from "../shared/emotions.js";
import { enableEntry, showEntry } from "../shared/entry.js";
import { watchAnalyses } from "../shared/feed.js";
import { icon } from "../shared/icons.js";
import { showMeasures } from "../shared/measures.js";
import { showNotices } from "../shared/notices.js";
import { clock, duration } from "../shared/times.js";
import { startExporting } from "../history/exports-api.js";
import { Chart } from "./chart.js";
import { enableKeys } from "./keys.js";
import { Markers } from "./markers.js";
import { Overlay } from "./overlay.js";
import { TimelineApi } from "./timeline-api.js";

/** @typedef {import("../shared/api.js").Analysis} Analysis */
/** @typedef {import("./timeline-api.js").TrackSummary} TrackSummary */

/** Milliseconds between two looks at the chart while the video is read. */
const GROWS_EVERY = 1500;

const view = byId("replay-view");
/** Sessions have none. */
const player = /** @type {HTMLVideoElement|null} */ (document.getElementById("player"));
/** Where a session is looked at, in seconds. */
let cursor = 0;
const now = () => player?.currentTime ?? cursor;
const bars = new Bars(byId("bars", HTMLUListElement));

/** @type {Analysis} */
let analysis = readData("analysis");
/** @type {TrackSummary[]} */
let tracks = [];
/** @type {number|null} */
let selected = null;
/** @type {Chart|null} */
let chart = null;
/** @type {Overlay|null} */
let overlay = null;
let lookedAt = 0;
const api = new TimelineApi(analysis.id);
const markers = new Markers(api, {
  time: now,
  seek,
  onShown: (list) => chart?.setMarkers(list),
  onChanged() {
    if (analysis.status === "succeeded") loadTracks(); // excluded spans don't count
  },
});

const unfinished = () => ["queued", "running"].includes(analysis.status);

/** @param {Analysis} state */
function show(state) {
  analysis = state;
  const { status, video } = state;
  view.dataset.view = status;
  const failed = status === "failed" || status === "canceled";
  if (player) showReading(state, failed);
  else byId("running").hidden = status !== "running";
  byId("meta-length").textContent = state.seconds ? duration(state.seconds) : "–";
  const missing = Object.values(video?.missing ?? {}).reduce((sum, count) => sum + count, 0);
  byId("meta-frames").textContent = state.frame_count.toLocaleString() + (missing ? ` (${missing.toLocaleString()} missing)` : "");
  byId("meta-model").textContent = state.model_version ? `Version ${state.model_version}` : "–";
  showNotices(byId("notices", HTMLUListElement), state.notices);
  showEntry(state);
  byId("files-for").hidden = status !== "succeeded";
  byId("result").hidden = failed && !video?.live || !state.frame_count && !video?.live && status !== "succeeded";
  if (!byId("result").hidden) showResult(state);
}

/** What only videos have. @param {Analysis} state @param {boolean} failed */
function showReading(state, failed) {
  const { status, video, error, width, height } = state;
  byId("waiting").hidden = !unfinished();
  byId("live-numbers").hidden = !video?.live;
  if (unfinished() && video) showProgress(state);
  byId("failure").hidden = !failed;
  byId("failure-title").textContent = status === "canceled" ? "This analysis was canceled" : "This video couldn't be read";
  byId("failure-message").textContent = error?.message ?? "";
  byId("retry").hidden = !state.retryable;
  byId("meta-video").textContent = width ? `${width} × ${height}, ${video?.frame_rate?.toFixed(0)} fps` : "–";
}

/** @param {Analysis} state */
function showProgress({ status, video }) {
  const share = video?.share ?? 0;
  byId("share", HTMLProgressElement).value = share;
  byId("waiting-title").textContent = status === "queued" ? "Queued" : `Reading, ${percent(share)}`;
  if (status === "queued" || !video?.speed) return;
  const left = video.seconds_left ? `${duration(video.seconds_left)} left · ` : "";
  byId("waiting-text").textContent = `${left}${Math.round(video.speed)} frames a second`;
}

/** @param {Analysis} state */
function showResult(state) {
  const { video, width, height, seconds } = state;
  if (!chart && seconds) {
    chart = new Chart(byId("timeline"), seconds, { onSeek: seek, onView: loadDetails });
    byId("mode").dispatchEvent(new Event("change"));
  }
  chart?.grow(seconds ?? 0); // a session goes on
  if (player && !overlay && width && height) {
    byId("stage").style.setProperty("--ratio", String(width / height));
    const step = 1 / (video?.fps ?? video?.frame_rate ?? 5);
    overlay = new Overlay(player, byId("overlay", HTMLCanvasElement), { width, height, step }, (start, end) => api.boxes(start, end));
  }
  const media = video?.media_url;
  if (player) byId("pending").hidden = Boolean(media) || !unfinished();
  if (player && media && !player.src) {
    player.poster = state.thumbnail_url ?? "";
    player.src = media;
  }
  if (unfinished() && performance.now() - lookedAt < GROWS_EVERY) return;
  lookedAt = performance.now();
  loadTracks();
}

async function loadTracks() {
  try {
    showTracks(await api.tracks());
  } catch (error) {
    if (error.status !== 404) announce(error.message);
  }
}

/** @param {TrackSummary[]} found */
function showTracks(found) {
  tracks = found;
  overlay?.reset();
  if (overlay) overlay.names = new Map(tracks.map(({ number, name }) => [number, name]));
  byId("no-face").hidden = tracks.length > 0 || unfinished();
  byId("summary").hidden = tracks.length === 0;
  byId("tracks").replaceChildren(...tracks.map(listItem));
  const longest = tracks.reduce((best, track) => (!best || track.frames > best.frames ? track : best), tracks[0]);
  const still = tracks.find(({ number }) => number === selected) ?? longest;
  if (still) select(still.number);
}

/** @param {TrackSummary} track */
function listItem(track) {
  const { number, name, emotion, first, last, picture_url: picture, not_a_face: no } = track;
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.dataset.track = String(number);
  button.dataset.emotion = emotion;
  button.classList.toggle("dismissed", no);
  if (picture) {
    button.append(Object.assign(new Image(48, 48), { src: picture, alt: "", loading: "lazy" }));
  } else {
    button.append(icon(`face-${emotion}`));
  }
  const text = document.createElement("span");
  const when = Object.assign(document.createElement("small"), { textContent: `${clock(first)}–${clock(last)}` });
  text.append(Object.assign(document.createElement("b"), { textContent: name || `Face ${number}` }), when);
  button.append(text);
  button.addEventListener("click", () => select(number));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

/** @param {number} number of a track */
function select(number) {
  if (number !== selected) chart?.clear();
  selected = number;
  const track = tracks.find((one) => one.number === number);
  if (!track) return;
  const { name, emotion, expressions, first, last, frames, baseline } = track;
  for (const button of findAll(byId("tracks"), "button")) {
    button.setAttribute("aria-pressed", String(button.dataset.track === String(number)));
  }
  byId("reading-which").textContent = `${name || `Face ${number}`}, from ${clock(first)} to ${clock(last)}, ${frames.toLocaleString()} frames`;
  byId("reading-title").dataset.emotion = emotion;
  byId("reading-glyph").replaceChildren(icon(`face-${emotion}`));
  byId("reading-emotion").textContent = emotionName(emotion);
  byId("reading-share").textContent = percent(expressions[emotion].share);
  const shares = Object.fromEntries(EMOTIONS.map((one) => [one, expressions[one].share]));
  bars.move(shares);
  bars.write(shares, emotion);
  showEpisodes(track);
  showMovement(track);
  const field = byId("track-name", HTMLInputElement);
  if (document.activeElement !== field) field.value = name;
  byId("track-no", HTMLInputElement).checked = track.not_a_face;
  byId("neutral-off").hidden = byId("neutral-note").hidden = !baseline;
  const others = tracks.filter((one) => one.number !== number);
  byId("merge", HTMLSelectElement).replaceChildren(
    new Option("Merge with …", ""),
    ...others.map((one) => new Option(one.name || `Face ${one.number}`, String(one.number))),
  );
  byId("merge").hidden = others.length === 0;
  byId("track-edit").hidden = unfinished();
  if (overlay) {
    overlay.selected = number;
    overlay.draw();
  }
  loadSeries(number);
}

/** @param {TrackSummary} track */
function showEpisodes({ expressions }) {
  const rows = EMOTIONS.flatMap((emotion) => {
    const { episodes } = expressions[emotion];
    if (!episodes.length) return [];
    const longest = episodes.reduce((best, one) => (one.end - one.start > best.end - best.start ? one : best));
    const item = document.createElement("li");
    item.dataset.emotion = emotion;
    const go = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: `longest ${(longest.end - longest.start).toFixed(1)} s at ${clock(longest.start)}` });
    go.addEventListener("click", () => seek(longest.start));
    item.append(icon(`face-${emotion}`), `${emotionName(emotion)}: ${episodes.length}, `, go);
    return [item];
  });
  byId("episodes").replaceChildren(...rows);
}

/** @param {TrackSummary} track */
function showMovement({ movement }) {
  showMeasures(byId("measure-rows"), /** @type {any} */ (movement?.measures));
  const rows = movement ? [
    ["Blinks", movement.blinks == null ? "not counted: read 10 frames a second or more" : `${movement.blinks}, ${movement.blinks_per_minute} a minute`],
    ["Mouth movement", `${Math.round(100 * movement.mouth)}% of its range a second`],
    ["Turned away", `${percent(movement.turned)} of the time`],
  ] : [];
  byId("movement-rows").replaceChildren(...rows.map(([name, value]) => {
    const row = document.createElement("tr");
    row.append(
      Object.assign(document.createElement("th"), { scope: "row", textContent: name }),
      Object.assign(document.createElement("td"), { textContent: value }),
    );
    return row;
  }));
}

/** @param {number} number */
async function loadSeries(number) {
  if (!chart) return;
  const [start, end] = chart.range;
  const [series] = await api.series(number, { start, end, points: 1500 }).catch(() => []);
  if (number === selected) chart.setSeries(series ?? null, [start, end]);
}

/** Sharper lines for what is in view. */
function loadDetails() {
  if (selected != null) loadSeries(selected);
}

/** @param {number} time in seconds */
function seek(time) {
  cursor = Math.max(0, Math.min(time, analysis.seconds ?? 0));
  if (player) player.currentTime = cursor;
  showTime(cursor);
}

/** @param {number} time */
function showTime(time) {
  const tenths = Math.floor((time % 1) * 10);
  byId("clock").textContent = `${Math.floor(time / 60)}:${String(Math.floor(time) % 60).padStart(2, "0")}.${tenths}`;
  chart?.movePlayhead(time);
}

const toggle = () => (player?.paused ? player.play().catch(() => {}) : player?.pause());

/** @param {() => Promise<TrackSummary[]>} change of the selected track */
async function change(change) {
  try {
    showTracks(await change());
  } catch (error) {
    announce(error.message);
  }
}

/** @param {HTMLVideoElement} player */
function enablePlayer(player) {
  for (const type of ["timeupdate", "seeking"]) player.addEventListener(type, () => showTime(player.currentTime));
  for (const type of ["play", "pause"]) {
    player.addEventListener(type, () => { byId("play").textContent = player.paused ? "Play" : "Pause"; });
  }
  byId("play").addEventListener("click", toggle);
  byId("stage").addEventListener("click", toggle);
  byId("speed").addEventListener("change", () => { player.playbackRate = Number(byId("speed", HTMLSelectElement).value); });
  byId("cancel").addEventListener("click", () => cancelAnalysis(analysis.id).then(show, (error) => announce(error.message)));
  byId("retry").addEventListener("click", () => retryAnalysis(analysis.id).then(show, (error) => announce(error.message)));
  byId("annotated").addEventListener("click", () => startExporting("mp4", { id: [analysis.id] }).then(
    () => location.assign("/exports/"), // shows its progress and the download
    (error) => announce(error.message),
  ));
}

byId("mode").addEventListener("change", () => chart?.setMode(byId("mode", HTMLSelectElement).value));
byId("zoom-in").addEventListener("click", () => chart?.zoom(0.5));
byId("zoom-out").addEventListener("click", () => chart?.zoom(2));
byId("zoom-all").addEventListener("click", () => chart?.show(0, chart.length));
byId("mark").addEventListener("click", () => markers.add());
byId("mark-span").addEventListener("click", () => markers.span());
byId("track-edit").addEventListener("submit", (event) => {
  event.preventDefault();
  const values = { name: byId("track-name", HTMLInputElement).value, not_a_face: byId("track-no", HTMLInputElement).checked };
  if (selected != null) change(() => api.edit(/** @type {number} */ (selected), values));
});
byId("neutral").addEventListener("click", () => {
  const span = markers.latestSpan() ?? { start: now() };
  if (selected != null) change(() => api.setNeutral(/** @type {number} */ (selected), span));
});
byId("neutral-off").addEventListener("click", () => {
  if (selected != null) change(() => api.setNeutral(/** @type {number} */ (selected), null));
});
byId("split").addEventListener("click", () => {
  if (selected != null) change(() => api.split(/** @type {number} */ (selected), now()));
});
byId("merge").addEventListener("change", () => {
  const other = Number(byId("merge", HTMLSelectElement).value);
  if (selected != null && other) change(() => api.merge(/** @type {number} */ (selected), other));
});
if (player) enablePlayer(player);
enableKeys({
  toggle: player && toggle,
  pause: () => player?.pause(),
  jump: (seconds) => seek(now() + seconds),
  step: (frames) => {
    player?.pause();
    seek(now() + frames / (analysis.video?.frame_rate ?? 10));
  },
  mark: () => markers.add(),
  span: () => markers.span(),
});

/** Load the state; an event may have been lost. */
async function reload() {
  try {
    const state = await getAnalysis(analysis.id);
    if (state.sequence > analysis.sequence) update(state);
  } catch (error) {
    if (error.status === 404) leave();
    else throw error;
  }
}

/** @param {Analysis} state */
function update(state) {
  const ended = unfinished() && !["queued", "running"].includes(state.status);
  show(state);
  if (ended) {
    byId("status").textContent = player ? "The video has been read." : "The session has ended.";
    overlay?.reset();
  }
}

function leave() {
  location.assign(view.dataset.history ?? "/");
}

byId("legend").replaceChildren(...EMOTIONS.map((emotion) => {
  const item = document.createElement("li");
  item.dataset.emotion = emotion;
  item.textContent = emotionName(emotion);
  return item;
}));
enableDeletion(byId("delete"), analysis, leave);
show(analysis);
markers.load(byId("markers", HTMLUListElement), () => fromTemplate("marker-template"));
enableEntry(analysis.id, show);
watchAnalyses({
  waiting: unfinished,
  reload,
  onChanged: (state) => state.id === analysis.id && state.sequence > analysis.sequence && update(state),
  onDeleted: (id) => id === analysis.id && leave(),
});
