// What pages do with JavaScript beyond htmx. Everything works without it.
(() => {
  "use strict";

  // Copy buttons: data-copy is the id of the text.
  const offerCopies = (root) => {
    for (const button of root.querySelectorAll("button[data-copy]")) {
      button.hidden = !navigator.clipboard;
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const label = button.querySelector("[data-label]") || button;
    const before = label.textContent;
    label.textContent = button.dataset.done;
    setTimeout(() => { label.textContent = before; }, 1500);
  });

  // A form is sent once, however often its button is hit. Coming back to the page gives it free again.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });

  // Of several fields only those that are wrong matter: go to the first.
  const goToError = () => document.querySelector("[aria-invalid='true']")?.focus();

  // Escape and a click beside it close a menu that lies over the page.
  const openMenus = () => document.querySelectorAll("details.bar-menu[open], details.pop[open]");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("DOMContentLoaded", () => { offerCopies(document); goToError(); });
  document.addEventListener("htmx:load", (event) => offerCopies(event.target));
  // What the API or the network refuses while a part is loaded: the whole page says why.
  document.addEventListener("htmx:responseError", () => document.body.classList.add("stale"));
})();
