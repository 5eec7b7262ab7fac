/* A page for the scripts under test, without a browser: `use(html)` before they are imported. */
import { Window } from "happy-dom";

const NAMES = [
  "document", "location", "Element", "HTMLElement", "HTMLButtonElement", "HTMLInputElement", "HTMLSelectElement",
  "HTMLTemplateElement", "HTMLScriptElement", "HTMLDialogElement", "HTMLTimeElement", "HTMLFormElement", "Event", "KeyboardEvent",
  "MouseEvent", "getComputedStyle", "matchMedia", "FormData", "File", "addEventListener", "removeEventListener", "CSS",
];

/** @param {string} html what is in the body */
export function use(html = "") {
  const window = new Window({ url: "http://mien.test/" });
  window.document.body.innerHTML = html;
  for (const name of NAMES) {
    const value = window[name];
    globalThis[name] = typeof value === "function" && /^[a-z]/.test(name) ? value.bind(window) : value;
  }
  globalThis.window = window;
  globalThis.ResizeObserver = class { observe() {} };
  globalThis.IntersectionObserver = class { observe() {} unobserve() {} };
  return window;
}
