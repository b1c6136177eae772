// What happens is told to the page as kyc:live. A list follows: it is drawn anew, unless the reader is deep in it.
"use strict";

(() => {
  const list = document.querySelector("[data-live]");
  if (!list) return;

  const PAUSE_MS = 2000;
  let source = null;
  let waiting = 0;
  let deep = false;

  function drawAnew() {
    waiting = 0;
    if (deep) document.getElementById("changed").hidden = false;
    else window.htmx.trigger("#rows", "kyc:changed");
  }

  function changed(event) {
    const told = event ? JSON.parse(event.data) : { profiles: [], more: true };
    document.dispatchEvent(new CustomEvent("kyc:live", { detail: told }));
    if (document.getElementById("rows") && !waiting) waiting = window.setTimeout(drawAnew, PAUSE_MS);
  }

  function ended() {
    disconnect();
    const notice = document.createElement("p");
    const link = document.createElement("a");
    link.href = window.location.href;
    link.textContent = "Sign in again";
    notice.className = "notice fault";
    notice.append("Your sign-in has ended. ", link);
    document.getElementById("notices").replaceChildren(notice);
  }

  function connect() {
    if (source) return;
    source = new EventSource(list.dataset.live);
    source.addEventListener("change", changed);
    source.addEventListener("end", ended);
    source.addEventListener("error", () => {
      if (source && source.readyState === EventSource.CLOSED) ended();
    });
  }

  function disconnect() {
    if (source) source.close();
    source = null;
  }

  // A browser keeps few connections to one host: tabs that nobody looks at give theirs back.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      disconnect();
    } else {
      connect();
      changed();
    }
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target instanceof Element && event.target.hasAttribute("data-paging")) deep = true;
  });

  window.addEventListener("pagehide", disconnect);
  if (!document.hidden) connect();
})();
