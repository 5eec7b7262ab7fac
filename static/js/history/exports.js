/* The exports page: filters, progress and file of each. */
import { byId, find, findAll, readData, seek } from "../shared/elements.js";
import { announce } from "../shared/announce.js";
import { emotionName } from "../shared/emotions.js";
import { cancelExport, deleteExport, exportAgain, listExports } from "./exports-api.js";
import { watchExports } from "../shared/feed.js";
import { newRow } from "../shared/rows.js";
import { showTime } from "../shared/times.js";

/** @typedef {import("./exports-api.js").Export} Export */

/** @type {Record<string, string>} */
const FORMATS = { csv: "CSV", csv_excel: "CSV for Excel", xlsx: "Excel", jsonl: "JSON Lines", parquet: "Parquet", mp4: "Annotated video", zip: "Zip" };
/** @type {Record<string, string>} */
const KINDS = { image: "photos", webcam: "webcam sessions", video: "videos" };
/** @type {Record<string, (value: string) => string>} */
const WORDS = {
  text: (text) => `“${text}”`,
  kind: (kind) => KINDS[kind],
  emotion: emotionName,
  status: (status) => `state ${status}`,
  model_version: (number) => `model ${number}`,
  since: (day) => `from ${day}`,
  until: (day) => `until ${day}`,
  created_after: (time) => `from ${time}`,
  created_before: (time) => `before ${time}`,
};

const list = byId("exports");
/** @type {Map<string, Export>} */
const known = new Map();
/** Ids of deleted exports: late events must not bring them back. */
const deleted = new Set();

/** @param {Export} one */
const isUnfinished = ({ status }) => status === "queued" || status === "running";

/** @param {Export} one */
function describe({ filters, selected, format }) {
  if (format === "zip") return "Everything that is yours";
  const parts = Object.keys(WORDS).filter((name) => filters[name]).map((name) => WORDS[name](filters[name]));
  if (selected) parts.unshift(selected === 1 ? "1 selected entry" : `${selected} selected entries`);
  const words = parts.join(", ");
  return words ? words.charAt(0).toUpperCase() + words.slice(1) : "The whole history";
}

/** @param {number} count */
const rows = (count) => `${count.toLocaleString()} row${count === 1 ? "" : "s"}`;

/**
 * @param {number} bytes
 */
function fileSize(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} KB`;
  return `${(bytes / 1e6).toLocaleString(undefined, { maximumFractionDigits: 1 })} MB`;
}

/**
 * A text and a time, as one element.
 * @param {string} words
 * @param {string | null} iso
 */
function at(words, iso) {
  const time = document.createElement("time");
  if (iso) showTime(time, iso);
  const span = document.createElement("span");
  span.append(`${words} `, time);
  return span;
}

/**
 * @param {string} text
 */
function said(text) {
  return Object.assign(document.createElement("span"), { textContent: text });
}

/** @param {Export} one */
function stateOf(one) {
  const { status, error, format, rows_done: done, rows_total: total } = one;
  const isVideo = format === "mp4";
  const isTable = !isVideo && format !== "zip";
  if (status === "queued") return [said("Queued")];
  if (status === "running" && isVideo) return [said(`${Math.floor((100 * done) / (total || 1))}% drawn`)];
  if (status === "running") return [said(total === null ? "Counting" : `${done.toLocaleString()} of ${isTable ? rows(total) : total.toLocaleString()}`)];
  if (status === "failed") return [said(error?.message ?? "")];
  if (status === "canceled") return [said("Canceled")];
  return [...(isTable ? [said(rows(done))] : []), said(fileSize(one.size)), at("made", one.finished_at), at("kept until", one.expires_at)];
}

/** @param {Export} one */
function show(one) {
  const before = known.get(one.id);
  if (deleted.has(one.id)) return;
  if (before && before.sequence >= one.sequence) return;
  known.set(one.id, one);
  let item = seek(list, `[data-id="${one.id}"]`);
  if (!item) {
    item = newRow("export-template", {});
    item.dataset.id = one.id;
    find(item, "[data-cancel]").addEventListener("click", () => change(one.id, cancelExport));
    find(item, "[data-retry]").addEventListener("click", () => change(one.id, exportAgain));
    find(item, "[data-remove]").addEventListener("click", () => remove(one.id));
    list.prepend(item);
  }
  const row = item;
  /** @param {string} name */
  const part = (name) => find(row, `[data-${name}]`);
  item.dataset.status = one.status;
  part("what").textContent = describe(one);
  part("format").textContent = FORMATS[one.format];
  for (const name of findAll(item, "[data-named]")) name.textContent = ` ${describe(one)}`;
  part("state").replaceChildren(...stateOf(one));
  part("progress").hidden = one.status !== "running";
  find(row, "[data-progress]", HTMLProgressElement).value = one.rows_total ? one.rows_done / one.rows_total : 0;
  part("download").hidden = !one.file_url;
  find(row, "[data-download]", HTMLAnchorElement).href = one.file_url ?? "";
  const unfinished = isUnfinished(one);
  const focused = document.activeElement;
  part("codebook").hidden = !one.file_url || !one.codebook_url;
  find(row, "[data-codebook]", HTMLAnchorElement).href = one.codebook_url ?? "";
  part("cancel").hidden = !unfinished;
  part("retry").hidden = !["failed", "canceled"].includes(one.status);
  part("remove").hidden = unfinished;
  if (focused instanceof HTMLElement && item.contains(focused) && focused.hidden) find(item, ".export-actions > :not([hidden])").focus();
  if (before && isUnfinished(before) && one.status === "succeeded") announce("An export is ready.");
  showCount();
}

/**
 * @param {string} id
 */
function forget(id) {
  known.delete(id);
  list.querySelector(`[data-id="${id}"]`)?.remove();
  showCount();
}

/**
 * @param {string} id
 */
function forgetForGood(id) {
  deleted.add(id);
  forget(id);
}

function showCount() {
  list.hidden = known.size === 0;
  byId("empty").hidden = known.size > 0;
  const words = known.size === 1 ? "1 export" : `${known.size} exports`;
  byId("count").textContent = known.size ? words : "";
}

/**
 * @param {(id: string) => Promise<Export>} action
 * @param {string} id
 */
async function change(id, action) {
  try {
    show(await action(id));
  } catch (error) {
    announce(error.message);
  }
}

/**
 * @param {string} id
 */
async function remove(id) {
  try {
    await deleteExport(id);
  } catch (error) {
    if (error.status !== 404) {
      announce(error.message);
      return;
    }
  }
  const item = seek(list, `[data-id="${id}"]`);
  const neighbor = item?.nextElementSibling ?? item?.previousElementSibling;
  forgetForGood(id);
  ((neighbor && seek(neighbor, "[data-remove]:not([hidden])")) ?? byId("main", HTMLElement)).focus();
  announce("The export was deleted.");
}

async function reload() {
  const found = await listExports();
  const there = new Set(found.map(({ id }) => id));
  for (const id of [...known.keys()]) if (!there.has(id)) forget(id);
  found.reverse().forEach(show);
}

showCount();
readData("exports-data").reverse().forEach(show);
watchExports({ waiting: () => [...known.values()].some(isUnfinished), reload, onChanged: show, onDeleted: forgetForGood });
