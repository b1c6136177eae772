// The one-time link on the page of a case: whole, marked, and copied by a button.
"use strict";

(() => {
  function show() {
    const field = document.querySelector("[data-absolute]");
    if (!field) return;
    field.removeAttribute("data-absolute");
    field.value = new URL(field.value, window.location.href).href;
    field.focus({ preventScroll: true });
    field.select();
  }

  async function copied(field) {
    try {
      await navigator.clipboard.writeText(field.value); // there is none without TLS
      return true;
    } catch {
      field.select();
      return document.execCommand("copy");
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-copies]");
    if (!button) return;
    const done = await copied(document.getElementById(button.dataset.copies));
    document.querySelector("[data-copied]").textContent = done ? "Copied." : "Copy the marked text by hand.";
  });

  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("htmx:afterSwap", show);
})();
