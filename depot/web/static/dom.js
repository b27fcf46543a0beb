// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Building elements without HTML strings: what vehicles send can never become markup.

/** element("p", { class: "x", onclick: f }, "text", child) */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A dot in the colour of a class. (By the style object, since the page forbids style attributes.) */
export function dot(colour) {
  const made = element("span", { class: "dot", "aria-hidden": "true" });
  made.style.setProperty("--class-colour", colour);
  return made;
}
