// A token in the fragment of the address is never sent there: it is posted, and taken out of the address. Whoever comes by
// a token is its customer, also where somebody else's visit is still running.
"use strict";

(() => {
  function enter() {
    const given = new URLSearchParams(window.location.hash.slice(1)).get("token");
    const form = document.getElementById("enter");
    if (!given || !form) return;
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
    form.elements.token.value = given;
    form.requestSubmit();
  }

  window.addEventListener("hashchange", enter);
  enter();
})();
