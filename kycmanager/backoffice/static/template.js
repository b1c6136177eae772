// The editor of templates: faults stand at their inputs, what was unfolded stays so, and what is unsaved is not lost.
"use strict";

(() => {
  const editor = document.getElementById("editor");
  if (!editor) return;

  const unfolded = new Set();
  let unsaved = false;

  function mark() {
    for (const text of editor.querySelectorAll("[data-slot]")) {
      const input = document.getElementById(text.dataset.slot);
      if (!input) continue;
      if (text.textContent) {
        input.setAttribute("aria-invalid", "true");
        const folded = text.closest("details");
        if (folded) folded.open = true;
      } else {
        input.removeAttribute("aria-invalid");
      }
    }
  }

  editor.addEventListener("input", (event) => {
    if (event.target.closest("#edit")) unsaved = true;
  });

  editor.addEventListener("change", (event) => {
    if (event.target.matches("[data-redraw]")) event.target.form.requestSubmit(document.getElementById("redraw"));
  });

  editor.addEventListener("toggle", (event) => {
    const key = event.target.dataset.more;
    if (!key) return;
    if (event.target.open) unfolded.add(key);
    else unfolded.delete(key);
  }, true);

  // The answer to a check brings the faults there are now; those there were go first.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "side") return;
    for (const text of editor.querySelectorAll("[data-slot]")) text.textContent = "";
  });

  document.addEventListener("htmx:afterSwap", () => {
    for (const folded of editor.querySelectorAll("[data-more]")) {
      if (unfolded.has(folded.dataset.more)) folded.open = true;
    }
  });

  document.addEventListener("htmx:afterSettle", mark);

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.getResponseHeader("HX-Redirect")) unsaved = false;
  });

  // A link of the summary leads to an input, which may be folded away.
  editor.addEventListener("click", (event) => {
    const link = event.target.closest("#told a");
    const input = link && document.getElementById(link.hash.slice(1));
    if (!input) return;
    const folded = input.closest("details");
    if (folded) folded.open = true;
    input.focus();
    event.preventDefault();
  });

  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });

  mark();
  const first = editor.querySelector("[autofocus]");
  if (first) first.focus();
})();
