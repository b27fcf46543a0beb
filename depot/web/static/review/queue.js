// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The list of cases: one row a case, walked by keyboard, several marked for one decision.

import { button, element, icon } from "../dom.js";
import { ago, number, say, trouble } from "../words.js";
import { gradeMark, lookedMark, nameOf, placeOf, sizeOf, stateMark, timesOf, trendMark } from "./marks.js";

export class Queue {
  marked = new Set();
  #cases;
  #filter;
  #select;
  #list;
  #seen = null; // numbers that were shown before; null: nothing yet
  #current = null;
  #drawn = new Map(); // number -> { key, row }

  /** `select(number, { open })` is called when a row is chosen. */
  constructor(cases, filter, select, onMarked) {
    this.#cases = cases;
    this.#filter = filter;
    this.#select = select;
    this.onMarked = onMarked;
    this.#list = element("div", { id: "list", class: "list", role: "listbox", tabindex: "0", "aria-label": say("cases"), "aria-multiselectable": "false" });
    this.#list.addEventListener("click", (event) => this.#onClick(event));
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    this.#list.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.root = element("div", { class: "list-room" }, this.#list);
    this.#list.append(waiting());
  }

  draw() {
    const { rows } = this.#cases;
    const shown = rows.map((row) => this.#row(row));
    this.#seen = new Set([...(this.#seen ?? []), ...rows.map(({ number: n }) => n)]);
    for (const n of this.#drawn.keys()) if (this.#cases.place(n) < 0) this.#drawn.delete(n);
    const here = this.#list.scrollTop;
    this.#list.replaceChildren(...shown);
    this.root.querySelector(".empty")?.remove();
    this.#list.hidden = !rows.length;
    if (!rows.length) this.root.append(this.#empty());
    this.#list.scrollTop = here;
    this.mark(this.#current);
  }

  fail(error) {
    this.#list.hidden = true;
    this.root.querySelector(".empty")?.remove();
    this.root.append(element(
      "div", { class: "empty", role: "alert" }, icon("warning", 34), element("h2", {}, say("load_failed")), element("p", {}, trouble(error)),
      button(say("retry"), () => this.#cases.load()),
    ));
  }

  /** Show which case is open and bring its row into view. */
  mark(open, { scroll = false } = {}) {
    this.#current = open;
    for (const row of this.#list.querySelectorAll('[aria-selected="true"]')) row.setAttribute("aria-selected", "false");
    const row = open === null ? null : document.getElementById(`case-${open}`);
    row?.setAttribute("aria-selected", "true");
    if (row) this.#list.setAttribute("aria-activedescendant", row.id);
    else this.#list.removeAttribute("aria-activedescendant");
    if (scroll) row?.scrollIntoView({ block: "nearest" });
  }

  /** Walk by `step` rows. */
  async walk(step) {
    const { rows } = this.#cases;
    const here = this.#cases.place(this.#current);
    let next = here < 0 ? 0 : Math.min(Math.max(here + step, 0), rows.length - 1);
    if (here + step >= rows.length && this.#cases.hasMore) {
      await this.#cases.more();
      next = Math.min(here + step, this.#cases.rows.length - 1);
    }
    const row = this.#cases.rows[next];
    if (row) this.#select(row.number, {});
  }

  focus() {
    this.#list.focus();
  }

  toggleMark(open) {
    if (open === null) return;
    if (!this.marked.delete(open)) this.marked.add(open);
    this.#drawn.clear();
    this.draw();
    this.onMarked();
  }

  unmark() {
    this.marked.clear();
    this.#drawn.clear();
    this.draw();
    this.onMarked();
  }

  #onClick(event) {
    const row = event.target.closest("[data-case]");
    if (!row) return;
    const chosen = Number(row.dataset.case);
    if (event.ctrlKey || event.metaKey) this.toggleMark(chosen);
    else if (event.shiftKey && this.#current !== null) {
      const [from, to] = [this.#cases.place(this.#current), this.#cases.place(chosen)].sort((a, b) => a - b);
      for (const { number: n } of this.#cases.rows.slice(from, to + 1)) this.marked.add(n);
      this.#drawn.clear();
      this.draw();
      this.onMarked();
    } else this.#select(chosen, { open: true });
  }

  #onKey(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) this.walk(steps[event.key]);
    else if (event.key === "Enter" && this.#current !== null) this.#select(this.#current, { open: true, focus: true });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #onScroll() {
    if (this.#list.scrollTop + this.#list.clientHeight > this.#list.scrollHeight - 600) this.#cases.more();
  }

  #row(found) {
    const age = ago(found.last_seen_utc ?? found.opened_utc);
    const isMarked = this.marked.has(found.number);
    const key = `${found.changed} ${found.state} ${age} ${isMarked}`;
    const known = this.#drawn.get(found.number);
    if (known?.key === key) return known.row;
    const fresh = this.#seen !== null && !this.#seen.has(found.number);
    const facts = [timesOf(found), sizeOf(found)].filter(Boolean);
    const row = element(
      "div",
      {
        role: "option", id: `case-${found.number}`, "data-case": found.number, "aria-selected": "false", "aria-checked": this.marked.size ? String(isMarked) : null,
        class: ["row", fresh && "fresh", isMarked && "marked"].filter(Boolean).join(" "),
      },
      gradeMark(found.grade),
      element("span", { class: "row-line" }, element("span", { class: "row-name" }, nameOf(found), shownState(found, this.#filter) ? stateMark(found.state) : null), element("span", { class: "row-number" }, say("case", { n: found.number }))),
      element("span", { class: "row-line" }, element("span", { class: "row-place" }, placeOf(found)), found.looks_without > 0 ? lookedMark(found) : trendMark(found.trend)),
      element("span", { class: "row-line" }, element("span", { class: "row-facts" }, facts.join(" · ")), element("span", { class: "row-time" }, age)),
    );
    this.#drawn.set(found.number, { key, row });
    return row;
  }

  #empty() {
    const filtered = this.#filter.active.length > 0;
    const counts = this.#cases.counts;
    const none = counts && !filtered && counts.total === 0;
    const what = filtered ? ["none_match", "none_match_more"] : none || !counts ? ["none_yet", "none_yet_more"]
      : this.#filter.queue === "open" ? ["all_done", "all_done_more"] : ["none_match", "none_match_more"];
    return element(
      "div", { class: "empty" }, icon(filtered ? "filter" : "confirmed", 34), element("h2", {}, say(what[0])), element("p", {}, say(what[1])),
      filtered ? button(say("clear_filters"), () => this.#filter.clear()) : null,
    );
  }
}

/** The queue says the state of most; that of the others stands in the row. */
function shownState({ state }, filter) {
  return state === "reopened" || filter.queue === "all";
}

function waiting() {
  return element("div", { class: "waiting", "aria-label": say("loading"), role: "status" }, ...Array.from({ length: 12 }, () => element("span")));
}
