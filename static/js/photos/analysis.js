/* The page of one analysis: waits for the result, then shows it. */
import { byId, readData } from "../shared/elements.js";
import { announce } from "../shared/announce.js";
import { cancelAnalysis, getAnalysis, retryAnalysis } from "../shared/api.js";
import { enableDeletion } from "../shared/dialog.js";
import { CorrectionForm } from "./correction.js";
import { correctionText, emotionName, percent } from "../shared/emotions.js";
import { enableEntry, showEntry } from "../shared/entry.js";
import { FaceList } from "./face-list.js";
import { watchAnalyses } from "../shared/feed.js";
import { icon } from "../shared/icons.js";
import { showMeasures } from "../shared/measures.js";
import { showNotices } from "../shared/notices.js";
import { MeshDrawing } from "./mesh.js";
import { FaceOverlay } from "./overlay.js";
import { ProbabilityView } from "./probabilities.js";
import { doubt } from "../shared/quality.js";
import { Zoom } from "./zoom.js";

/** @typedef {import("../shared/api.js").Analysis} Analysis */

/** Photos with this many faces can be enlarged. */
const CROWD = 5;

const view = byId("analysis-view");
const overlay = new FaceOverlay(byId("overlay"), select, point);
const list = new FaceList(byId("face-list"), select, point);
const correction = new CorrectionForm(byId("correction"), reload);
const mesh = new MeshDrawing(byId("mesh", SVGElement), byId("mesh-switch", HTMLInputElement));
const zoom = new Zoom(byId("zoom-frame"), byId("stage"), byId("zoom"));

/** @type {Analysis} */
let analysis = readData("analysis");
/** @type {ProbabilityView|null} */
let probabilities = null;

const unfinished = () => analysis.status === "queued" || analysis.status === "running";

/** @param {Analysis} state */
function show(state) {
  analysis = state;
  const { status } = state;
  view.dataset.view = status;
  byId("waiting").hidden = !unfinished();
  byId("failure").hidden = status !== "failed" && status !== "canceled";
  byId("result").hidden = status !== "succeeded";
  showReadout(state);
  showEntry(state);
  showNotices(byId("notices"), state.notices);
  if (status === "queued") byId("waiting-title").textContent = "Queued";
  if (status === "running") byId("waiting-title").textContent = "Looking for faces";
  if (status === "failed" || status === "canceled") showFailure(state);
  if (status === "succeeded") showResult(state);
}

/** @param {Analysis} state */
function showFailure({ status, error, retryable }) {
  const read = error?.code === "gave_up" ? "The analysis failed" : "This photo couldn't be read";
  byId("failure-title").textContent = status === "canceled" ? "This analysis was canceled" : read;
  byId("failure-message").textContent = error?.message ?? "";
  byId("failure-help").hidden = retryable; // if so, the photo is fine
  byId("retry").hidden = !retryable;
}

/** @param {Analysis} state with faces */
function showResult({ faces = [], width, height, photo_url: photoUrl }) {
  if (width == null || height == null) return;
  const photo = byId("photo", HTMLImageElement);
  photo.width = width;
  photo.height = height;
  byId("stage").style.setProperty("--ratio", String(width / height));
  showPhoto(photo, photoUrl);
  byId("no-face").hidden = faces.length > 0;
  byId("face-reading").hidden = faces.length === 0;
  byId("faces").hidden = faces.length < 2;
  byId("zoom").hidden = faces.length < CROWD;
  if (!faces.length) return;
  probabilities ??= new ProbabilityView(byId("chart", HTMLCanvasElement), byId("values", HTMLTableSectionElement));
  // Keep the focus on the same face after rendering.
  const focused = [overlay, list].find(({ buttons }) => buttons.some((button) => button === document.activeElement));
  overlay.render(faces, width, height);
  list.render(faces);
  mesh.show(analysis);
  select(Math.min(overlay.selected, faces.length - 1));
  focused?.buttons[overlay.selected].focus({ preventScroll: true });
}

/** The photo, or an empty sheet of its shape if none was kept. @param {HTMLImageElement} photo @param {string|null} url */
function showPhoto(photo, url) {
  // A photo that was blurred has the same address as before.
  const address = url && analysis.keep === "blurred" ? `${url}?blurred` : url;
  byId("not-kept").hidden = address !== null;
  photo.hidden = address === null;
  if (!address) photo.removeAttribute("src");
  else if (photo.getAttribute("src") !== address) photo.src = address;
}

/** Choose a face: in the photo, in the list, for the chart and for a correction. @param {number} index */
function select(index) {
  overlay.select(index);
  zoom.reveal(overlay.buttons[index]);
  list.select(index);
  correction.show(analysis.faces ?? [], index);
  showReading(index);
}

/** Show what the pointer is on, and afterwards the chosen face again. @param {number} index or -1 */
function point(index) {
  overlay.point(index);
  list.point(index);
  showReading(index < 0 ? overlay.selected : index);
}

/** @param {number} index */
function showReading(index) {
  const { faces = [] } = analysis;
  const { emotion, probabilities: values, quality, correction: said } = faces[index];
  byId("reading-which").textContent = `Face ${index + 1} of ${faces.length}`;
  byId("reading-correction").hidden = !said;
  byId("reading-correction").textContent = said ? correctionText(faces[index]) : "";
  byId("quality").hidden = faces.length === 1 && !quality.length;
  byId("quality").textContent = quality.length ? doubt(quality) : "";
  byId("reading-title").dataset.emotion = emotion;
  byId("reading-glyph").replaceChildren(icon(`face-${emotion}`));
  byId("reading-emotion").textContent = emotionName(emotion);
  byId("reading-probability").textContent = percent(values[emotion]);
  probabilities?.show(values);
  showMeasures(byId("measure-rows"), faces[index].measures);
}

/** @param {Analysis} state */
function showReadout({ status, width, height, face_count: faces, model_version: model, milliseconds }) {
  const done = status === "succeeded";
  byId("meta-size").textContent = width ? `${width} × ${height} px` : "–";
  byId("meta-faces").textContent = done ? String(faces) : "–";
  byId("meta-model").textContent = model ? `Version ${model}` : "–";
  if (!done || !milliseconds) return;
  const steps = ["decode", "detect", "classify", "measure"].filter((step) => step in milliseconds);
  const total = steps.reduce((sum, step) => sum + milliseconds[step], 0);
  const parts = steps.map((step) => `${step} ${Math.round(milliseconds[step])}`).join(" · ");
  const detail = Object.assign(document.createElement("small"), { textContent: parts });
  byId("meta-time").replaceChildren(`${Math.round(total)} ms`, detail);
}

/** Load the state; events don't include the faces. */
async function reload() {
  try {
    const state = await getAnalysis(analysis.id);
    if (state.sequence <= analysis.sequence) return;
    const { status } = analysis;
    show(state);
    if (state.status !== status) tell();
  } catch (error) {
    if (error.status === 404) leave();
    else throw error;
  }
}

/** Announce the change to screen readers. */
function tell() {
  const { status, faces } = analysis;
  /** @type {Record<string, string>} */
  const texts = {
    running: "Looking for faces.",
    canceled: "Canceled.",
    failed: `This photo couldn't be read. ${analysis.error?.message ?? ""}`,
    succeeded: faces?.length
      ? `Done. ${faces.length === 1 ? "One face" : `${faces.length} faces`} found.`
      : "Done. No face was found.",
  };
  byId("status").textContent = texts[status] ?? "";
}

function leave() {
  location.assign(view.dataset.history ?? "/");
}

/**
 * @param {HTMLButtonElement} button
 * @param {(id: string) => Promise<Analysis>} action
 */
function enable(button, action) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const state = await action(analysis.id);
      if (state.sequence > analysis.sequence) show(state);
    } catch (error) {
      announce(error.message);
      await reload();
    } finally {
      button.disabled = false;
    }
  });
}

enableDeletion(byId("delete"), analysis, leave);
enable(byId("cancel"), cancelAnalysis);
enable(byId("retry"), retryAnalysis);

show(analysis);
enableEntry(analysis.id, show);
watchAnalyses({
  waiting: unfinished,
  reload,
  onChanged: (state) => {
    if (state.id !== analysis.id || state.sequence <= analysis.sequence) return;
    // If this fails, the feed tries again because the page is still waiting.
    if (state.status === "succeeded") reload().catch(() => {});
    else {
      show({ ...state, faces: [] });
      tell();
    }
  },
  onDeleted: (id) => id === analysis.id && leave(),
});
