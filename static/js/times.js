/* Dates in the reader's language and time zone. */
const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
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
  element.textContent = short.format(moment);
  element.title = long.format(moment);
}

/** @param {ParentNode} root */
export function localizeTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    showTime(element, element.getAttribute("datetime"));
  }
}
