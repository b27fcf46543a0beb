// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Building elements without HTML strings: what vehicles and people send can never become markup.

const SVG = "http://www.w3.org/2000/svg";

/** element("p", { class: "x", onclick: f }, "text", child) */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return made;
}

/** A button that does one thing. */
export function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", class: "button", onclick, ...attributes }, ...[text].flat());
}

const PATHS = {
  new: "M12 5v9M12 18.5v.5", reopened: "M5 12a7 7 0 1 0 2.2-5.1M5 4v4h4", confirmed: "M5 12.5l4.5 4.5L19 7.5",
  ordered: "M4 12h14M13 7l5 5-5 5", repaired: "M4 13l4 4 7-8M13 17l7-8", rejected: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  merged: "M5 6l7 7v6M19 6l-7 7", cases: "M4 6h16M4 12h16M4 18h10", coverage: "M6 20c0-6 12-6 12-12a4 4 0 0 0-8 0",
  condition: "M4 19V9M10 19V5M16 19v-7M21 19H3", vehicles: "M3 16V8h11v8M14 11h4l3 3v2h-7M7 18.5a1.5 1.5 0 1 0 0-.1M17 18.5a1.5 1.5 0 1 0 0-.1",
  admin: "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2",
  close: "M6 6l12 12M18 6L6 18", previous: "M14 6l-6 6 6 6", next: "M10 6l6 6-6 6", up: "M6 14l6-6 6 6", down: "M6 10l6 6 6-6",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5L21 21", filter: "M4 6h16M7 12h10M10 18h4",
  growing: "M4 17l6-6 4 3 6-8M15 6h5v5", shrinking: "M4 7l6 6 4-3 6 8M15 18h5v-5", steady: "M4 12h16", more: "M5 12h.1M12 12h.1M19 12h.1",
  note: "M5 4h14v12l-4 4H5zM15 20v-4h4", office: "M4 20V9l8-5 8 5v11M9 20v-6h6v6", split: "M12 20v-7L5 6M12 13l7-7M5 10V6h4M15 6h4v4",
  undo: "M8 6L4 10l4 4M4 10h10a5 5 0 0 1 0 10h-3", enlarge: "M4 9V4h5M20 15v5h-5M4 4l6 6M20 20l-6-6", map: "M9 5l6 2 5-2v13l-5 2-6-2-5 2V7zM9 5v13M15 7v13",
  warning: "M12 4L2.5 20h19zM12 10v5M12 17.5v.1", camera: "M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 10.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6", copy: "M9 9h11v11H9zM15 9V4H4v11h5", plus: "M12 5v14M5 12h14",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5", download: "M12 4v11M7 11l5 5 5-5M5 20h14",
};

/** A line drawing of 24 units; it says nothing by itself, so a word stands beside it or names its button. */
export function icon(name, size = 18) {
  return svg(
    "svg", { class: `icon icon-${name}`, viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" },
    svg("path", { d: PATHS[name] ?? PATHS.more }),
  );
}

/** A button that shows only a drawing; `label` is its name and its tooltip. */
export function iconButton(name, label, onclick, attributes = {}) {
  return element("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}

/** A key as on the keyboard. */
export function keycap(key) {
  return element("kbd", { "aria-hidden": "true" }, key);
}

/** A modal dialog with a heading and a close button; removed when it closes. */
export function dialog(title, closeLabel, attributes, ...content) {
  const made = element(
    "dialog", { "aria-labelledby": "dialog-title", ...attributes },
    element("header", { class: "dialog-head" }, element("h2", { id: "dialog-title" }, title), iconButton("close", closeLabel, () => made.close())),
    ...content,
  );
  made.addEventListener("close", () => made.remove());
  made.addEventListener("click", (event) => { if (event.target === made) made.close(); });
  document.body.append(made);
  made.showModal();
  return made;
}
