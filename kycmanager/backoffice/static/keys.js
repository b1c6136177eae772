// The keyboard: j and k walk the rows, Enter opens one, ? shows the keys, and whatever has data-key answers to its key.
"use strict";

(() => {
  const ROWS = "[data-row]";
  const TYPED_IN = "input, textarea, select, [contenteditable]";
  let current = "";

  const rows = () => [...document.querySelectorAll(ROWS)];
  const overlay = () => document.getElementById("keys");

  function select(row, focus) {
    for (const each of rows()) {
      if (each !== row) each.removeAttribute("aria-current");
    }
    row.setAttribute("aria-current", "true");
    current = row.dataset.row;
    if (focus) {
      row.focus({ preventScroll: true });
      row.scrollIntoView({ block: "nearest" });
    }
  }

  function move(step) {
    const all = rows();
    if (all.length === 0) return;
    const place = all.findIndex((row) => row.dataset.row === current);
    const first = Math.max(0, all.findIndex((row) => row.hasAttribute("data-waits")));
    const next = place < 0 ? (step > 0 ? first : all.length - 1) : Math.min(all.length - 1, Math.max(0, place + step));
    select(all[next], true);
  }

  function open() {
    const row = rows().find((each) => each.dataset.row === current);
    const focused = document.activeElement;
    const link = row && row.querySelector(row.matches("tr") ? "a, button" : "[data-open]");
    if (!link || (focused !== row && focused !== document.body)) return false;
    link.click();
    return true;
  }

  function toggle() {
    const dialog = overlay();
    if (!dialog) return false;
    if (dialog.open) dialog.close();
    else dialog.showModal();
    return true;
  }

  function answer(key) {
    for (const element of document.querySelectorAll("[data-key]")) {
      if (element.dataset.key === key && !element.disabled) {
        if (element.matches(TYPED_IN)) element.focus();
        else element.click();
        return true;
      }
    }
    return false;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.matches(TYPED_IN)) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const dialog = overlay();
    let done = false;
    if (event.key === "?") done = toggle();
    else if (document.querySelector("dialog[open]")) return;
    else if (event.key === "j") done = (move(1), true);
    else if (event.key === "k") done = (move(-1), true);
    else if (event.key === "Enter") done = open();
    else if (event.key.length === 1) done = answer(event.key);
    if (done) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const row = target.closest(ROWS);
    if (row) select(row, false);
    if (target.closest("[data-opens='keys']")) toggle();
  });

  document.addEventListener("focusin", (event) => {
    const row = event.target instanceof Element && event.target.closest(ROWS);
    if (row) select(row, false);
  });

  // Rows that were drawn anew take the place of those that were selected.
  document.addEventListener("htmx:afterSwap", () => {
    const row = rows().find((each) => each.dataset.row === current);
    if (row) select(row, document.activeElement === document.body);
  });
})();
