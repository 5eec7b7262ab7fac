/* The user's title, notes and tags of an analysis; analyzing it again; and what is kept of its picture. */
import { byId, find } from "./elements.js";
import { announce } from "./announce.js";
import { ask } from "./ask.js";
import { blurAnalysis, editAnalysis, forgetPicture, rerunAnalysis } from "./api.js";

/** @typedef {import("./api.js").Analysis} Analysis */

const form = byId("entry", HTMLFormElement);
/** @type {Record<string, HTMLInputElement>} */
const { title, tags, notes } = /** @type {any} */ (form.elements);
const problem = byId("entry-error");
/** What was shown last, to detect the user's changes. */
/** @type {Record<string, string>} */
let shown = { title: "", tags: "", notes: "" };

const written = () => ({ title: title.value, tags: tags.value, notes: notes.value });
/** @param {string} text */
const listed = (text) => [...new Set(text.split(",").map((tag) => tag.trim()).filter(Boolean))];

/**
 * Show the stored values; fields being edited keep their text.
 * @param {Analysis} analysis
 */
export function showEntry(analysis) {
  const stored = { title: analysis.title, tags: analysis.tags.join(", "), notes: analysis.notes };
  for (const [name, value] of Object.entries(stored)) {
    const field = { title, tags, notes }[name];
    if (field?.value === shown[name]) field.value = value;
  }
  shown = stored;
  byId("title").textContent = analysis.title;
  byId("take").hidden = analysis.status !== "succeeded";
  showPicture(analysis);
}

/** Offer to blur or delete the picture while there is one. @param {Analysis} analysis */
function showPicture({ status, keep, photo_url: photo, video }) {
  const actions = document.getElementById("picture");
  if (!actions) return;
  actions.hidden = status !== "succeeded" || !(photo || video?.media_url);
  byId("blur").hidden = keep === "blurred";
}

/** @param {string} id @param {(analysis: Analysis) => void} onChanged */
function enablePicture(id, onChanged) {
  if (!document.getElementById("picture")) return;
  /** @param {string} button @param {{title: string, text: string, yes: string}} question @param {(id: string) => Promise<Analysis>} act @param {string} done */
  const offer = (button, question, act, done) => byId(button).addEventListener("click", async () => {
    if (!(await ask({ ...question, danger: true }))) return;
    try {
      onChanged(await act(id));
      announce(done);
    } catch (error) {
      announce(error.message);
    }
  });
  offer("blur", {
    title: "Blur the faces?",
    text: "Every face that was found becomes a mosaic in the stored copy. The numbers stay. You can't undo this.",
    yes: "Blur",
  }, blurAnalysis, "The faces are being blurred.");
  offer("forget", {
    title: "Delete the picture?",
    text: "The stored copy is deleted for good. The numbers stay in your history.",
    yes: "Delete",
  }, forgetPicture, "The picture is deleted. The numbers are still here.");
}

/**
 * @param {string} id
 * @param {(analysis: Analysis) => void} onChanged
 */
export function enableEntry(id, onChanged) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    const values = written();
    try {
      const edit = { title: values.title, notes: values.notes, tags: listed(values.tags) };
      const analysis = await editAnalysis(id, edit);
      shown = values; // so the fields take the stored values
      showEntry(analysis);
      onChanged(analysis);
      announce("Saved.");
    } catch (error) {
      find(problem, ":first-child").textContent = error.message;
      problem.hidden = false;
    }
  });
  enablePicture(id, onChanged);
  addEventListener("beforeunload", (event) => {
    /** @type {Record<string, string>} */
    const values = written();
    if (Object.keys(values).some((name) => values[name] !== shown[name])) event.preventDefault();
  });
  document.getElementById("rerun")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const version = Number(byId("rerun-version", HTMLSelectElement).value);
      const again = await rerunAnalysis(id, version);
      location.assign(again.url);
    } catch (error) {
      announce(error.message);
    }
  });
}
