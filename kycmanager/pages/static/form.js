// Questions that hang on an answer are shown when it is given; what is hidden is not sent.
"use strict";

(() => {
  const depending = [...document.querySelectorAll("[data-shown-if]")];
  if (depending.length === 0) return;

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
    for (const field of depending) {
      const answers = given(field.dataset.shownIf);
      const shown = field.dataset.shownIs.split(" ").some((value) => answers.includes(value));
      field.hidden = !shown;
      for (const input of field.querySelectorAll("input, select, textarea")) input.disabled = !shown;
    }
  }

  document.addEventListener("change", show);
  show();
})();
