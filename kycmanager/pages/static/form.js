// What is wrong is read first. Questions that hang on an answer are shown when it is given; what is hidden is not sent.
"use strict";

(() => {
  const faults = document.getElementById("faults");
  if (faults) faults.focus();

  function given(name) {
    const found = [];
    for (const input of document.querySelectorAll("input, select")) {
      if (input.disabled || (input.name !== name && !input.name.startsWith(`${name}.`))) continue;
      if (input.type === "checkbox") {
        if (input.checked) found.push(input.name.slice(name.length + 1));
      } else if (input.type !== "radio" || input.checked) {
        found.push(input.value);
      }
    }
    return found;
  }

  function show() {
    for (const field of document.querySelectorAll("[data-shown-if]")) {
      const answers = given(field.dataset.shownIf);
      const shown = field.dataset.shownIs.split(" ").some((value) => answers.includes(value));
      field.hidden = !shown;
      for (const input of field.querySelectorAll("input, select, textarea")) input.disabled = !shown;
    }
  }

  document.addEventListener("change", show);
  document.addEventListener("htmx:afterSettle", show); // a form that was drawn anew
  show();
})();
