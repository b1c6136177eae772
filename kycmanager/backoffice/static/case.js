// The page of a case: what is marked answers to the keys, dialogs ask for reasons, and a page out of date decides nothing.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const page = document.querySelector("[data-case]");
  if (!page) return;

  let marked = "";
  let deciding = false;
  let missed = false;

  const find = (css) => document.querySelector(css);
  const all = (css) => [...document.querySelectorAll(css)];
  const stale = () => Boolean(find("[data-stale]"));

  // -- what is marked: a document, else the step that is current

  function target() {
    const item = marked && document.getElementById(marked);
    return item || find("[data-row][aria-current]");
  }

  function arm() {
    for (const button of all("[data-act]")) {
      button.disabled = stale();
      delete button.dataset.key;
    }
    for (const item of all("[data-document]")) {
      if (item.id === marked) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
    const item = target();
    if (!item) return;
    for (const button of item.querySelectorAll(":scope > .acts [data-act]")) {
      if (button.dataset.act) button.dataset.key = button.dataset.act;
    }
  }

  function nextDocument() {
    const items = all("[data-document]");
    if (items.length === 0) return;
    const row = find("[data-row][aria-current]");
    const place = items.findIndex((item) => item.id === marked);
    const here = row ? items.findIndex((item) => row.contains(item)) : 0;
    const next = items[place >= 0 ? (place + 1) % items.length : Math.max(here, 0)];
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
    marked = next.id;
    arm();
    next.querySelector("[data-open]").click();
  }

  // -- dialogs

  function ask(button) {
    const dialog = document.getElementById(button.dataset.dialog);
    const form = dialog.querySelector("form");
    const submit = form.querySelector("[type=submit]");
    if (submit.getAttribute("formaction") !== button.dataset.path) form.reset();
    submit.setAttribute("formaction", button.dataset.path);
    form.elements.version.value = button.dataset.version;
    for (const name of ["mark", "seen"]) form.elements[name].value = find(`#case [name=${name}]`).value;
    for (const place of dialog.querySelectorAll("[data-names]")) place.textContent = button.dataset.title;
    dialog.showModal();
    form.querySelector("[data-first]").focus();
    read(form);
  }

  function read(form) {
    const place = form.querySelector("[data-reads]");
    if (place) place.textContent = form.elements.reason.selectedOptions[0].dataset.told || "nothing yet";
  }

  document.addEventListener("click", (event) => {
    const element = event.target instanceof Element ? event.target : document.body;
    const item = element.closest("[data-document]");
    if (item) marked = item.id;
    else if (element.closest("[data-row]")) marked = "";
    const dialog = element.closest("[data-dialog]");
    if (dialog && !dialog.disabled) ask(dialog);
    if (element.closest("[data-closes]")) element.closest("dialog").close();
    if (element.closest("[data-next-document]")) nextDocument();
    else arm();
  });

  document.addEventListener("focusin", (event) => {
    const item = event.target instanceof Element && event.target.closest("[data-document]");
    if (item) marked = item.id;
    else if (event.target instanceof Element && event.target.closest("[data-row]")) marked = "";
    arm();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "j" || event.key === "k") arm();
  });

  document.addEventListener("change", (event) => {
    const form = event.target instanceof Element && event.target.closest("dialog form");
    if (form) read(form);
  });

  // A picture that is not there is no reason to leave a hole.
  document.addEventListener(
    "error",
    (event) => {
      if (event.target instanceof HTMLImageElement && event.target.classList.contains("thumb")) event.target.remove();
    },
    true,
  );

  // -- what happens meanwhile

  document.addEventListener("kyc:live", (event) => {
    const told = event.detail;
    if (!told.more && !told.profiles.includes(Number(page.dataset.case))) return;
    if (deciding) missed = true;
    else window.htmx.trigger("#changed", "kyc:changed");
  });

  const decisions = "#case, dialog form, .risk-form";
  const decides = (event) => event.detail.requestConfig.elt.matches(decisions);

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!decides(event)) return;
    if (stale()) event.preventDefault();
    else deciding = true;
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (!decides(event)) return;
    deciding = false;
    if (missed) window.htmx.trigger("#changed", "kyc:changed");
    missed = false;
  });

  // What was marked is marked again in the place of what was drawn anew, and has the focus unless something else has.
  let before = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    before = marked;
    if (decides(event)) for (const dialog of all("dialog[open]")) dialog.close();
  });

  document.addEventListener("htmx:afterSwap", () => {
    const item = before && document.getElementById(before);
    const focused = document.activeElement;
    if (item) marked = before;
    if (item && (focused === document.body || (focused.matches("[data-row]") && focused.contains(item)))) {
      item.focus({ preventScroll: true });
    }
    arm();
  });

  document.addEventListener("htmx:oobAfterSwap", arm);
  document.addEventListener("submit", (event) => {
    if (stale() && event.target instanceof Element && event.target.matches(decisions)) event.preventDefault();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target instanceof Element && event.target.closest(".note-form");
    if (form && event.detail.successful) form.reset();
  });

  arm();
});
