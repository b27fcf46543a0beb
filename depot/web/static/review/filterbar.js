// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Which cases: the queue, the search, the order, and a panel with all other filters; what is set stands below as chips.

import { button, element, icon } from "../dom.js";
import { className, day, number, percent, say } from "../words.js";
import { QUEUES, SORTS } from "./filter.js";

const FILES = [["csv", "CSV"], ["geojson", "GeoJSON"], ["gpkg", "GeoPackage"], ["kml", "KML"]];
const TYPING_MS = 250;
const FACETS = [["class", "classes"], ["office", "offices"], ["district", "districts"]];

export class FilterBar {
  #filter;
  #cases;
  #acts; // { offices(), bbox() }
  #queues = element("div", { class: "queues", role: "group", "aria-label": say("queue") });
  #chips = element("div", { class: "chips" });
  #panel = null;
  #search;

  constructor(filter, cases, acts) {
    this.#filter = filter;
    this.#cases = cases;
    this.#acts = acts;
    this.root = element("div", { class: "filterbar" }, this.#queues, this.#searchRow(), this.#chips);
  }

  draw() {
    this.#drawQueues();
    this.#drawChips();
    if (this.#search.value !== (this.#filter.one("q") ?? "") && document.activeElement !== this.#search) this.#search.value = this.#filter.one("q") ?? "";
  }

  focusSearch() {
    this.#search.focus();
    this.#search.select();
  }

  #drawQueues() {
    const states = this.#cases.counts?.states;
    const count = (queue) => {
      if (!states) return null;
      return queue === "all" ? this.#cases.counts.total : QUEUES[queue].reduce((sum, state) => sum + (states[state] ?? 0), 0);
    };
    const focused = this.#queues.contains(document.activeElement) ? document.activeElement.dataset.queue : null;
    this.#queues.replaceChildren(...Object.keys(QUEUES).map((queue) => {
      const many = count(queue);
      return element(
        "button", { type: "button", "data-queue": queue, "aria-pressed": String(queue === this.#filter.queue), onclick: () => this.#filter.set("queue", queue === "open" ? null : queue) },
        element("span", {}, say(`queue_${queue}`)), element("span", { class: "count" }, many === null ? "" : number(many)),
      );
    }));
    if (focused) this.#queues.querySelector(`[data-queue="${focused}"]`)?.focus();
  }

  #searchRow() {
    let timer;
    this.#search = element("input", { type: "search", placeholder: say("search"), "aria-label": say("search"), maxlength: 100, value: this.#filter.one("q") ?? "" });
    this.#search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#filter.set("q", this.#search.value.trim() || null), TYPING_MS);
    });
    const sort = element("select", { "aria-label": say("sort"), class: "sort" }, ...SORTS.map((kind) => element("option", { value: kind, selected: kind === this.#filter.sort }, say(`sort_${kind}`))));
    sort.addEventListener("change", () => this.#filter.set("sort", sort.value === "urgency" ? null : sort.value));
    const open = element("button", { type: "button", class: "button", id: "filter-open", "aria-expanded": "false", onclick: () => this.#open() }, icon("filter", 17), say("filter"));
    return element("div", { class: "search-row" }, element("label", { class: "search" }, icon("search", 17), this.#search), open, element("div", { class: "order-row" }, sort, this.#download()));
  }

  /** What is shown, as a file. */
  #download() {
    const menu = element("div", { class: "menu" });
    const made = element("details", { class: "download" }, element("summary", { "aria-label": say("download_shown"), title: say("download_shown") }, icon("download", 17)), menu);
    made.addEventListener("toggle", () => {
      if (!made.open) return;
      menu.replaceChildren(element("p", { class: "soft" }, say("download_shown")), ...FILES.map(([ending, name]) =>
        element("a", { href: `/api/cases.${ending}?${this.#filter.query()}`, download: "", onclick: () => { made.open = false; } }, name)));
    });
    made.addEventListener("focusout", (event) => { if (!made.contains(event.relatedTarget)) made.open = false; });
    return made;
  }

  #drawChips() {
    this.#chips.replaceChildren(...this.#filter.active.filter(([key]) => key !== "q").map(([key, value]) => {
      const what = this.#wordOf(key, value);
      return element("button", { type: "button", class: "chip", "data-filter": key, "aria-label": say("without_filter", { what }), onclick: () => this.#take(key, value) }, what, icon("close", 14));
    }));
    if (this.#chips.childElementCount > 1) this.#chips.append(element("button", { type: "button", class: "link", onclick: () => this.#filter.clear() }, say("clear_filters")));
  }

  #take(key, value) {
    this.#filter.set(key, this.#filter.all(key).filter((one) => one !== value));
  }

  #wordOf(key, value) {
    switch (key) {
      case "class": return className(value);
      case "office": return this.#officeName(value);
      case "grade_min": return say("from_grade", { n: value });
      case "score_min": return say("from_score", { n: percent(Number(value)) });
      case "since": return say("since", { t: day(value) });
      case "seen_days": return say("in_days", { n: value });
      case "looks_min": return say("looked_without", { n: `≥ ${value}` });
      case "trend": return say(`trend_${value}`);
      case "surface": return say(`surface_${value}`);
      case "place": return say(`place_${value}`);
      case "bbox": return say("in_area");
      default: return value || say("none");
    }
  }

  #officeName(name) {
    return name ? this.#acts.officeName(name) : say("no_office");
  }

  /** The panel with all filters; it stays open while one tries. */
  async #open() {
    if (this.#panel) return this.#close();
    this.#panel = element("div", { class: "filter-panel", role: "group", "aria-label": say("filters") });
    this.root.append(this.#panel);
    document.getElementById("filter-open").setAttribute("aria-expanded", "true");
    this.#drawPanel();
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#close();
    });
    this.#panel.querySelector("input, button")?.focus();
    return undefined;
  }

  #close() {
    this.#panel.remove();
    this.#panel = null;
    const opener = document.getElementById("filter-open");
    opener.setAttribute("aria-expanded", "false");
    opener.focus();
  }

  #drawPanel() {
    const counts = this.#cases.counts ?? {};
    this.#panel.replaceChildren(
      element("div", { class: "filter-fields" },
        ...FACETS.map(([key, counted]) => this.#facet(key, counts[counted] ?? {})),
        this.#choose("filter_grade", "grade_min", [["", say("any")], ...[2, 3, 4, 5].map((n) => [String(n), String(n)])]),
        this.#choose("filter_score", "score_min", [["", say("any")], ["0.5", percent(0.5)], ["0.7", percent(0.7)], ["0.9", percent(0.9)]]),
        this.#choose("filter_trend", "trend", [["", say("any")], ...["growing", "steady", "shrinking"].map((trend) => [trend, say(`trend_${trend}`)])]),
        this.#choose("filter_seen", "seen_days", [["", say("any")], ...["1", "7", "30", "90"].map((n) => [n, n === "1" ? "24 h" : say("days", { n })])]),
        this.#choose("filter_looks", "looks_min", [["", say("any")], ["1", "1"], ["2", "2"], ["5", "5"]]),
        this.#choose("filter_surface", "surface", [["", say("any")], ["road", say("surface_road")], ["lining", say("surface_lining")]]),
        this.#choose("filter_place", "place", [["", say("any")], ["map", say("place_map")], ["none", say("place_none")]]),
        this.#field("filter_road", "road", "text"), this.#field("filter_vehicle", "vehicle", "text"), this.#field("filter_line", "line", "text"), this.#since(),
        this.#area(),
      ),
      element("div", { class: "filter-foot" }, button(say("clear_filters"), () => { this.#filter.clear(); this.#drawPanel(); }, { class: "button small" }), button(say("close"), () => this.#close(), { class: "button small primary" })),
    );
  }

  #facet(key, counts) {
    const names = [...new Set([...Object.keys(counts), ...this.#filter.all(key)])].sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0)).slice(0, 12);
    if (!names.length) return null;
    return element("fieldset", { class: "field facet" }, element("legend", {}, say(`filter_${key}`)), ...names.map((name) => {
      const tick = element("input", { type: "checkbox", checked: this.#filter.all(key).includes(name), "data-filter": key, value: name });
      tick.addEventListener("change", () => this.#filter.toggle(key, name));
      return element("label", { class: "tick" }, tick, element("span", {}, this.#wordOf(key, name)), element("span", { class: "count" }, number(counts[name] ?? 0)));
    }));
  }

  #choose(label, key, options) {
    const made = element("fieldset", { class: "field" }, element("legend", {}, say(label)));
    const buttons = options.map(([value, text]) => element("button", {
      type: "button", "data-filter": key, "data-value": value, "aria-pressed": String((this.#filter.one(key) ?? "") === value),
      onclick: (event) => {
        this.#filter.set(key, value || null);
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === event.currentTarget));
      },
    }, text));
    made.append(element("div", { class: "choices" }, ...buttons));
    return made;
  }

  #field(label, key, type) {
    const input = element("input", { type, value: this.#filter.one(key) ?? "", maxlength: 100 });
    input.addEventListener("change", () => this.#filter.set(key, input.value.trim() || null));
    return element("label", { class: "field" }, element("span", {}, say(label)), input);
  }

  #since() {
    const input = element("input", { type: "date", value: this.#filter.one("since")?.slice(0, 10) ?? "" });
    input.addEventListener("change", () => this.#filter.set("since", input.value ? `${input.value}T00:00:00Z` : null));
    return element("label", { class: "field" }, element("span", {}, say("filter_since")), input);
  }

  #area() {
    const tick = element("input", { type: "checkbox", checked: this.#filter.one("bbox") !== null, id: "filter-area" });
    tick.addEventListener("change", () => this.#filter.set("bbox", tick.checked ? this.#acts.bbox() : null));
    return element("label", { class: "tick" }, tick, say("filter_area"));
  }
}
