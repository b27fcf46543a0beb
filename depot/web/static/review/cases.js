// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The cases of the list, page by page, and single cases in full, kept near so that the next one shows at once.
// Fires "change" after the rows have changed and "failed" where the depot gave no list.

import { getJson } from "../api.js";

const PAGE = 50;
const MOST_AGAIN = 200; // rows that are asked for again when something changed
const AHEAD = 3; // cases that are fetched before they are wanted
const KEPT = 60;

export class Cases extends EventTarget {
  rows = [];
  total = null; // not known yet
  error = null;
  counts = null;
  #filter;
  #cursor = null;
  #near = null;
  #details = new Map(); // number -> promise of the case in full
  #asking = null; // what the last question can be stopped with
  #turn = 0; // of the answers to a whole list only the newest counts
  #gone = new Set(); // decided on a moment ago: a list that was asked for before may still have them

  constructor(filter) {
    super();
    this.#filter = filter;
  }

  /** Ask for the first page. */
  async load() {
    this.#asking?.abort();
    this.#asking = new AbortController();
    this.#gone.clear();
    const mine = ++this.#turn;
    try {
      const page = await this.#page(PAGE, null);
      if (mine === this.#turn) this.#take(page, page.cases);
    } catch (error) {
      if (error.name === "AbortError" || mine !== this.#turn) return;
      this.error = error;
      this.dispatchEvent(new Event("failed"));
    }
    this.#count();
  }

  /** The next page, if there is one. */
  async more() {
    if (!this.#cursor) return;
    const mine = this.#turn;
    const cursor = this.#cursor;
    this.#cursor = null; // asked for once
    try {
      const page = await this.#page(PAGE, cursor);
      if (mine !== this.#turn) return;
      const known = new Set(this.rows.map(({ number }) => number));
      this.#take(page, [...this.rows, ...page.cases.filter(({ number }) => !known.has(number))]);
    } catch (error) {
      if (mine === this.#turn) this.#cursor = cursor;
      if (error.name !== "AbortError") console.warn("no more cases:", error.message);
    }
  }

  /** Ask again for what is shown, since cases have changed. What a person decides meanwhile comes first. */
  async again(numbers) {
    for (const number of numbers) {
      this.#details.delete(number);
      this.#gone.delete(number);
    }
    const mine = ++this.#turn;
    try {
      const page = await this.#page(Math.min(Math.max(this.rows.length, PAGE), MOST_AGAIN), null);
      if (mine !== this.#turn) return;
      const fresh = new Set(page.cases.map(({ number }) => number));
      const rest = this.rows.length > MOST_AGAIN ? this.rows.slice(MOST_AGAIN).filter(({ number }) => !fresh.has(number)) : [];
      const kept = rest.length ? { ...page, next: this.#cursor } : page;
      this.#take(kept, [...page.cases, ...rest]);
    } catch (error) {
      if (error.name !== "AbortError") console.warn("the list could not be asked again:", error.message);
    }
    this.#count();
  }

  get hasMore() {
    return this.#cursor !== null;
  }

  place(number) {
    return this.rows.findIndex((row) => row.number === number);
  }

  row(number) {
    return this.rows[this.place(number)] ?? null;
  }

  /** The case in full; asked once, then kept until it changes. */
  detail(number, { again = false } = {}) {
    if (again) this.#details.delete(number);
    const known = this.#details.get(number);
    if (known) return known;
    const asked = getJson(`/api/cases/${number}`);
    this.#details.set(number, asked);
    asked.catch(() => this.#details.delete(number));
    if (this.#details.size > KEPT) this.#details.delete(this.#details.keys().next().value);
    return asked;
  }

  /** Fetch what comes next in the list, with its pictures, before it is wanted. */
  prepare(number) {
    const here = this.place(number);
    for (const row of this.rows.slice(here + 1, here + 1 + AHEAD)) {
      if (this.#details.has(row.number)) continue;
      this.detail(row.number).then(({ pictures }) => {
        for (const picture of pictures.filter(({ stored }) => stored).slice(0, 2)) new Image().src = pictureUrl(picture.sha256);
      }, () => null);
    }
  }

  /** Take over a case as it is after a decision; rows that leave the queue go, the others stay in their place. */
  update(detail) {
    this.#gone.delete(detail.number);
    this.#details.set(detail.number, Promise.resolve(detail));
    const here = this.place(detail.number);
    if (here >= 0) this.rows[here] = { ...this.rows[here], ...detail };
    this.dispatchEvent(new Event("change"));
  }

  /** Take a case out of the list at once; the depot's answer to the decision comes later. */
  remove(number) {
    this.#gone.add(number);
    this.#details.delete(number);
    const here = this.place(number);
    if (here < 0) return;
    this.rows.splice(here, 1);
    if (this.total !== null) this.total -= 1;
    this.dispatchEvent(new Event("change"));
    if (this.rows.length < PAGE / 2) this.more();
  }

  /** Where "near" starts from: [lon, lat]. */
  set near(place) {
    this.#near = place;
  }

  #page(limit, cursor) {
    const asked = this.#filter.query();
    asked.set("sort", this.#filter.sort);
    asked.set("limit", limit);
    if (cursor) asked.set("cursor", cursor);
    if (this.#filter.sort === "near" && this.#near) asked.set("near", this.#near.map((value) => value.toFixed(6)).join(","));
    return getJson(`/api/cases?${asked}`, { signal: this.#asking?.signal });
  }

  #take(page, rows) {
    this.rows = rows.filter(({ number }) => !this.#gone.has(number));
    this.total = page.total - (rows.length - this.rows.length);
    this.#cursor = page.next;
    this.error = null;
    this.dispatchEvent(new Event("change"));
  }

  async #count() {
    try {
      this.counts = await getJson(`/api/counts?${this.#filter.query({ queue: false })}`);
      this.dispatchEvent(new Event("counts"));
    } catch (error) {
      console.warn("no counts:", error.message);
    }
  }
}

export function pictureUrl(sha256) {
  return `/pictures/${sha256}.jpg`;
}
