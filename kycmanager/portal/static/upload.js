// Files go up as soon as they are chosen or dropped, with their progress; without this script the forms do the same.
"use strict";

(() => {
  document.documentElement.classList.add("scripted");

  const said = (place, text) => {
    const fault = place.querySelector(".wrong");
    fault.textContent = text;
    fault.hidden = !text;
  };

  function progress(place, percent) {
    const line = place.querySelector(".progress");
    line.hidden = percent < 0;
    if (percent < 0) return;
    line.querySelector("progress").value = percent;
    line.querySelector(".percent").textContent = `${percent} %`;
  }

  function draw(html, from) {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("documents");
    const old = document.getElementById("documents");
    if (!fresh || !old) {
      window.location.reload();
      return;
    }
    const number = [...old.querySelectorAll(".slot")].indexOf(from);
    old.replaceWith(fresh);
    const slot = fresh.querySelectorAll(".slot")[number];
    if (slot) {
      slot.tabIndex = -1;
      slot.focus();
    }
  }

  function answered(place, answer) {
    place.closest(".field").querySelector(`input[type="hidden"][name="${place.dataset.answer}"]`).value = answer.file_id;
    place.querySelector(".chosen").textContent = answer.file_name;
  }

  function finished(request, place) {
    progress(place, -1);
    delete place.dataset.busy;
    if (request.status === 200 && place.dataset.answer) {
      answered(place, JSON.parse(request.responseText));
    } else if (request.status === 200 && request.responseURL.endsWith(place.dataset.upload)) {
      draw(request.responseText, place.closest(".slot"));
    } else if (request.status === 200) {
      window.location.reload();
    } else {
      let text = place.dataset.broken;
      try {
        text = JSON.parse(request.responseText).message || text;
      } catch {
        // an answer of something between us and the daemon
      }
      said(place, text);
    }
  }

  function send(place, file) {
    if (place.dataset.busy) return;
    said(place, "");
    if (file.size > Number(place.dataset.bytesMax)) {
      said(place, place.dataset.tooLarge);
      return;
    }
    const form = place.tagName === "FORM" ? place : document.getElementById(place.querySelector("[form]").getAttribute("form"));
    const data = new FormData();
    for (const name of ["word", "type"]) {
      if (form.elements[name]) data.append(name, form.elements[name].value);
    }
    data.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", place.dataset.upload);
    request.setRequestHeader("X-Part", "1");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(place, Math.floor((100 * event.loaded) / event.total));
    });
    request.addEventListener("load", () => finished(request, place));
    request.addEventListener("error", () => {
      progress(place, -1);
      delete place.dataset.busy;
      said(place, place.dataset.broken);
    });
    place.dataset.busy = "1";
    progress(place, 0);
    request.send(data);
  }

  document.addEventListener("change", (event) => {
    const input = event.target;
    const place = input instanceof HTMLInputElement && input.type === "file" && input.closest("[data-upload]");
    if (!place || !input.files[0]) return;
    send(place, input.files[0]);
    input.value = "";
  });

  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const place = event.target instanceof Element && event.target.closest(".drop");
      if (!place) return;
      event.preventDefault();
      place.classList.toggle("over", kind === "dragover");
      const file = kind === "drop" && event.dataTransfer.files[0];
      if (file) send(place, file);
    });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-part]")) return;
    event.preventDefault();
    const slot = form.closest(".slot");
    const headers = { "X-Part": "1" };
    fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers }).then(
      async (answer) => (answer.ok ? draw(await answer.text(), slot) : window.location.reload()),
      () => window.location.reload(),
    );
  });
})();
