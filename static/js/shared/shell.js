/* What every page has: the theme switch, times in the reader's zone, messages that close. */
import { localizeTimes } from "./times.js";

const choices = document.querySelectorAll("[data-theme-choice-value]");

function showChoice() {
  const current = document.documentElement.dataset.themeChoice;
  for (const button of choices) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoiceValue === current));
  }
}

for (const button of choices) {
  button.addEventListener("click", () => {
    const detail = button.dataset.themeChoiceValue;
    document.dispatchEvent(new CustomEvent("themechoice", { detail }));
  });
}
document.addEventListener("themechange", showChoice);
showChoice();

// A menu made of <details> closes when the attention goes elsewhere.
for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

for (const button of document.querySelectorAll("[data-dismiss-message]")) {
  button.addEventListener("click", () => button.closest(".message").remove());
}

localizeTimes(document);
