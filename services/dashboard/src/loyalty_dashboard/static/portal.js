// The portal with JavaScript: a language is chosen once for all samples, and found things can be walked through.
(() => {
  "use strict";
  const KEY = "sample-language";

  const choose = (language) => {
    for (const input of document.querySelectorAll(`.tabs input[value="${CSS.escape(language)}"]`)) input.checked = true;
  };

  document.addEventListener("change", (event) => {
    if (!event.target.matches(".tabs input")) return;
    // What is above changes its height with the language: what the reader looks at stays where it is.
    const before = event.target.nextElementSibling.getBoundingClientRect().top;
    choose(event.target.value);
    scrollBy(0, event.target.nextElementSibling.getBoundingClientRect().top - before);
    try { localStorage.setItem(KEY, event.target.value); } catch { /* A browser that keeps nothing. */ }
  });

  const close = () => { for (const found of document.querySelectorAll(".found")) found.replaceChildren(); };

  document.addEventListener("keydown", (event) => {
    const search = event.target.closest?.(".search");
    if (event.key === "Escape") close();
    if (search && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const stops = [search.querySelector("input"), ...search.querySelectorAll(".found a")];
      const next = stops[stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) { event.preventDefault(); next.focus(); }
    }
    if (event.key === "/" && !event.target.matches("input, textarea, select") && !event.ctrlKey && !event.metaKey) {
      const input = document.getElementById("search");
      if (input?.offsetParent) { event.preventDefault(); input.focus(); }
    }
  });
  document.addEventListener("click", (event) => { if (!event.target.closest(".search")) close(); });

  document.addEventListener("DOMContentLoaded", () => {
    let kept = null;
    try { kept = localStorage.getItem(KEY); } catch { /* The same. */ }
    if (kept) choose(kept);
    document.querySelector(".docs-menu [aria-current]")?.scrollIntoView({ block: "nearest" });
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  });
})();
