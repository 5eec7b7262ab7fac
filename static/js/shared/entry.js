/* What a person adds to an analysis: title, notes, tags; and reading the photo again. */
import { announce } from "./announce.js";
import { editAnalysis, rerunAnalysis } from "./api.js";

/** @typedef {import("./api.js").Analysis} Analysis */

const form = /** @type {HTMLFormElement} */ (document.getElementById("entry"));
const { title, tags, notes } = form.elements;
const problem = document.getElementById("entry-error");
/** What was shown last, to tell what the person has changed since. */
let shown = { title: "", tags: "", notes: "" };

const written = () => ({ title: title.value, tags: tags.value, notes: notes.value });
const listed = (text) => [...new Set(text.split(",").map((tag) => tag.trim()).filter(Boolean))];

/**
 * Show what is stored; a field that is being changed keeps what was written.
 * @param {Analysis} analysis
 */
export function showEntry(analysis) {
  const stored = { title: analysis.title, tags: analysis.tags.join(", "), notes: analysis.notes };
  for (const [name, value] of Object.entries(stored)) {
    const field = form.elements[name];
    if (field.value === shown[name]) field.value = value;
  }
  shown = stored;
  document.getElementById("title").textContent = analysis.title;
  document.getElementById("take").hidden = analysis.status !== "succeeded";
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
      shown = values; // so that the fields take what was stored
      showEntry(analysis);
      onChanged(analysis);
      announce("Saved.");
    } catch (error) {
      problem.firstElementChild.textContent = error.message;
      problem.hidden = false;
    }
  });
  addEventListener("beforeunload", (event) => {
    const values = written();
    if (Object.keys(values).some((name) => values[name] !== shown[name])) event.preventDefault();
  });
  document.getElementById("rerun")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const version = Number(document.getElementById("rerun-version").value);
      const again = await rerunAnalysis(id, version);
      location.assign(again.url);
    } catch (error) {
      announce(error.message);
    }
  });
}
