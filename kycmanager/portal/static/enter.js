// A token in the fragment of the address is never sent there: it is posted, and taken out of the address.
"use strict";

(() => {
  const given = new URLSearchParams(window.location.hash.slice(1)).get("token");
  const form = document.getElementById("enter");
  if (!given || !form) return;
  window.history.replaceState(null, "", window.location.pathname);
  form.elements.token.value = given;
  form.requestSubmit();
})();
