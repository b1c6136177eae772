// The filters of the queue stay with the tab: the next case fits them too, and the way back leads to the filtered queue.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const KEPT = "queue-filters";
  if (document.getElementById("rows")) window.sessionStorage.setItem(KEPT, window.location.search);
  const kept = window.sessionStorage.getItem(KEPT) || "";
  if (!kept) return;

  for (const link of document.querySelectorAll("[data-to-queue]")) {
    link.search = kept;
    link.append(", filtered");
  }

  document.addEventListener("submit", (event) => {
    const form = event.target instanceof Element && event.target.closest("[data-next]");
    if (!form) return;
    for (const [name, value] of new URLSearchParams(kept)) {
      if (form.elements[name]) continue;
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      field.value = value;
      form.append(field);
    }
  });
});
