/* Sets the color theme before anything is drawn (a plain script in the head, so nothing flashes). */
(function () {
  "use strict";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  function choice() {
    try {
      return localStorage.getItem("mien-theme") || "auto";
    } catch {
      return "auto"; // storage may be blocked; use the system theme
    }
  }

  function apply() {
    const wanted = choice();
    const theme = wanted === "auto" ? (system.matches ? "dark" : "light") : wanted;
    root.dataset.bsTheme = theme;
    root.dataset.themeChoice = wanted;
    document.dispatchEvent(new CustomEvent("themechange", { detail: theme }));
  }

  root.classList.add("js");
  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", (event) => event.key === "mien-theme" && apply());
  document.addEventListener("themechoice", (event) => {
    try {
      localStorage.setItem("mien-theme", event.detail);
    } catch {
      root.dataset.themeChoice = event.detail;
    }
    apply();
  });
})();
