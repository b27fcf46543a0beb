// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Which key does what. Decisions have the first letter of their German or English word, the rest is the same in both.
// Single keys can be switched off (WCAG 2.1.4): who speaks to the computer would press them by accident.

import { dialog, element, keycap } from "../dom.js";
import { currentLanguage, say } from "../words.js";

const DECISIONS = {
  confirm: ["b", "c"], reject: ["a", "r"], order: ["v", "o"], assign: ["s", "a"], classify: ["p", "p"], repaired: ["r", "f"], reopen: ["w", "e"],
  note: ["n", "n"], merge: ["d", "d"], split: ["t", "s"], undo: ["z", "z"],
};
const MOVES = { next: ["j"], previous: ["k"], large: ["g"], frame: ["i"], mark: ["x"], search: ["/"], map: ["m"], help: ["?"] };
const NAMED = { classify: "key_classify", assign: "key_assign" }; // their buttons say "change" alone
const STORED = "wegewart-single-keys";

/** The key of a decision in the page's language. */
export function keyOf(action) {
  const pair = DECISIONS[action];
  return pair ? pair[currentLanguage() === "de" ? 0 : 1] : MOVES[action]?.[0];
}

/** What a pressed key asks for, or null. */
export function meaningOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !singleKeys()) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const all = [...Object.keys(DECISIONS), ...Object.keys(MOVES)];
  return all.find((action) => keyOf(action) === key) ?? null;
}

export function singleKeys() {
  return localStorage.getItem(STORED) !== "off";
}

/** Whether the pressed key belongs to a field that is being filled in. */
export function isTyping(event) {
  return Boolean(event.target.closest?.("input:not([type=checkbox]):not([type=radio]):not([type=range]), select, textarea, [contenteditable]"));
}

export function keyHelp() {
  const rows = [
    ...["confirm", "reject", "order", "classify", "assign", "repaired", "reopen", "note", "merge", "split", "undo"].map((action) => [[keyOf(action).toUpperCase()], say(NAMED[action] ?? `do_${action}`)]),
    [["1", "…", "9"], say("key_digit")], [["J", "↓"], say("key_next")], [["K", "↑"], say("key_previous")], [["G"], say("key_large")],
    [["I"], say("key_frame")], [["X"], say("key_mark")], [["M"], say("key_map")], [["/"], say("key_search")], [["Esc"], say("key_close")], [["?"], say("key_help")],
  ];
  const tick = element("input", { type: "checkbox" });
  tick.checked = singleKeys();
  tick.addEventListener("change", () => localStorage.setItem(STORED, tick.checked ? "on" : "off"));
  dialog(
    say("keys_title"), say("close"), { class: "help" },
    element("div", { class: "dialog-body" },
      element("dl", { class: "keys-table" }, ...rows.map(([keys, what]) => element("div", {}, element("dt", {}, ...keys.map((key) => key === "…" ? "…" : element("kbd", {}, key))), element("dd", {}, what)))),
      element("label", { class: "tick" }, tick, element("span", {}, say("keys_on"), element("br"), element("span", { class: "soft" }, say("keys_off_hint")))),
    ),
  );
}

/** The key beside a button's word; nothing while single keys are switched off. */
export function capOf(action) {
  return singleKeys() ? keycap(keyOf(action).toUpperCase()) : null;
}
