/* The Live page: camera, frames out, results in, and drawing. */
import { byId, find, findAll, readData } from "../shared/elements.js";
import { announce } from "../shared/announce.js";
import { cameraId, closeCamera, listCameras, openCamera } from "./camera.js";
import { FrameCapture } from "./capture.js";
import { LiveFaces } from "./faces.js";
import { LiveOverlay } from "./overlay.js";
import { Pace } from "./pace.js";
import { Place } from "./place.js";
import { Recorder, canRecord } from "./recorder.js";
import { bindSlider, loadSettings, saveSettings } from "./settings.js";
import { LiveSocket } from "./socket.js";
import { currentState, showState } from "./states.js";
import { Tracks } from "./tracks.js";
import { duration } from "../shared/times.js";

const video = byId("video", HTMLVideoElement);
const keep = byId("keep", HTMLInputElement);
const limits = readData("limits");
const settings = loadSettings();

const tracks = new Tracks();
const overlay = new LiveOverlay(byId("overlay"), video);
const faces = new LiveFaces(tracks);
const capture = new FrameCapture(video);
const pace = new Pace(Math.min(settings.rate, limits.rate));
const place = new Place(settings);

/** Milliseconds that a recording waits for the server to keep the session. */
const ANSWER_WITHIN = 5000;

/** @type {MediaStream|null} */
let stream = null;
/** @type {LiveSocket|null} */
let socket = null;
/** @type {Recorder|null} */
let recorder = null;
let paused = false;
let pausedAt = 0;
/** Addresses of sessions kept since the camera was started. @type {Set<string>} */
const kept = new Set();
/** The session that is being kept, and when that began (performance.now). @type {{id: string, since: number}|null} */
let keeping = null;
/** Waits for the session that a recording needs. */
let whenKept = () => {};

async function start() {
  showState("asking");
  kept.clear();
  keeping = null;
  showKept();
  place.hold(true);
  const loaded = place.load();
  try {
    await useCamera(settings.camera);
  } catch (error) {
    finish(error.code ?? "in-use");
    return;
  }
  if (place.isDevice) showState("loading");
  const trouble = await loaded;
  if (trouble) finish(trouble);
  else if (!stream) place.release(); // the page was left meanwhile
  if (!stream) return;
  setPaused(false);
  socket = new LiveSocket(
    { onStatus, onCreated, onUpdated, onRefused, onResult, onMissed }, { takesPictures: !place.isDevice },
  );
  showStatus();
  socket.open();
  showRecording();
  requestAnimationFrame(draw);
}

/** @param {string} id of a camera; empty for the browser's choice */
async function useCamera(id) {
  await endRecording(); // of the other camera
  closeCamera(stream);
  stream = null;
  const opened = await openCamera(id);
  if (currentState() === "start") { // left meanwhile
    closeCamera(opened);
    return;
  }
  stream = opened;
  stream.getVideoTracks()[0].addEventListener("ended", () => finish("camera-gone"));
  video.srcObject = stream;
  await video.play();
  byId("stage").style.setProperty("--ratio", String(video.videoWidth / video.videoHeight));
  const cameras = await listCameras();
  const chosen = cameraId(stream);
  byId("camera").replaceChildren(...cameras.map(({ id: value, name }) => new Option(name, value, false, value === chosen)));
  byId("camera-choice").hidden = cameras.length < 2;
}

/** Release camera and connection. @param {string} state the reason */
function finish(state) {
  if (socket) keep.checked = false; // keeping must be requested for each session
  socket?.abandon();
  socket = null;
  release();
  showState(state);
  showKept();
}

function release() {
  endRecording();
  closeCamera(stream);
  stream = null;
  video.srcObject = null;
  place.release();
  place.hold(false);
  tracks.clear();
  faces.show(performance.now());
}

async function stop() {
  const ended = socket;
  socket = null; // stop sending
  release();
  showState("ending");
  const summary = await ended?.close();
  keep.checked = false; // keeping must be requested for each session
  showState("ended");
  byId("ended-kept").hidden = !summary?.kept_url;
  if (summary?.kept_url) byId("ended-kept", HTMLAnchorElement).href = summary.kept_url;
  byId("summary").textContent = summary
    ? `${duration(summary.seconds)} · ${count(summary.frames.analyzed, "frame")} · ${count(summary.tracks, "face")}`
    : "The camera is off.";
  if (summary?.kept_url) kept.add(summary.kept_url);
  showKept();
}

/** Begin or end the recording as the switch says. */
function showRecording() {
  if (byId("record", HTMLInputElement).checked && stream && !recorder && !place.isDevice) {
    byId("recorded").hidden = true;
    recorder = new Recorder(stream, (error) => {
      announce(error.message);
      endRecording();
    }, sessionOfRecording());
  }
  byId("recording").hidden = !recorder;
}

/**
 * The numbers are kept beside a recording: they are shown until it has been read.
 * @returns {Promise<{id: string, start: number}|null>} null if the server doesn't keep them
 */
async function sessionOfRecording() {
  const began = performance.now();
  if (!keeping) {
    const answered = new Promise((resolve) => { whenKept = () => resolve(null); });
    keep.checked = true;
    socket?.update({ keep: true }); // or once the session has been created
    await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ANSWER_WITHIN))]);
  }
  return keeping && { id: keeping.id, start: Math.max(0, (began - keeping.since) / 1000) };
}

/** Send the rest of the recording, and link its analysis. */
async function endRecording() {
  const ending = recorder;
  if (!ending) return;
  recorder = null;
  byId("record", HTMLInputElement).checked = false; // recording must be requested each time
  byId("recording").hidden = true;
  const id = await ending.stop();
  if (!id) return;
  const link = find(byId("recorded"), "a", HTMLAnchorElement);
  link.href = `/analyses/${id}/`;
  link.target = stream ? "_blank" : "";
  byId("recorded").hidden = false;
  announce("The recording is stored and being read.");
}

const count = (/** @type {number} */ number, /** @type {string} */ noun) => `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;

/** One state at a time, most urgent first. */
function showStatus() {
  if (!socket) return;
  if (socket.status === "live" || socket.status === "silent") showState(paused ? "paused" : socket.status);
  else showState(socket.status);
}

/** @param {import("./socket.js").Status} status */
function onStatus(status) {
  if (["bad-frames", "signed-out", "not-agreed", "idle", "crowded"].includes(status)) finish(status);
  else showStatus();
}

function onCreated() {
  pace.reset();
  keeping = null;
  tracks.clear(); // their numbers restart
  const { min_face, smoothing } = settings;
  const mesh = settings.mesh && !place.isDevice;
  socket?.update({ min_face, smoothing, mesh, ...(keep.checked && { keep: true }) });
}

/** @param {import("./socket.js").SessionUpdated} update */
function onUpdated({ settings: confirmed, kept_url: keptUrl }) {
  if (keptUrl) kept.add(keptUrl);
  keep.checked = confirmed.keep;
  const id = confirmed.keep && keptUrl ? keptUrl.split("/").at(-2) ?? "" : "";
  if (id !== (keeping?.id ?? "")) keeping = id ? { id, since: performance.now() } : null;
  whenKept();
  showKept();
}

/** @param {{code: string, message: string}} error */
function onRefused({ code, message }) {
  if (code === "keep_failed") keep.checked = false;
  showKept();
  announce(message);
}

/**
 * @param {import("./socket.js").FrameResult} result
 * @param {number} capturedAt
 * @param {number} roundTrip
 */
function onResult(result, capturedAt, roundTrip) {
  const now = performance.now();
  pace.answered(roundTrip, now);
  if (paused) return;
  tracks.update(result, capturedAt, now);
}

function onMissed() {
  pace.slowDown();
}

/**
 * @param {number} now
 */
async function sendFrame(now) {
  if (!socket?.isReady || paused || document.hidden || !pace.isDue(now)) return;
  const used = socket;
  if (place.isDevice) {
    await readFrame(used, now);
    return;
  }
  const picture = await capture.take(limits.frame_bytes - 4);
  if (!picture || used !== socket) return;
  pace.sent(now);
  socket.send(picture, now);
}

/**
 * Read a frame on this device, and send what was found.
 * @param {LiveSocket} used
 * @param {number} now
 */
async function readFrame(used, now) {
  const { engine } = place;
  if (!engine || engine.isBusy || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
  pace.sent(now);
  try {
    const found = await engine.read(video, settings.min_face, now);
    if (used === socket && !paused) used.sendFaces(found, now);
  } catch (error) {
    if (used === socket) finish(place.stateAfter(error));
  }
}

let measuredAt = 0;

/** Draw while the camera is on. */
function draw() {
  if (!stream) {
    overlay.draw([], null, performance.now());
    showReadout(null);
    return;
  }
  requestAnimationFrame(draw);
  const now = performance.now();
  if (!paused) tracks.advance(now);
  overlay.draw(tracks.all.values(), faces.selected, now);
  faces.show(paused ? pausedAt : now);
  if (now - measuredAt < 500) return;
  measuredAt = now;
  showReadout(now);
}

/** @param {number|null} now */
function showReadout(now) {
  const measured = now !== null && pace.roundTrip !== null && !paused;
  byId("rate").textContent = measured ? pace.rate(now).toFixed(0) : "–";
  byId("round-trip").textContent = measured ? pace.roundTrip?.toFixed(0) ?? "–" : "–";
}

/** The line under the switch: what is kept, and a link to it. */
function showKept() {
  const running = socket !== null;
  byId("keeping").hidden = !(running && keep.checked && kept.size > 0);
  const isNamed = currentState() === "ended" && kept.size === 1; // there is a button for it
  const show = kept.size > 0 && !isNamed && !(running && keep.checked);
  byId("kept").hidden = !show;
  byId("kept").replaceChildren(...[...kept].map((url, index) => {
    const link = document.createElement("a");
    link.href = url;
    link.textContent = kept.size > 1 ? `View the saved session, part ${index + 1}` : "View the saved session";
    if (running) link.target = "_blank"; // this page keeps running
    return link;
  }));
}

/**
 * @param {boolean} wanted
 */
function setPaused(wanted) {
  paused = wanted;
  pausedAt = performance.now();
  if (paused) video.pause();
  else video.play().catch(() => {});
  tracks.updatedAt = pausedAt; // a pause doesn't make results stale
  const [pause, resume] = [byId("pause"), byId("resume")];
  const hadFocus = [pause, resume].some((button) => button === document.activeElement);
  pause.hidden = paused;
  resume.hidden = !paused;
  if (hadFocus) (paused ? resume : pause).focus({ preventScroll: true });
  showStatus();
}

/** @param {boolean} mirrored */
function setMirrored(mirrored) {
  settings.mirrored = mirrored;
  saveSettings(settings);
  overlay.mirrored = mirrored;
  video.classList.toggle("mirrored", mirrored);
  byId("mirror").setAttribute("aria-pressed", String(mirrored));
}

/**
 * @param {"rate"|"min_face"|"smoothing"} name
 * @param {number} value
 */
function set(name, value) {
  settings[name] = value;
  saveSettings(settings);
  if (name === "rate") pace.wanted = value;
  else socket?.update({ [name]: value });
}

for (const button of findAll(document, "[data-start]")) button.addEventListener("click", start);
for (const button of findAll(document, "[data-reconnect]")) {
  button.addEventListener("click", () => socket?.reconnectNow());
}
byId("use-server").addEventListener("click", () => {
  place.choose("server");
  start();
});
byId("stop").addEventListener("click", stop);
byId("pause").addEventListener("click", () => setPaused(true));
byId("resume").addEventListener("click", () => setPaused(false));
byId("mirror").addEventListener("click", () => setMirrored(!settings.mirrored));
keep.addEventListener("change", () => {
  socket?.update({ keep: keep.checked });
  showKept();
});
const record = byId("record", HTMLInputElement);
byId("record-missing").hidden = canRecord();
record.addEventListener("change", () => {
  if (record.checked) showRecording();
  else endRecording();
});
const cameras = byId("camera", HTMLSelectElement);
cameras.addEventListener("change", async () => {
  settings.camera = cameras.value;
  saveSettings(settings);
  try {
    await useCamera(settings.camera);
    setPaused(false);
  } catch (error) {
    finish(error.code ?? "in-use");
  }
});

const rate = byId("rate-setting", HTMLInputElement);
rate.max = String(limits.rate);
bindSlider(rate, pace.wanted, (value) => `${value} a second`, (value) => set("rate", value));
bindSlider(byId("min-face-setting"), settings.min_face, (value) => `${value} pixels`, (value) => set("min_face", value));
bindSlider(byId("smoothing-setting"), settings.smoothing, (value) => `${value.toFixed(1)} s`, (value) => set("smoothing", value));
const mesh = byId("mesh-setting", HTMLInputElement);
mesh.checked = settings.mesh;
mesh.addEventListener("change", () => {
  settings.mesh = mesh.checked;
  saveSettings(settings);
  socket?.update({ mesh: mesh.checked });
});
setMirrored(settings.mirrored);

video.addEventListener("resize", () => { // a phone was turned
  byId("stage").style.setProperty("--ratio", String(video.videoWidth / video.videoHeight));
});
capture.watch(sendFrame);
// Release the camera when leaving, even if the browser keeps the page for the back button.
addEventListener("pagehide", () => finish("start"));
