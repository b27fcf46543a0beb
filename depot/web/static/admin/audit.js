// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The record of changes: newest first, by sort and person.

import { getJson } from "../api.js";
import { button, element } from "../dom.js";
import { empty, field, select, table } from "../parts.js";
import { dateTime, knows, say } from "../words.js";
import { sheetHead } from "./forms.js";

const KINDS = ["case", "user", "token", "routing", "alarms", "webhook", "vehicle", "rollout"];
const PAGE = 100;

export async function audit() {
  const rows = element("div", {});
  const kind = select([["", say("all_kinds")], ...KINDS.map((one) => [one, say(`kind_${one}`)])], "", {});
  const who = element("input", { type: "search", maxlength: 100 });
  let shown = [];
  const load = async (before = null) => {
    const asked = new URLSearchParams({ limit: PAGE });
    if (kind.value) asked.set("kind", kind.value);
    if (who.value.trim()) asked.set("who", who.value.trim());
    if (before) asked.set("before", before);
    const { changes, next } = await getJson(`/api/audit?${asked}`);
    shown = before ? [...shown, ...changes] : changes;
    rows.replaceChildren(shown.length ? record(shown) : empty("note", say("no_changes"), null), next ? button(say("older"), () => load(next)) : "");
  };
  kind.addEventListener("change", () => load());
  who.addEventListener("change", () => load());
  await load();
  return [sheetHead(say("audit_about"), field(say("sort_of"), kind), field(say("who"), who)), rows];
}

function record(changes) {
  return table(say("tab_audit"), [
    [say("when"), (change) => dateTime(change.utc, { seconds: true }), "when"],
    [say("who"), (change) => change.who],
    [say("what"), (change) => [knows(`action_${change.action}`) ? say(`action_${change.action}`) : change.action.replaceAll("_", " "), element("span", { class: "minor soft" }, subject(change))]],
    [say("before"), (change) => values(change.before)],
    [say("after"), (change) => values(change.after)],
  ], changes);
}

function subject({ kind, subject: which }) {
  return kind === "case" ? element("a", { href: `/?queue=all&case=${which}` }, say("case", { n: which })) : `${kind} ${which}`;
}

function values(value) {
  if (value === null || value === undefined) return "–";
  const text = JSON.stringify(value);
  if (typeof value !== "object" || text.length > 400) return element("code", { title: text.slice(0, 2000) }, `${text.slice(0, 120)}${text.length > 120 ? " …" : ""}`);
  return element("dl", { class: "values" }, ...Object.entries(value).map(([key, one]) => element("div", {}, element("dt", {}, key), element("dd", {}, one === null ? "–" : typeof one === "object" ? JSON.stringify(one) : String(one)))));
}
