/* The upload page: each photo gets a card at once, which follows it to its result. */
import { around, byId, childrenOf, find, findAll } from "../shared/elements.js";
import { readAnalyses } from "../shared/api.js";
import { enableDelete, fillCard, findCard, isWaiting, newCard, removeCard, showState, showTitle, whenSeen } from "../history/cards.js";
import { Dashboard } from "../history/dashboard.js";
import { watchAnalyses } from "../shared/feed.js";
import { receiveFiles } from "./intake.js";
import { preview } from "./previews.js";
import { UploadQueue } from "./uploads.js";
import { isVideo } from "../videos/upload.js";

/** @typedef {import("./uploads.js").Upload} Upload */

const batch = byId("batch");
const list = byId("cards");
const recent = byId("recent");
/** The largest photo and the largest video in MB. */
const limits = {
  photo: Number(byId("drop").dataset.maxUploadMb),
  video: Number(byId("drop").dataset.maxVideoMb),
};

/** @type {Map<HTMLElement, Upload>} */
const uploads = new Map();
/** @type {Map<Upload, HTMLElement>} */
const cards = new Map();
/** News about analyses whose upload has not been answered yet. @type {Map<string, any>} */
const early = new Map();

const queue = new UploadQueue(showUpload);

/** @param {File[]} files */
function addFiles(files) {
  const fresh = document.createDocumentFragment();
  for (const file of files) {
    const card = newCard();
    showTitle(card, file.name);
    fresh.append(card);
    const limit = isVideo(file) ? limits.video : limits.photo;
    if (file.size > limit * 1024 ** 2) {
      const size = (file.size / 1024 ** 2).toFixed(1);
      refuse(card, `This file is ${size} MB. The limit is ${limit} MB.`);
      continue;
    }
    const upload = queue.add(file, {
      faces: byId("faces", HTMLSelectElement).value,
      detail: byId("detail", HTMLSelectElement).value,
      keep: byId("keep", HTMLSelectElement).value,
      ...(document.getElementById("project") && { project: byId("project", HTMLSelectElement).value }),
      ...(byId("detector", HTMLSelectElement).value && { detector: byId("detector", HTMLSelectElement).value }),
      fps: byId("fps", HTMLSelectElement).value,
      audio: String(byId("audio", HTMLInputElement).checked),
    });
    uploads.set(card, upload);
    cards.set(upload, card);
    showState(card, { text: "Waiting to upload" });
    if (!upload.isVideo) whenSeen(card, () => preview(file, find(card, ".thumb")));
  }
  batch.hidden = false;
  list.prepend(fresh);
  showProgress();
  batch.scrollIntoView({ block: "nearest" });
}

/** @param {HTMLElement} card @param {string} message */
function refuse(card, message) {
  card.dataset.status = "failed";
  showState(card, { glyph: "alert", text: message });
  find(card, "[data-delete]").hidden = false;
}

/** @param {Upload} upload */
function showUpload(upload) {
  const card = cards.get(upload);
  if (!card) return;
  const bar = find(card, "progress", HTMLProgressElement);
  const sending = upload.state === "sending";
  bar.hidden = !sending;
  bar.value = upload.fraction;
  const pause = find(card, "[data-pause]");
  pause.hidden = !(upload.isVideo && (sending || upload.state === "paused"));
  find(pause, "span").textContent = upload.state === "paused" ? "Resume" : "Pause";
  find(card, "[data-retry]").hidden = !(upload.state === "refused" && upload.canRetry);
  if (upload.state === "waiting") {
    card.dataset.status = "";
    showState(card, { text: "Waiting to upload" });
  } else if (sending) {
    const sent = Math.round(upload.fraction * 100);
    showState(card, { text: sent < 100 ? `Uploading, ${sent}%` : "Checking" });
  } else if (upload.state === "paused") {
    showState(card, { text: `Paused at ${Math.round(upload.fraction * 100)}%` });
  } else if (upload.state === "pausing") {
    showState(card, { glyph: "retry", text: "No connection. Retrying soon" });
  } else if (upload.state === "refused") {
    refuse(card, upload.error?.message ?? "");
  } else if (upload.analysis) {
    fillCard(card, upload.analysis);
    const news = early.get(upload.analysis.id);
    early.delete(upload.analysis.id);
    if (news) fillCard(card, news);
  }
  if (!sending) showProgress();
}

let progressFrame = 0;
let progressTimer = 0;
let announced = "";

/** The status of the batch; announced to screen readers at most every two seconds. */
function showProgress() {
  cancelAnimationFrame(progressFrame);
  progressFrame = requestAnimationFrame(() => {
    const all = childrenOf(list);
    const failed = all.filter((card) => card.dataset.status === "failed").length;
    const done = all.filter((card) => ["succeeded", "canceled"].includes(card.dataset.status ?? "")).length;
    const text = `${done + failed} of ${all.length} done${failed ? `, ${failed} failed` : ""}`;
    byId("batch-count").textContent = text;
    const bar = byId("batch-progress", HTMLProgressElement);
    bar.max = Math.max(1, all.length);
    bar.value = done + failed;
    bar.classList.toggle("complete", done + failed === all.length);
    const retriable = all.some((card) => !find(card, "[data-retry]").hidden);
    byId("retry-all").hidden = !retriable;
    batch.hidden = all.length === 0;
    if (text === announced || progressTimer) return;
    progressTimer = setTimeout(() => {
      progressTimer = 0;
      announced = byId("batch-count").textContent;
      byId("batch-status").textContent = announced;
    }, 2000);
  });
}

/** @param {import("../shared/api.js").Analysis} analysis */
function show(analysis) {
  const card = findCard(analysis.id);
  if (card) {
    if (fillCard(card, analysis)) showProgress();
  } else if ([...uploads.values()].some((upload) => upload.state === "sending")) {
    early.set(analysis.id, analysis);
  }
}

const waitingCards = () => findAll(document, ".analysis[data-id]").filter(isWaiting);

/** Reload what is shown, and drop what was deleted elsewhere. */
async function reload() {
  const shown = findAll(document, ".analysis[data-id]").map((card) => card.dataset.id ?? "");
  const ids = shown.filter(Boolean); // photos still uploading have none
  const found = await readAnalyses(ids);
  const there = new Set(found.map(({ id }) => id));
  found.forEach(show);
  for (const id of ids) if (!there.has(id)) forget(id);
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
  const upload = uploads.get(card);
  if (upload) {
    queue.drop(upload);
    cards.delete(upload);
  }
  uploads.delete(card);
  showProgress();
  const section = recent.closest("section");
  if (section) section.hidden = recent.children.length === 0;
}

list.addEventListener("click", (event) => {
  const card = around(event, "[data-retry]") && around(event, ".analysis");
  const upload = card && uploads.get(card);
  if (upload) queue.retry(upload);
});
list.addEventListener("click", (event) => {
  const card = around(event, "[data-pause]") && around(event, ".analysis");
  const upload = card && uploads.get(card);
  if (upload) queue.toggle(upload);
});
byId("retry-all").addEventListener("click", () => {
  for (const upload of uploads.values()) {
    if (upload.state === "refused" && upload.canRetry) queue.retry(upload);
  }
});
addEventListener("beforeunload", (event) => {
  const pending = [...uploads.values()].some(({ state }) => ["waiting", "sending", "pausing", "paused"].includes(state));
  if (pending) event.preventDefault();
});

receiveFiles(addFiles);
enableDelete(list, drop);
enableDelete(recent, drop);
const dashboard = new Dashboard(byId("dashboard"));
watchAnalyses({
  waiting: () => waitingCards().length > 0,
  async reload() {
    dashboard.refresh();
    await reload();
  },
  onChanged(analysis) {
    dashboard.refresh();
    show(analysis);
  },
  onDeleted(id) {
    dashboard.refresh();
    forget(id);
  },
});
