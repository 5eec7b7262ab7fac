/* On every page: theme switch, local times, dismissible messages. */
import { find, findAll } from "./elements.js";
import { localizeTimes } from "./times.js";

const choices = findAll(document, "[data-theme-choice-value]");

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

// Close <details> menus on focus or click elsewhere.
for (const menu of findAll(document, "details.menu", HTMLDetailsElement)) {
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    find(menu, "summary").focus();
  });
}

for (const button of findAll(document, "[data-dismiss-message]")) {
  button.addEventListener("click", () => button.closest(".message")?.remove());
}

localizeTimes(document);
