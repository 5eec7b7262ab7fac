/* The history: cards that keep themselves up to date. */
import { getAnalysis, listAnalyses } from "./api.js";
import { enableDelete, fillCard, findCard, isWaiting, newCard, removeCard } from "./cards.js";
import { watchAnalyses } from "./feed.js";

const list = document.getElementById("history");
const isFirstPage = list.dataset.page === "1";

const waitingCards = () => [...list.children].filter(isWaiting);

/** @param {import("./api.js").Analysis} analysis */
function show(analysis) {
  const card = findCard(analysis.id);
  if (card) {
    fillCard(card, analysis);
  } else if (isFirstPage && isNewest(analysis)) {
    const fresh = newCard();
    fillCard(fresh, analysis);
    list.prepend(fresh);
    count(1);
  }
}

/** Whether an analysis belongs above all that is shown. */
function isNewest(analysis) {
  const first = list.querySelector("time");
  return !first || new Date(analysis.created_at) > new Date(first.getAttribute("datetime"));
}

/** Keep the number over the list right. @param {number} change */
function count(change) {
  const line = document.getElementById("count");
  const entries = Number(line.dataset.count) + change;
  line.dataset.count = String(entries);
  line.textContent = entries ? `${entries} entr${entries === 1 ? "y" : "ies"}` : "";
  const empty = list.children.length === 0;
  list.hidden = empty;
  document.getElementById("empty").hidden = !empty;
}

async function reload() {
  if (isFirstPage) {
    const { results } = await listAnalyses();
    for (const analysis of results.reverse()) show(analysis);
  }
  for (const card of waitingCards()) {
    try {
      show(await getAnalysis(card.dataset.id));
    } catch (error) {
      if (error.status === 404) forget(card.dataset.id);
      else throw error;
    }
  }
}

function forget(id) {
  const card = findCard(id);
  if (!card) return;
  removeCard(card);
  count(-1);
}

enableDelete(list, () => count(-1));
watchAnalyses({ waiting: () => waitingCards().length > 0, reload, onChanged: show, onDeleted: forget });
