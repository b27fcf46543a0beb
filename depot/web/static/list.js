// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The list of cases: filters by class, those with a position first, then those without; walked by keyboard.

import { dot, element } from "./dom.js";
import { ago, classColour, className, linePlace, number, say } from "./words.js";

const STEP = 300;

export class List {
  #depot;
  #select;
  #list = document.getElementById("list");
  #filters = document.getElementById("filters");
  #title = document.getElementById("side-title");
  #hidden = new Set(); // classes that are switched off
  #shown = STEP;
  #order = [];
  selected = null;

  constructor(depot, select) {
    this.#depot = depot;
    this.#select = select;
    this.#list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-case]");
      if (row) select(Number(row.dataset.case), { open: true });
    });
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** The cases that pass the filter, in the order of the list. */
  get visible() {
    return this.#order;
  }

  draw() {
    const cases = [...this.#depot.cases.values()].reverse();
    this.#drawFilters(cases);
    const passing = cases.filter((feature) => !this.#hidden.has(feature.properties.class));
    const placed = passing.filter((feature) => feature.geometry);
    const placeless = passing.filter((feature) => !feature.geometry);
    this.#order = [...placed, ...placeless];
    const all = cases.length;
    const some = passing.length;
    this.#title.textContent =
      some !== all ? say("n_of_cases", { n: number(some), all: number(all) })
      : all === 1 ? say("one_case") : say("n_cases", { n: number(all) });

    this.#list.replaceChildren(
      ...this.#group("on_the_map", placed, this.#shown),
      ...this.#group("without_position", placeless, this.#shown),
    );
    if (!some && this.#depot.loaded) {
      this.#list.append(element("p", { class: "empty" }, say(all ? "none_match" : "none_yet")));
    }
    this.mark(this.selected);
  }

  /** Mark the selected case and bring it into view. */
  mark(selected, { scroll = false } = {}) {
    this.selected = selected;
    for (const row of this.#list.querySelectorAll('[aria-selected="true"]')) row.setAttribute("aria-selected", "false");
    const row = selected === null ? null : document.getElementById(`case-${selected}`);
    row?.setAttribute("aria-selected", "true");
    if (row) this.#list.setAttribute("aria-activedescendant", row.id);
    else this.#list.removeAttribute("aria-activedescendant");
    if (scroll) row?.scrollIntoView({ block: "nearest" });
  }

  /** Walk by `step` rows. */
  walk(step) {
    const here = this.#order.findIndex((feature) => feature.id === this.selected);
    const next = this.#order[here < 0 ? 0 : Math.min(Math.max(here + step, 0), this.#order.length - 1)];
    if (!next) return;
    if (here + step >= this.#shown) {
      this.#shown += STEP;
      this.draw();
    }
    this.#select(next.id, {});
  }

  #onKey(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.walk(steps[event.key]);
    else if (event.key === "Enter" && this.selected !== null) this.#select(this.selected, { open: true, focus: true });
    else return;
    event.preventDefault();
  }

  #drawFilters(cases) {
    const counts = new Map();
    for (const { properties } of cases) counts.set(properties.class, (counts.get(properties.class) ?? 0) + 1);
    const chips = [...counts].sort((a, b) => b[1] - a[1]).map(([label, count]) => {
      const on = !this.#hidden.has(label);
      const chip = element(
        "button", { type: "button", class: "chip", "aria-pressed": String(on), "data-class": label },
        dot(classColour(label)), className(label), element("span", { class: "count" }, number(count)),
      );
      chip.addEventListener("click", () => this.#toggle(label));
      return chip;
    });
    const focused = document.activeElement?.dataset?.class;
    this.#filters.replaceChildren(...chips);
    if (focused) this.#filters.querySelector(`[data-class="${CSS.escape(focused)}"]`)?.focus();
  }

  #toggle(label) {
    if (!this.#hidden.delete(label)) this.#hidden.add(label);
    this.#depot.dispatchEvent(new CustomEvent("change", { detail: { cases: 1, tracks: 0 } }));
  }

  #group(key, features, limit) {
    if (!features.length) return [];
    const heading = element(
      "h3", { id: `group-${key}`, class: "group-title" }, say(key), " ", element("span", { class: "count" }, number(features.length)),
    );
    const rows = features.slice(0, limit).map((feature) => this.#row(feature));
    const group = element("div", { role: "group", "aria-labelledby": heading.id, class: "group" }, heading, ...rows);
    const rest = features.length - rows.length;
    if (rest > 0) {
      const more = element("button", { type: "button", class: "more" }, say("more", { n: number(Math.min(rest, STEP)) }));
      more.addEventListener("click", () => {
        this.#shown += STEP;
        this.draw();
      });
      group.append(more);
    }
    return [group];
  }

  #row({ id, properties }) {
    const fresh = this.#depot.fresh.has(id);
    const place = shortPlace(properties);
    return element(
      "div",
      { role: "option", id: `case-${id}`, "data-case": id, "aria-selected": "false", class: fresh ? "row fresh" : "row" },
      dot(classColour(properties.class)),
      element("span", { class: "row-name" }, className(properties.class)),
      element("span", { class: "row-number" }, say("case", { n: id })),
      element("span", { class: "row-size" }, shortSize(properties)),
      element("span", { class: "row-time" }, ago(properties.utc ?? properties.received_utc)),
      place ? element("span", { class: "row-place" }, place) : null,
    );
  }
}

function shortPlace(properties) {
  const { line, position_revision: revision } = properties;
  return [line !== null && linePlace(properties), revision && say("revised_short")].filter(Boolean).join(" · ");
}

function shortSize({ length_m: length, width_m: width, severity }) {
  const size = length === null ? say("size_unknown") : `${number(length, 2)} × ${number(width, 2)} m`;
  return severity === null ? size : `${size} · ${say("grade", { n: severity })}`;
}
