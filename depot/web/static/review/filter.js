// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Which cases the page shows: kept in the address, so that a link shows the same to everybody.

export const QUEUES = {
  open: ["new", "reopened"], confirmed: ["confirmed"], ordered: ["ordered"], repaired: ["repaired"], rejected: ["rejected"], all: [],
};
export const MANY = ["class", "district", "office", "line", "vehicle", "trend"];
const ONE = ["grade_min", "score_min", "since", "seen_days", "looks_min", "surface", "place", "road", "q", "bbox"];
export const SORTS = ["urgency", "newest", "oldest", "grade", "near"];

export class Filter extends EventTarget {
  #params;

  constructor(search) {
    super();
    this.#params = new URLSearchParams(search);
  }

  /** The values of a key. */
  all(key) {
    return this.#params.getAll(key);
  }

  /** The value of a key, or null. */
  one(key) {
    return this.#params.get(key);
  }

  set(key, value) {
    this.#params.delete(key);
    for (const one of [value].flat()) if (one !== null && one !== undefined && (one !== "" || MANY.includes(key))) this.#params.append(key, one);
    this.#tell();
  }

  /** Add the value, or take it away. */
  toggle(key, value) {
    const others = this.all(key).filter((one) => one !== value);
    this.set(key, others.length < this.all(key).length ? others : [...others, value]);
  }

  clear() {
    for (const key of [...MANY, ...ONE, "state"]) this.#params.delete(key);
    this.#tell();
  }

  get queue() {
    const asked = this.one("queue");
    return asked in QUEUES ? asked : "open";
  }

  get sort() {
    return SORTS.includes(this.one("sort")) ? this.one("sort") : "urgency";
  }

  /** Keys besides the queue that restrict what is shown: [key, value]. */
  get active() {
    return [...MANY, ...ONE].flatMap((key) => this.all(key).map((value) => [key, value]));
  }

  /** What the depot is asked. `queue`: false leaves the state out, for counts of all queues. */
  query({ queue = true } = {}) {
    const asked = new URLSearchParams();
    if (queue) for (const state of QUEUES[this.queue]) asked.append("state", state);
    for (const [key, value] of this.active) asked.append(key, value);
    return asked;
  }

  /** Put the filter and the open case into the address, without a new entry in the history. */
  remember(number) {
    if (number === null) this.#params.delete("case");
    else this.#params.set("case", number);
    const search = this.#params.toString();
    history.replaceState(null, "", search ? `?${search}` : location.pathname);
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
