/* The cards of analyses: the server's HTML template, filled in from their state. */
import { around, find, findAll, fromTemplate, seek } from "../shared/elements.js";
import { getAnalysis } from "../shared/api.js";
import { deleteSoon } from "../shared/deletions.js";
import { emotionName, percent } from "../shared/emotions.js";
import { icon } from "../shared/icons.js";
import { duration, showTime } from "../shared/times.js";

/** @typedef {import("../shared/api.js").Analysis} Analysis */

const UNFINISHED = new Set(["queued", "running"]);

/** @param {HTMLElement} card */
export const isWaiting = (card) => UNFINISHED.has(card.dataset.status ?? "");

/** An empty card. */
export const newCard = () => fromTemplate("card-template");

/**
 * The status line of an analysis.
 * @param {Analysis} analysis
 * @returns {{glyph: string|null, text: string, more?: string}}
 */
function describe({ kind, status, emotion, face_count: faces, seconds, error, video }) {
  const isSession = kind === "webcam";
  if (isSession && status === "running") return { glyph: null, text: "Recording" };
  if (status === "queued") return { glyph: "clock", text: "Queued" };
  if (status === "running") {
    return { glyph: null, text: video ? `Reading, ${percent(video.share)}` : "Looking for faces" };
  }
  if (status === "canceled") return { glyph: null, text: "Canceled" };
  if (status === "failed") return { glyph: "alert", text: error?.message ?? "Failed." };
  const length = kind !== "image" ? ` · ${duration(seconds ?? 0)}` : "";
  if (!emotion) return { glyph: null, text: "No face found", more: length };
  const more = (faces > 1 ? ` · ${faces} faces` : "") + length;
  return { glyph: `face-${emotion}`, text: emotionName(emotion), more };
}

/**
 * @param {HTMLElement} card
 * @param {{glyph?: string|null, text: string, more?: string}} state
 */
export function showState(card, { glyph = null, text, more = "" }) {
  const line = document.createElement("span");
  line.textContent = text;
  if (more) line.append(Object.assign(document.createElement("small"), { textContent: more }));
  find(card, "[data-state]").replaceChildren(...(glyph ? [icon(glyph)] : []), line);
}

/**
 * @param {HTMLElement} card
 * @param {string} title
 */
export function showTitle(card, title) {
  find(card, ".analysis-title").textContent = title;
  find(card, "[data-delete] span").textContent = `Delete ${title}`;
  find(card, "[data-retry] span").textContent = `Retry ${title}`;
  const select = seek(card, ".card-select span");
  if (select) select.textContent = `Select ${title}`;
}

/** @param {HTMLElement} card @returns {string[]} */
export const tagsOf = (card) =>
  findAll(card, "[data-tags] a").map((link) => link.textContent);

/**
 * @param {HTMLElement} card
 * @param {string[]} tags each becomes a link to all analyses with it
 */
function showTags(card, tags) {
  const line = find(card, "[data-tags]");
  line.hidden = tags.length === 0;
  line.replaceChildren(...tags.map((tag) => {
    const link = Object.assign(document.createElement("a"), { className: "tag", textContent: tag });
    link.href = `${line.dataset.history}?text=${encodeURIComponent(tag)}`;
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
}

/**
 * Update a card.
 * @param {HTMLElement} card
 * @param {Analysis} analysis
 * @returns {boolean} false if the card already shows this state or a newer one
 */
export function fillCard(card, analysis) {
  const known = card.dataset.id === analysis.id && card.dataset.status !== "";
  if (known && Number(card.dataset.sequence) >= analysis.sequence) return false;
  card.dataset.id = analysis.id;
  card.dataset.status = analysis.status;
  card.dataset.kind = analysis.kind;
  card.dataset.sequence = String(analysis.sequence);
  card.dataset.emotion = analysis.emotion ?? "";
  find(card, "a", HTMLAnchorElement).href = analysis.url;
  showTitle(card, analysis.title);
  showTime(find(card, "time", HTMLTimeElement), analysis.created_at);
  showState(card, describe(analysis));
  showTags(card, analysis.tags);
  find(card, "[data-delete]").hidden = false;
  if (analysis.thumbnail_url) showThumbnail(card, analysis);
  else if (analysis.kind !== "image") find(card, ".thumb").replaceChildren(icon("camera"));
  return true;
}

/**
 * Replace the local preview by the thumbnail once that has loaded.
 * @param {HTMLElement} card
 * @param {Analysis} analysis
 */
async function showThumbnail(card, analysis) {
  const place = find(card, ".thumb");
  if (place.dataset.picture) return;
  place.dataset.picture = "thumbnail";
  const image = new Image(320, 240);
  image.alt = "";
  image.decoding = "async";
  image.src = analysis.thumbnail_url ?? "";
  await image.decode().catch(() => {});
  place.replaceChildren(image);
  if (analysis.face_count && analysis.kind === "image") whenSeen(card, () => frameFaces(place, analysis));
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    target.dispatchEvent(new Event("seen"));
  }
}, { rootMargin: "100px" });

/**
 * @param {HTMLElement} card
 * @param {() => void} action runs once, when the card is near the viewport
 */
export function whenSeen(card, action) {
  card.addEventListener("seen", action, { once: true });
  seen.unobserve(card);
  seen.observe(card);
}

/**
 * Draw the boxes of the faces over a thumbnail.
 * @param {HTMLElement} place
 * @param {Analysis} analysis
 */
async function frameFaces(place, { id, width, height }) {
  if (!width || !height) return;
  const faces = (await getAnalysis(id).catch(() => null))?.faces ?? [];
  const frames = document.createElement("span");
  frames.className = "thumb-frames on-photo";
  // The thumbnail covers its place; the frames cover it in the same way.
  frames.classList.add(width / height > 4 / 3 ? "wide" : "tall");
  frames.style.aspectRatio = `${width} / ${height}`;
  const shown = faces.filter(({ correction }) => correction !== "not_a_face").slice(0, 60);
  for (const { box, emotion, correction } of shown) {
    const frame = document.createElement("span");
    frame.dataset.emotion = correction ?? emotion;
    frame.style.left = `${(100 * box.x) / width}%`;
    frame.style.top = `${(100 * box.y) / height}%`;
    frame.style.width = `${(100 * box.width) / width}%`;
    frame.style.height = `${(100 * box.height) / height}%`;
    frames.append(frame);
  }
  place.append(frames);
}

/**
 * Set up the delete buttons of a list.
 * @param {HTMLElement} list
 * @param {(card: HTMLElement) => void} onDeleted removes the card
 */
export function enableDelete(list, onDeleted) {
  list.addEventListener("click", (event) => {
    const button = around(event, "[data-delete]");
    const card = /** @type {HTMLElement|null|undefined} */ (button?.closest(".analysis"));
    if (!card) return;
    if (card.dataset.id) deleteSoon([card], onDeleted);
    else onDeleted(card); // a refused file exists only here
  });
}

/** @param {HTMLElement} card */
export function removeCard(card) {
  seen.unobserve(card);
  card.remove();
}

/**
 * The card of an analysis, wherever it is on the page.
 * @param {string} id
 * @returns {HTMLElement|null}
 */
export const findCard = (id) => seek(document, `.analysis[data-id="${CSS.escape(id)}"]`);
