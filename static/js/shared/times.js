/* Dates in the reader's language and time zone, and durations. */
import { findAll } from "./elements.js";

/** @type {Intl.DateTimeFormatOptions} */
const parts = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" };
const thisYear = new Intl.DateTimeFormat(undefined, parts);
const otherYear = new Intl.DateTimeFormat(undefined, { ...parts, year: "numeric" });
const long = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/**
 * Set a <time> element's time.
 * @param {HTMLTimeElement} element
 * @param {string} iso
 */
export function showTime(element, iso) {
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime())) return;
  element.dateTime = iso;
  const short = moment.getFullYear() === new Date().getFullYear() ? thisYear : otherYear;
  element.textContent = short.format(moment);
  element.title = long.format(moment);
}

/** @param {ParentNode} root */
export function localizeTimes(root) {
  for (const element of findAll(root, "time[datetime]", HTMLTimeElement)) {
    showTime(element, element.dateTime);
  }
  for (const element of findAll(root, "[data-seconds]")) {
    element.textContent = duration(Number(element.dataset.seconds));
  }
}

/**
 * A duration as text.
 * @param {number} seconds
 * @returns {string} such as "8 s", "2 min 5 s" or "1 h 3 min"
 */
export function duration(seconds) {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${rest} s` : `${rest} s`;
}

/** @param {number} seconds @returns {string} such as "1:05" */
export function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
