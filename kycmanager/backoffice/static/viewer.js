// The viewer: pictures are made larger and smaller, turned, and their pages turned over, by buttons and by keys.
"use strict";

(() => {
  const STEP = 1.25;
  const LEAST = 0.25;
  const MOST = 8;
  const FULL_FROM = 1.6;
  const turns = new Map();
  let zoom = 1;
  let active = "";

  const viewer = () => document.getElementById("viewer");
  const pictures = () => [...document.querySelectorAll("#viewer [data-picture]")];
  const sheetOf = (picture) => picture.closest("[data-sheet]").dataset.sheet;

  // The stage is as large as the turned picture: so the frame scrolls over all of it. What was in the middle stays there.
  function lay(picture) {
    if (!picture.naturalWidth) return;
    const frame = picture.closest(".frame");
    const stage = picture.closest(".stage");
    const turn = turns.get(sheetOf(picture)) || 0;
    const lies = turn % 180 !== 0;
    const [width, height] = lies
      ? [picture.naturalHeight, picture.naturalWidth]
      : [picture.naturalWidth, picture.naturalHeight];
    const scale = Math.min(frame.clientWidth / width, frame.clientHeight / height, 1) * zoom;
    const [across, down] = [width * scale, height * scale];
    const middle = [
      (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth,
      (frame.scrollTop + frame.clientHeight / 2) / frame.scrollHeight,
    ];
    stage.style.width = `${across}px`;
    stage.style.height = `${down}px`;
    picture.style.width = `${lies ? down : across}px`;
    picture.style.height = `${lies ? across : down}px`;
    picture.style.left = `${(across - (lies ? down : across)) / 2}px`;
    picture.style.top = `${(down - (lies ? across : down)) / 2}px`;
    picture.style.transform = `rotate(${turn}deg)`;
    frame.scrollLeft = middle[0] * frame.scrollWidth - frame.clientWidth / 2;
    frame.scrollTop = middle[1] * frame.scrollHeight - frame.clientHeight / 2;
    if (zoom >= FULL_FROM && picture.dataset.full) sharpen(picture);
  }

  // A larger rendition takes the place of a small one that is looked at closely, in the same size on the page.
  function sharpen(picture) {
    picture.src = picture.dataset.full;
    delete picture.dataset.full;
  }

  const layAll = () => pictures().forEach(lay);

  function change(what) {
    if (what === "larger") zoom = Math.min(MOST, zoom * STEP);
    if (what === "smaller") zoom = Math.max(LEAST, zoom / STEP);
    if (what === "fit") zoom = 1;
    if (what === "left" || what === "right") {
      const picture = pictures().find((each) => sheetOf(each) === active) || pictures()[0];
      if (!picture) return;
      const sheet = sheetOf(picture);
      turns.set(sheet, ((turns.get(sheet) || 0) + (what === "right" ? 90 : 270)) % 360);
    }
    layAll();
  }

  function fail(picture) {
    const told = document.createElement("p");
    told.className = "notice fault";
    told.setAttribute("role", "alert");
    told.textContent = "This picture could not be loaded. Open the file again, or download it.";
    picture.closest(".frame").replaceChildren(told);
  }

  document.addEventListener("click", (event) => {
    const element = event.target instanceof Element ? event.target : null;
    const button = element && element.closest("#viewer [data-view]");
    if (button) change(button.dataset.view);
  });

  document.addEventListener("focusin", (event) => {
    const sheet = event.target instanceof Element && event.target.closest("#viewer [data-sheet]");
    if (sheet) active = sheet.dataset.sheet;
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.matches("input, textarea, select") || document.querySelector("dialog[open]")) return;
    const turn = { ArrowLeft: "back", ArrowRight: "forward" }[event.key];
    const button = turn && document.querySelector(`#viewer [data-turn=${turn}]`);
    if (!button || button.disabled) return;
    event.preventDefault();
    button.click();
  });

  document.addEventListener(
    "load",
    (event) => {
      if (event.target instanceof Element && event.target.matches("#viewer [data-picture]")) lay(event.target);
    },
    true,
  );

  document.addEventListener(
    "error",
    (event) => {
      if (event.target instanceof Element && event.target.matches("#viewer [data-picture]")) fail(event.target);
    },
    true,
  );

  // The button that turned the page keeps the focus; where it has gone, the picture has it.
  let pressed = "";
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target !== viewer()) return;
    const button = event.target instanceof Element ? event.target : null;
    pressed = button && button.contains(document.activeElement) && viewer().contains(button)
      ? button.dataset.turn ? `[data-turn=${button.dataset.turn}]` : `[data-key="${button.dataset.key}"]`
      : "";
    viewer().setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.target === viewer()) viewer().removeAttribute("aria-busy");
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== viewer()) return;
    const sheets = [...document.querySelectorAll("#viewer [data-sheet]")].map((each) => each.dataset.sheet);
    if (!sheets.includes(active)) {
      active = sheets[0] || "";
      zoom = 1;
    }
    const button = pressed && viewer().querySelector(`${pressed}:not([disabled])`);
    if (button) button.focus();
    else if (pressed) (viewer().querySelector(".frame") || viewer()).focus();
    layAll();
  });

  window.addEventListener("resize", layAll);
})();
