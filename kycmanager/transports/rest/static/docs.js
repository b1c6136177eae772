"use strict";

// The bundled page knows OpenAPI 3.0; the document is 3.1. What differs for display is rewritten here, and only here.
function forDisplay(node) {
  if (Array.isArray(node)) {
    return node.map(forDisplay);
  }
  if (node === null || typeof node !== "object") {
    return node;
  }
  const shown = {};
  for (const [key, value] of Object.entries(node)) {
    shown[key] = forDisplay(value);
  }
  if (Array.isArray(shown.type)) {
    const types = shown.type.filter((name) => name !== "null");
    shown.nullable = types.length < shown.type.length;
    shown.type = types[0];
  }
  if (Array.isArray(shown.anyOf)) {
    const choices = shown.anyOf.filter((choice) => choice.type !== "null");
    if (choices.length < shown.anyOf.length) {
      shown.nullable = true;
      shown.anyOf = choices;
    }
  }
  if ("const" in shown) {
    shown.enum = [shown.const];
    delete shown.const;
  }
  return shown;
}

async function show() {
  const answer = await fetch("/openapi.json");
  const spec = forDisplay(await answer.json());
  spec.openapi = "3.0.3";
  SwaggerUIBundle({
    spec,
    dom_id: "#docs",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "none",
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
  });
}

show();
