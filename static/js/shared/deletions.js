/* Deleting from a list: the cards go at once, what they stand for a few seconds later, so that it
   can be brought back. Leaving the page does not: then the deletion is sent at once. */
import { around, byId, childrenOf, find, seek } from "./elements.js";
import { announce } from "./announce.js";
import { deleteAnalysis } from "./api.js";

const GRACE = 6_000;

const bar = byId("undo");
/** @type {{cards: HTMLElement[], onDeleted: (card: HTMLElement) => void, timer: number}|null} */
let pending = null;

/** @param {ParentNode} card */
const titleOf = (card) => find(card, ".analysis-title").textContent;
/** @param {HTMLElement[]} cards */
const named = (cards) => (cards.length === 1 ? titleOf(cards[0]) : `${cards.length} entries`);

/**
 * The nearest remaining card, for the focus.
 * @param {HTMLElement[]} cards
 */
function neighborOf(cards) {
  const visible = childrenOf(cards[0].parentElement).filter((card) => !card.hidden);
  const at = visible.indexOf(cards[0]);
  const staying = (/** @type {HTMLElement} */ card) => !cards.includes(card);
  return visible.slice(at).find(staying) ?? visible.slice(0, at).reverse().find(staying);
}

/**
 * @param {HTMLElement[]} cards of one list
 * @param {(card: HTMLElement) => void} onDeleted runs when an analysis is gone, to take its card away
 */
export function deleteSoon(cards, onDeleted) {
  if (!cards.length) return;
  commit();
  const neighbor = neighborOf(cards);
  for (const card of cards) card.hidden = true;
  pending = { cards, onDeleted, timer: setTimeout(commit, GRACE) };
  byId("undo-text").textContent = `${named(cards)} will be deleted.`;
  bar.hidden = false;
  ((neighbor && seek(neighbor, "a[href]")) ?? byId("main", HTMLElement)).focus();
}

/** @returns {typeof pending} what was pending and is no longer */
function settle() {
  const settled = pending;
  pending = null;
  bar.hidden = true;
  clearTimeout(settled?.timer);
  return settled;
}

async function commit() {
  const settled = settle();
  if (!settled) return;
  const { cards, onDeleted } = settled;
  const words = named(cards);
  const results = await Promise.allSettled(cards.map((card) => remove(card, onDeleted)));
  const failed = results.find((result) => result.status === "rejected");
  announce(failed ? failed.reason.message : `${words} ${cards.length === 1 ? "was" : "were"} deleted.`);
}

/**
 * @param {HTMLElement} card
 * @param {(card: HTMLElement) => void} onDeleted
 */
async function remove(card, onDeleted) {
  try {
    await deleteAnalysis(card.dataset.id ?? "");
  } catch (error) {
    if (error.status !== 404) {
      card.hidden = false;
      throw error;
    }
  }
  if (card.isConnected) onDeleted(card); // the deletion event may have arrived first
}

function undo() {
  const settled = settle();
  if (!settled) return;
  for (const card of settled.cards) card.hidden = false;
  find(settled.cards[0], "a[href]").focus();
}

byId("undo-button").addEventListener("click", undo);
addEventListener("keydown", (event) => {
  const writing = around(event, "input, textarea, select");
  if (!pending || writing || event.key !== "z" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  undo();
});
addEventListener("pagehide", () => {
  for (const card of settle()?.cards ?? []) {
    deleteAnalysis(card.dataset.id ?? "", { keepalive: true }).catch(() => {});
  }
});
