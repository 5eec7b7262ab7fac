/* The history: live cards, and filters in the query string. */
import { byId, childrenOf, findAll, readData, seek } from "../shared/elements.js";
import { listAnalyses, readAnalyses } from "../shared/api.js";
import { enableDelete, fillCard, findCard, isWaiting, newCard, removeCard } from "./cards.js";
import { offerFile } from "./exporting.js";
import { watchAnalyses } from "../shared/feed.js";
import { countSelected, enableSelection } from "./selection.js";

const list = byId("history");
/** Whether new analyses belong on this page: the first one, without filters. */
const followsNew = list.dataset.follows === "new";

const waitingCards = () => childrenOf(list).filter(isWaiting);

/** @param {import("../shared/api.js").Analysis} analysis */
function show(analysis) {
  const card = findCard(analysis.id);
  if (card) {
    fillCard(card, analysis);
  } else if (followsNew && isNewest(analysis)) {
    const fresh = newCard();
    fillCard(fresh, analysis);
    list.prepend(fresh);
    count(1);
  }
}

/**
 * Whether an analysis belongs at the top of the list.
 * @param {import("../shared/api.js").Analysis} analysis
 */
function isNewest(analysis) {
  const first = /** @type {HTMLTimeElement|null} */ (seek(list, "time"));
  return !first || new Date(analysis.created_at) > new Date(first.dateTime);
}

/** Update the number above the list. @param {number} change */
function count(change) {
  const line = byId("count");
  const entries = Number(line.dataset.count) + change;
  if (!("cut" in line.dataset)) { // there are more than were counted
    line.dataset.count = String(entries);
    line.textContent = entries ? `${entries} entr${entries === 1 ? "y" : "ies"}` : "";
  }
  const empty = list.children.length === 0;
  if (empty && entries) {
    location.reload(); // items of later pages move up
    return;
  }
  list.hidden = empty;
  byId("export").hidden = !entries;
  byId("empty").hidden = !empty;
}

/** Reload what is shown, and drop what was deleted elsewhere. */
async function reload() {
  const shown = childrenOf(list).map((card) => card.dataset.id ?? "");
  const found = await readAnalyses(shown);
  const there = new Set(found.map(({ id }) => id));
  found.forEach(show);
  for (const id of shown) if (!there.has(id)) forget(id);
  if (!followsNew) return;
  const { results } = await listAnalyses();
  for (const analysis of results.reverse()) show(analysis);
}

/**
 * @param {string} id
 */
function forget(id) {
  const card = findCard(id);
  if (card) drop(card);
}

/**
 * @param {HTMLElement} card
 */
function drop(card) {
  removeCard(card);
  count(-1);
  countSelected();
}

const filters = byId("filters", HTMLFormElement);
// Leave empty fields out of the query string.
filters.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (!value) formData.delete(name);
});
for (const select of findAll(filters, "select")) {
  select.addEventListener("change", () => filters.requestSubmit());
}

byId("export").addEventListener("click", () => {
  const narrowed = readData("filters-data");
  const entries = Number(byId("count").dataset.count);
  const words = Object.keys(narrowed).length ? "that match the filters" : "of your history";
  if ("cut" in byId("count").dataset) offerFile(`all entries ${words}`, narrowed);
  else offerFile(entries === 1 ? `the one entry ${words.replace("match", "matches")}` : `all ${entries.toLocaleString()} entries ${words}`, narrowed);
});

enableDelete(list, drop);
enableSelection(drop);
watchAnalyses({ waiting: () => waitingCards().length > 0, reload, onChanged: show, onDeleted: forget });
