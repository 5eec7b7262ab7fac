/* Dates in the reader's language and time zone. */
const parts = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" };
const thisYear = new Intl.DateTimeFormat(undefined, parts);
const otherYear = new Intl.DateTimeFormat(undefined, { ...parts, year: "numeric" });
const long = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/**
 * Point a <time> element at a moment.
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
  for (const element of root.querySelectorAll("time[datetime]")) {
    showTime(element, element.getAttribute("datetime"));
  }
}
