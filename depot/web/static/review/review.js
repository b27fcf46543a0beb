// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The section of cases: list, picture, map and facts, walked and decided by keyboard.

import { button, element, iconButton } from "../dom.js";
import { className, say } from "../words.js";
import { CaseMap } from "./casemap.js";
import { Cases } from "./cases.js";
import { Deciding } from "./deciding.js";
import { drawFacts } from "./facts.js";
import { Filter } from "./filter.js";
import { FilterBar } from "./filterbar.js";
import { capOf, isTyping, keyHelp, meaningOf } from "./keys.js";
import { Queue } from "./queue.js";
import { Stage } from "./stage.js";

const DECISIONS = new Set(["confirm", "reject", "order", "classify", "assign", "repaired", "reopen", "note", "merge", "split", "undo"]);
const AGO_MS = 30_000; // "3 minutes ago" grows old even when no news come
const REFRESH_MS = 400;
const SHORT_MS = 40;

export async function mount(root, app) {
  const review = new Review(root, app);
  await review.start();
  return () => review.stop();
}

class Review {
  #app;
  #root;
  #filter = new Filter(location.search);
  #cases = new Cases(this.#filter);
  #open = null;
  #stopping = new AbortController();
  #turn = 0;
  #refreshing = null;
  #changed = new Set(); // numbers that the next refresh asks for

  constructor(root, app) {
    this.#app = app;
    this.#root = element("div", { class: "review", "data-view": "list" });
    this.deciding = new Deciding(this.#cases, this.#filter, this, { mayPicture: app.may("dispatch") });
    this.queue = new Queue(this.#cases, this.#filter, (number, how) => this.select(number, how), () => this.#drawBulk());
    this.bar = new FilterBar(this.#filter, this.#cases, { officeName: (id) => this.deciding.officeName(id), bbox: () => this.map.bbox() });
    this.stage = new Stage({ close: () => this.close(), step: (by) => this.queue.walk(by) }, this.deciding.bar);
    this.map = new CaseMap(app, this.#filter, (number) => this.select(number, { open: true }));
    this.facts = element("section", { class: "facts-room", "aria-label": say("facts"), hidden: true });
    this.bulk = element("div", { class: "bulk", role: "group", hidden: true });
    this.#build(root);
  }

  #build(root) {
    const views = element("div", { class: "views", role: "group", "aria-label": say("queue") }, ...["list", "map"].map((view) =>
      element("button", { type: "button", "data-goto": view, "aria-pressed": String(view === "list"), onclick: () => this.#show(view) }, say(view === "list" ? "queue" : "map"))));
    this.#root.append(
      element("h1", { class: "unseen" }, say("section_review")),
      element("section", { class: "queue", "aria-label": say("cases") }, this.bar.root, this.queue.root, this.bulk),
      this.stage.root,
      element("div", { class: "context" }, this.map.root, this.facts),
      views,
    );
    root.append(this.#root);
  }

  async start() {
    const { signal } = this.#stopping;
    this.#filter.addEventListener("change", () => this.#filtered(), { signal });
    this.#cases.addEventListener("change", () => {
      this.queue.draw();
      if (this.stage.shown) this.stage.showPlace(this.#placeIn(this.stage.shown.number));
    }, { signal });
    this.#cases.addEventListener("failed", () => this.queue.fail(this.#cases.error), { signal });
    this.#cases.addEventListener("counts", () => {
      this.bar.draw();
      if (!this.#cases.rows.length && this.#cases.total !== null) this.queue.draw();
    }, { signal });
    this.#app.live.addEventListener("cases", (event) => this.#news(event.detail), { signal });
    document.addEventListener("keydown", (event) => this.#onKey(event), { signal });
    document.getElementById("help").addEventListener("click", keyHelp, { signal });
    this.ticking = setInterval(() => this.queue.draw(), AGO_MS);
    this.bar.draw();
    const asked = Number(new URLSearchParams(location.search).get("case")) || null;
    if (asked) this.select(asked, { open: true, again: true });
    this.deciding.offices().then(() => {
      this.bar.draw();
      if (this.stage.shown) this.#drawOpen(this.stage.shown);
    });
    await Promise.all([this.#cases.load(), this.map.start()]);
  }

  stop() {
    this.#stopping.abort();
    clearInterval(this.ticking);
    clearTimeout(this.#refreshing);
    this.map.stop();
  }

  /** The number of the open case, or null. */
  get open() {
    return this.#open;
  }

  /** Open a case. What the list knows stands there at once, the rest as soon as it is there. */
  async select(number, { open = false, focus = false, again = false } = {}) {
    const mine = ++this.#turn;
    const changed = number !== this.#open;
    this.#open = number;
    this.#filter.remember(number);
    this.queue.mark(number, { scroll: true });
    this.#root.toggleAttribute("data-open", number !== null);
    if (number === null) return this.#nothingOpen();
    if (open) this.#show("case");
    const row = this.#cases.row(number);
    const wanted = this.#cases.detail(number, { again });
    if (changed && row && !(await isReady(wanted)) && mine === this.#turn) {
      this.deciding.bar.replaceChildren();
      this.stage.drawRow(row, this.#placeIn(number));
    }
    try {
      const found = await wanted;
      if (mine !== this.#turn) return undefined;
      this.#drawOpen(found);
      this.map.select(found, { move: changed });
      this.#cases.prepare(number);
      if (focus) this.stage.root.focus();
    } catch (error) {
      if (mine !== this.#turn) return undefined;
      this.stage.fail(number, error);
      this.deciding.bar.replaceChildren();
      this.facts.hidden = true;
      this.map.select(null);
    }
    return undefined;
  }

  /** After a decision: on to this case, or to the empty list. */
  go(number, options = {}) {
    if (number === null) this.close();
    else this.select(number, { open: true, ...options });
  }

  /** The case that comes after this one: the next, else the one before, else none. */
  after(number) {
    const here = this.#cases.place(number);
    if (here < 0) return this.#cases.rows[0]?.number ?? null;
    return (this.#cases.rows[here + 1] ?? this.#cases.rows[here - 1])?.number ?? null;
  }

  /** A decision that leaves the case where it is. */
  changed(found) {
    this.#cases.update(found);
    this.map.refresh();
    if (this.#open === found.number) this.#drawOpen(found);
  }

  refresh() {
    this.map.refresh();
    if (this.#open !== null) this.select(this.#open);
  }

  unmark() {
    this.queue.unmark();
  }

  close() {
    this.select(null);
    this.#show("list");
    this.queue.focus();
  }

  #nothingOpen() {
    this.stage.hide();
    this.facts.hidden = true;
    this.map.select(null);
  }

  #drawOpen(found) {
    this.stage.draw(found, this.#placeIn(found.number));
    if (!this.deciding.isChoosing || found.number !== this.#drawnFor) this.deciding.draw(found);
    this.#drawnFor = found.number;
    this.facts.hidden = false;
    this.facts.replaceChildren(this.#kind(found), this.#office(found), ...drawFacts(found));
    this.facts.scrollTop = 0;
  }

  #drawnFor = null;

  #kind(found) {
    const how = found.class_by ? say("said_by", { who: found.class_by, seen: className(found.class_seen) }) : null;
    return element(
      "section", { class: "facts-part changeable" }, element("h3", {}, say("filter_class")),
      element("p", {}, element("strong", {}, className(found.class)), how ? element("span", { class: "note" }, how) : null),
      this.#change("classify", found),
    );
  }

  #change(action, found) {
    if (!(found.actions ?? []).includes(action)) return null;
    return button([say(`do_${action}`), capOf(action)], () => this.deciding.start(action, found), { class: "button small", "data-action": action });
  }

  #office(found) {
    const title = found.office ? this.deciding.officeName(found.office) : say("no_office");
    const how = !found.office ? null : found.office_by ? say("chosen_by", { who: found.office_by }) : say("proposed");
    return element(
      "section", { class: "facts-part changeable office" }, element("h3", {}, say("office")),
      element("p", {}, element("strong", {}, title), how ? element("span", { class: "note" }, how) : null),
      this.#handOver(found),
      this.#change("assign", found),
    );
  }

  /** Nothing goes to the city's system twice: once it was handed over only a refusal can be tried again. */
  #handOver(found) {
    const before = found.handed_over ?? [];
    const again = before.some(({ state }) => state === "refused");
    const first = !before.length && this.#app.settings.hands_over && ["confirmed", "ordered"].includes(found.state) && found.lon !== null;
    if (!this.#app.may("dispatch") || !(again || first)) return null;
    return button(say(again ? "hand_over_again" : "hand_over"), () => this.deciding.handOver(found.number), { class: again ? "link" : "button small", "data-action": "handover" });
  }

  #placeIn(number) {
    const here = this.#cases.place(number);
    return here < 0 || this.#cases.total === null ? null : say("position_in", { n: here + 1, all: this.#cases.total });
  }

  #filtered() {
    this.#filter.remember(this.#open);
    this.bar.draw();
    this.#cases.near = this.map.center();
    this.#cases.load();
    this.map.refresh({ fit: true });
  }

  #news({ cases, gone }) {
    for (const number of [...cases.map((one) => one.number), ...gone]) this.#changed.add(number);
    this.#refreshing ??= setTimeout(async () => {
      const numbers = [...this.#changed];
      this.#changed.clear();
      this.#refreshing = null;
      await this.#cases.again(numbers);
      this.map.refresh();
      if (numbers.includes(this.#open)) this.select(this.#open);
    }, REFRESH_MS);
  }

  /** On a phone one of list, map and case is shown at a time. */
  #show(view) {
    this.#root.dataset.view = view;
    for (const tab of this.#root.querySelectorAll("[data-goto]")) tab.setAttribute("aria-pressed", String(tab.dataset.goto === view));
    this.map.resize();
  }

  #drawBulk() {
    const { marked } = this.queue;
    this.bulk.hidden = marked.size === 0;
    if (!marked.size) return;
    const act = (action) => button(say(`do_${action}`), () => this.deciding.many([...marked], action), { class: "button small" });
    this.bulk.replaceChildren(
      element("strong", {}, say("marked", { n: marked.size })),
      ...(this.#app.may("decide") ? [act("confirm")] : []), ...(this.#app.may("dispatch") ? [act("order"), act("assign")] : []), ...(this.#app.may("decide") ? [act("reject")] : []),
      iconButton("close", say("unmark"), () => this.queue.unmark()),
    );
  }

  #onKey(event) {
    if (event.defaultPrevented || isTyping(event)) return;
    const dialogOpen = document.querySelector("dialog[open]");
    if (dialogOpen && dialogOpen.id !== "large") return;
    if (event.key === "Escape") return this.#onEscape(event, dialogOpen);
    if (this.deciding.isChoosing && /^[1-9]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      if (this.deciding.digit(event.key)) event.preventDefault();
      return undefined;
    }
    const arrow = { ArrowDown: "next", ArrowUp: "previous" }[event.key];
    const inList = event.target === document.body || event.target.closest(".stage") === event.target || event.target.id === "section";
    const meaning = arrow && inList && !dialogOpen ? arrow : meaningOf(event);
    if (!meaning) return undefined;
    event.preventDefault();
    if (dialogOpen) return meaning === "large" ? dialogOpen.close() : undefined;
    return this.#doKey(meaning);
  }

  #doKey(meaning) {
    if (DECISIONS.has(meaning)) {
      const { marked } = this.queue;
      if (marked.size && ["confirm", "reject", "order", "assign"].includes(meaning)) return this.deciding.many([...marked], meaning);
      // Never decide on what is no longer, or not yet, on the screen.
      const found = this.stage.shown?.number === this.#open ? this.stage.shown : null;
      return found || meaning === "undo" ? this.deciding.start(meaning, found) : undefined;
    }
    switch (meaning) {
      case "next": return this.queue.walk(1);
      case "previous": return this.queue.walk(-1);
      case "large": return this.stage.large();
      case "frame": return this.stage.nextFrame();
      case "mark": return this.queue.toggleMark(this.#open);
      case "search": return this.bar.focusSearch();
      case "map": return this.map.focus();
      default: return keyHelp();
    }
  }

  #onEscape(event, dialogOpen) {
    if (dialogOpen) return;
    if (!this.deciding.cancel() && this.#open !== null) this.close();
    event.preventDefault();
  }
}

/** Whether it is there before anybody would see a gap. */
function isReady(promise) {
  return Promise.race([promise.then(() => true, () => true), new Promise((late) => setTimeout(() => late(false), SHORT_MS))]);
}
