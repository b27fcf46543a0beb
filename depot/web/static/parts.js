// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// What several sections are made of: tables, bars, choices, states of loading.

import { button, element, icon } from "./dom.js";
import { say, trouble } from "./words.js";

/** A table; `columns`: [heading, row => content, class]. */
export function table(caption, columns, rows) {
  return element(
    "div", { class: "table-room" },
    element(
      "table", {}, element("caption", { class: "unseen" }, caption),
      element("thead", {}, element("tr", {}, ...columns.map(([heading, , kind]) => heading ? element("th", { scope: "col", class: kind }, heading) : element("td", {})))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...columns.map(([heading, cell, kind]) => element("td", { class: kind, "data-label": heading || null }, ...[cell(row)].flat()))))),
    ),
  );
}

/** How much of a whole: a bar with its figure beside it. */
export function bar(share, text) {
  const fill = element("span", { class: "bar-fill" });
  fill.style.width = `${Math.round(100 * Math.min(Math.max(share, 0), 1))}%`;
  return element("span", { class: "bar", role: "img", "aria-label": text }, fill);
}

/** One of several, chosen by one press. `options`: [value, text]. */
export function choices(label, options, chosen, onchoose) {
  const buttons = options.map(([value, text]) => element("button", {
    type: "button", "data-value": value, "aria-pressed": String(value === chosen),
    onclick: () => {
      for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.value === String(value)));
      onchoose(value);
    },
  }, text));
  return element("div", { class: "choices", role: "group", "aria-label": label }, ...buttons);
}

export function waiting(lines = 8) {
  return element("div", { class: "waiting", role: "status", "aria-label": say("loading") }, ...Array.from({ length: lines }, () => element("span")));
}

export function empty(drawing, title, text, act = null) {
  return element("div", { class: "empty" }, icon(drawing, 34), element("h2", {}, title), text ? element("p", {}, text) : null, act);
}

/** What stands there when the depot did not answer; `again` asks once more. A part that is not there (404) says so. */
export function failed(error, again) {
  if (error.status === 404) return empty("admin", say("nothing_here"), null);
  return element("div", { class: "empty", role: "alert" }, icon("warning", 34), element("h2", {}, say("load_failed")), element("p", {}, trouble(error)), button(say("retry"), again));
}

/** A labelled field of a form. */
export function field(label, input, hint = null) {
  return element("label", { class: "field" }, element("span", {}, label), input, hint ? element("span", { class: "soft" }, hint) : null);
}

export function select(options, chosen, attributes = {}) {
  return element("select", attributes, ...options.map(([value, text]) => element("option", { value, selected: value === chosen }, text)));
}

/** A figure with what it counts. */
export function figure(value, label, attributes = {}) {
  return element("div", { class: "figure", ...attributes }, element("strong", {}, value), element("span", {}, label));
}
