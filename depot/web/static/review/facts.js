// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// What is known about a case beside its picture: text, facts, what was seen when, what people did.

import { element, iconButton } from "../dom.js";
import { toast } from "../toast.js";
import { ago, className, clockFace, dateTime, day, inLanguage, knows, linePlace, number, percent, say } from "../words.js";
import { drawChart } from "./chart.js";
import { sizeOf } from "./marks.js";

/** Of a place with the same normal error along both axes, 95 % lie within so many standard deviations. */
export const RADIUS_95 = 2.45;

/** The sections beside the picture. */
export function drawFacts(found) {
  const chart = drawChart(found);
  return [
    text(found),
    element("section", { class: "facts-part" }, element("h3", {}, say("facts")), table(factsOf(found), "facts"), chart),
    history(found),
    found.observation ? folded(say("technical"), table(technical(found), "facts")) : null,
  ].filter(Boolean);
}

function text(found) {
  const words = inLanguage(found.text);
  if (!words) return null;
  const copy = iconButton("copy", say("copy"), async () => {
    await navigator.clipboard?.writeText(words).catch(() => null);
    toast(say("copied"));
  });
  return element("section", { class: "facts-part text" }, element("h3", {}, say("text"), copy), element("p", {}, words));
}

function table(rows, name) {
  const list = element("dl", { class: name });
  for (const [key, value, note] of rows) {
    list.append(element("div", {}, element("dt", {}, say(key)), element("dd", {}, value, note ? element("span", { class: "note" }, note) : null)));
  }
  return list;
}

function folded(title, ...content) {
  return element("details", { class: "facts-part" }, element("summary", {}, title), ...content);
}

function* factsOf(found) {
  yield ["size", sizeOf(found) ?? say("size_unknown"), found.size_error_m ? metres(found.size_error_m, 2) : null];
  yield* placed(found);
  yield ["seen", found.passes === 1 ? say("once") : say("times", { n: number(found.passes) }), found.vehicles > 1 ? say("by_vehicles", { n: number(found.vehicles) }) : say("by_one")];
  if (found.first_seen_utc) yield ["first_seen", ago(found.first_seen_utc), dateTime(found.first_seen_utc)];
  if (found.last_seen_utc && found.last_seen_utc !== found.first_seen_utc) yield ["last_seen_fact", ago(found.last_seen_utc), dateTime(found.last_seen_utc)];
  if (found.looks_without > 0) yield ["looks_fact", say("looked_without", { n: number(found.looks_without) }), found.last_look_utc ? ago(found.last_look_utc) : null];
  if (found.asked?.length) yield ["asked_picture", found.asked.map(({ vehicle }) => vehicle).join(", "), say("until_day", { t: day(found.asked.map(({ until_utc: end }) => end).sort().at(-1)) })];
  if (found.trend) yield ["trend", say(`trend_${found.trend}`)];
  if (found.shock_mps2 !== null && found.shock_mps2 !== undefined) yield ["wheel", say("wheel_confirms"), say("blow", { a: number(found.shock_mps2, 1) })];
  if (found.score !== null && found.score !== undefined) yield ["score", percent(found.score)];
  if (found.reject_reason) yield ["reason", say(`reject_${found.reject_reason}`)];
  if (found.note) yield ["note", found.note];
  for (const sent of found.handed_over ?? []) yield ["handed_over", handedOver(sent), [sent.status_notes, sent.error, dateTime(sent.status_utc ?? sent.created_utc)].filter(Boolean).join(" · ")];
}

function* placed(found) {
  const at = found.observation?.position;
  if (found.lon !== null && found.lon !== undefined) {
    const link = element("a", { href: `geo:${found.lat},${found.lon}`, title: say("open_in_map_app") }, degrees(found.lat, found.lon));
    yield ["position", link, at?.revised ? say("revised") : null];
    const digits = found.error_m < 0.5 ? 2 : 1;
    if (found.error_m !== null) yield ["accuracy", metres(found.error_m, digits), say("within", { m: number(RADIUS_95 * found.error_m, digits) })];
    if (at) yield ["found_by", basis(found, at)];
  } else yield ["position", say("position_unknown")];
  if (found.line) yield ["line", linePlace(found), found.chainage_error_m ? metres(found.chainage_error_m, 0) : null];
  const lining = found.observation?.lining;
  if (lining) yield ["lining", say("on_lining", { clock: clockFace(lining.clock), side: say(`lining_${lining.side}`), m: number(lining.height_m, 1) })];
}

/** What a place rests on: "GNSS, RTK fix"; "gekoppelt (Tunnel), 340 m seit letztem Fix". */
function basis(found, at) {
  if (at.method === "line") return found.line ? say("along_line", { place: linePlace(found) }) : say("along_a_line");
  if (at.method === "gnss") return [say("gnss"), at.quality && say(`quality_${at.quality}`)].filter(Boolean).join(", ");
  const how = found.surface === "lining" ? `${say("dead_reckoned")} ${say("in_tunnel")}` : say("dead_reckoned");
  return at.since_fix_m === null || at.since_fix_m === undefined ? how : `${how}, ${say("since_fix", { m: number(at.since_fix_m) })}`;
}

function* technical(found) {
  const seen = found.observation;
  if (seen.severity) yield ["severity", say("grade", { n: seen.severity.grade }), say("rule", { r: seen.severity.rule })];
  yield ["frames", seen.frames_seen === 1 ? say("frame") : say("n_frames", { n: number(seen.frames_seen) })];
  yield ["time", seen.time.utc ? dateTime(seen.time.utc, { seconds: true }) : say("time_unknown"), say(`clock_${seen.time.quality}`)];
  if (seen.heading_deg !== null && seen.heading_deg !== undefined) yield ["heading", `${number(seen.heading_deg)}°`];
  if (seen.speed_mps !== null && seen.speed_mps !== undefined) yield ["speed", `${number(seen.speed_mps * 3.6)} km/h`];
  yield ["vehicle", found.vehicle ?? "–"];
  yield ["camera", seen.calibration];
  yield ["model", `${seen.model.name} ${seen.model.version}`, seen.model.sha256.slice(0, 12)];
  yield ["software", seen.software];
  if (seen.picture) yield ["anonymised", hidden(seen.picture.anonymised), seen.picture.anonymised.method];
}

function history(found) {
  const entries = [...(found.history ?? [])].reverse(); // newest first
  if (!entries.length) return null;
  return element("section", { class: "facts-part" }, element("h3", {}, say("history")), element("ol", { class: "history" }, ...entries.map(happened)));
}

function happened(entry) {
  const byRule = entry.who?.startsWith("rule:");
  const who = byRule ? ruleName(entry.who) : entry.who;
  const action = entry.action.replace(/^case[.:]/, "").replaceAll("-", "_");
  const known = knows(`action_${action}`) ? say(`action_${action}`) : action.replaceAll("_", " ");
  const after = entry.after ?? {};
  const more = [entry.action === "classify" && className(after.class), after.reject_reason && say(`reject_${after.reject_reason}`), after.office, after.note, after.into && say("case", { n: after.into }), after.merged_into && say("case", { n: after.merged_into }), entry.action === "repaired" && after.picture && say("with_later")].filter(Boolean);
  return element("li", {}, element("span", {}, [known, ...new Set(more)].join(": ")), element("span", { class: "note" }, [who, dateTime(entry.utc)].filter(Boolean).join(" · ")));
}

function ruleName(who) {
  const name = who.slice("rule:".length).replaceAll("-", "_");
  return `${say("who_rule")}: ${knows(`rule_${name}`) ? say(`rule_${name}`) : name.replaceAll("_", " ")}`;
}

/** How it stands with the city's own reporting system. */
function handedOver({ state, request, status }) {
  return [say(`handover_${state}`), request && `Nr. ${request}`, status].filter(Boolean).join(" · ");
}

function degrees(lat, lon) {
  const one = (value, positive, negative) => `${number(Math.abs(value), 5)}°\u00a0${value < 0 ? negative : positive}`;
  return `${one(lat, "N", "S")}, ${one(lon, say("east"), "W")}`;
}

/** "± 1.8 m", never broken over two lines. */
function metres(error, digits) {
  return `±\u00a0${number(error, digits)}\u00a0m`;
}

function hidden({ people, vehicles } = {}) {
  const parts = [];
  if (people) parts.push(say("people", { n: number(people) }));
  if (vehicles) parts.push(say("vehicles_hidden", { n: number(vehicles) }));
  return parts.join(", ") || say("nothing_hidden");
}
