/* The state of the Live page, one of those in the template. */
import { byId, findAll, seek } from "../shared/elements.js";

/** The states with a text, by name. @type {Map<string, HTMLElement>} */
const texts = new Map(
  findAll(document, "#live [data-for]").map((element) => [element.dataset.for ?? "", element]),
);

/** The states in which the camera is on. */
const ON = new Set(["live", "connecting", "silent", "lost", "busy", "paused"]);

/** @returns {string} */
export const currentState = () => byId("live").dataset.state ?? "";

/**
 * @param {string} name of a state of the template, or "live"
 */
export function showState(name) {
  if (currentState() === name) return;
  const hadFocus = byId("stage").contains(document.activeElement) || document.activeElement === document.body;
  byId("live").dataset.state = name;
  byId("live").toggleAttribute("data-on", ON.has(name));
  for (const [key, element] of texts) element.hidden = key !== name;
  const element = texts.get(name);
  // Its text without its buttons.
  const words = [...(element?.querySelectorAll("h1, h2, p:not(.live-actions)") ?? [])];
  byId("status").textContent = words.map((word) => word.textContent.trim()).join(" ");
  // If the pressed button is gone, focus the one that replaced it.
  if (hadFocus && element) seek(element, "button, a")?.focus({ preventScroll: true });
  else if (hadFocus && name === "live") byId("pause").focus({ preventScroll: true });
}
