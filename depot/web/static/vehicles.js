// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The vehicles as they are now, what is wrong with which, and what each measured lately.

import { getJson } from "./api.js";
import { dialog, element, icon, svg } from "./dom.js";
import { empty, failed, figure, table, waiting } from "./parts.js";
import { ago, currentLanguage, dateTime, inLanguage, number, say } from "./words.js";

const POLL_MS = 10_000;
const HOURS = 24;
const DRAWN = [["temperature_c", "temperature", "°C"], ["disk_free_mb", "disk", "MB"], ["position_error_m", "accuracy", "m"], ["speed_mps", "speed", "m/s"]];

export async function mount(root) {
  const room = element("div", { class: "page fleet" }, element("h1", {}, say("fleet_title")), waiting());
  root.append(room);
  const load = async () => {
    try {
      const [{ features }, { alarms }] = await Promise.all([getJson("/api/vehicles"), getJson("/api/alarms?open=true").catch(() => ({ alarms: [] }))]);
      draw(room, features.map(({ properties }) => properties), alarms);
    } catch (error) {
      if (!room.querySelector("[data-vehicle]")) room.replaceChildren(element("h1", {}, say("fleet_title")), failed(error, load));
    }
  };
  await load();
  const polling = setInterval(load, POLL_MS);
  return () => clearInterval(polling);
}

function draw(room, vehicles, alarms) {
  const focused = document.activeElement?.dataset?.details;
  const online = vehicles.filter(({ online: is, state }) => is ?? state === "online").length;
  room.replaceChildren(
    element("header", { class: "page-head" }, element("h1", {}, say("fleet_title")), element("div", { class: "figures" }, figure(number(online), say("online_of", { n: number(vehicles.length) })), figure(number(alarms.length), say("alarms")))),
    alarms.length ? element("ul", { class: "alarms", "aria-label": say("alarms") }, ...alarms.map(alarmRow)) : vehicles.length ? element("p", { class: "all-well" }, icon("confirmed", 18), say("no_alarms")) : "",
    vehicles.length ? fleetTable(vehicles) : empty("vehicles", say("no_vehicles"), say("no_vehicles_more")),
  );
  if (focused) room.querySelector(`[data-details="${CSS.escape(focused)}"]`)?.focus();
}

function alarmRow(alarm) {
  const what = alarm.title ? inLanguage(alarm.title) : (alarm[`title_${currentLanguage()}`] ?? alarm.rule);
  return element("li", {}, icon("warning", 18), element("span", {}, element("strong", {}, alarm.vehicle), ` ${what}`), element("span", { class: "soft" }, say("alarm_since", { t: dateTime(alarm.since_utc) })));
}

function fleetTable(vehicles) {
  return table(say("fleet_title"), [
    [say("vehicle"), (v) => [element("button", { type: "button", class: "link strong", "data-details": v.vehicle, "data-vehicle": v.vehicle, onclick: () => details(v.vehicle) }, v.vehicle), stateOf(v)], "vehicle-cell"],
    [say("position_age"), (v) => [v.position_utc ? ago(v.position_utc) : "–", small(fixOf(v))]],
    [say("temperature"), (v) => [measured(v.temperature_c, 0, "°C"), v.throttled ? element("span", { class: "minor bad" }, say("throttled")) : ""], "number"],
    [say("disk"), (v) => bytes(v.disk_free_mb), "number"],
    [say("waiting_events"), (v) => [v.events_pending === null || v.events_pending === undefined ? "–" : number(v.events_pending), v.queue_age_s ? small(duration(v.queue_age_s)) : ""], "number"],
    [say("frame_rate"), (v) => (v.frame_rate_fps === null || v.frame_rate_fps === undefined ? "–" : say("per_second", { n: number(v.frame_rate_fps, 1) })), "number"],
    [say("software"), (v) => [v.software ?? "–", small((v.models ?? []).join(", "))]],
    [say("last_error"), (v) => (v.last_error ? element("span", { class: "bad" }, v.last_error) : element("span", { class: "soft" }, say("nothing_wrong")))],
  ], vehicles);
}

function stateOf(vehicle) {
  return element("span", { class: "vehicle-state", "data-state": vehicle.state }, say(`vehicle_${vehicle.state ?? "unknown"}`), element("span", { class: "soft" }, vehicle.seen_utc ? say("heard", { t: ago(vehicle.seen_utc) }) : say("never_heard")));
}

function fixOf({ fix_method: method, fix_quality: quality, position_error_m: error }) {
  return [method && say(`method_${method}`), quality && say(`quality_${quality}`), error !== null && error !== undefined && `±\u00a0${number(error, 1)}\u00a0m`].filter(Boolean).join(", ");
}

function small(text) {
  return text ? element("span", { class: "minor soft" }, text) : "";
}

function measured(value, digits, unit) {
  return value === null || value === undefined ? "–" : `${number(value, digits)} ${unit}`;
}

function bytes(megabytes) {
  return megabytes !== null && megabytes !== undefined && megabytes >= 1000 ? measured(megabytes / 1000, 1, "GB") : measured(megabytes, 0, "MB");
}

function duration(seconds) {
  if (seconds < 90) return say("duration_s", { n: number(seconds) });
  return seconds < 5400 ? say("duration_min", { n: number(seconds / 60) }) : say("duration_h", { n: number(seconds / 3600, 1) });
}

async function details(name) {
  const body = element("div", { class: "dialog-body" }, waiting());
  dialog(name, say("close"), { class: "wide-dialog", id: "vehicle" }, body);
  try {
    const found = await getJson(`/api/vehicles/${encodeURIComponent(name)}?hours=${HOURS}`);
    body.replaceChildren(
      (found.faults ?? []).length ? element("ul", { class: "alarms" }, ...found.faults.map((fault) => element("li", {}, icon("warning", 18), fault))) : "",
      element("h3", {}, say("readings", { n: HOURS })), element("div", { class: "sparks" }, ...sparks(found.readings ?? [])),
      element("h3", {}, say("counters")), element("dl", { class: "counters" }, ...Object.entries(found.counters ?? {}).map(([key, value]) => element("div", {}, element("dt", {}, key.replaceAll("_", " ")), element("dd", {}, number(value))))),
      ...((found.alarms ?? []).length ? [element("h3", {}, say("past_alarms")), element("ul", { class: "alarms" }, ...found.alarms.map(alarmRow))] : []),
    );
  } catch (error) {
    body.replaceChildren(failed(error, () => details(name)));
  }
}

function sparks(readings) {
  const drawn = DRAWN.map(([key, word, unit]) => [word, unit, readings.filter((reading) => Number.isFinite(reading[key])).map((reading) => [Date.parse(reading.utc), reading[key]]).reverse()]).filter(([, , points]) => points.length > 1);
  return drawn.length ? drawn.map(([word, unit, points]) => spark(say(word), unit, points)) : [element("p", { class: "soft" }, say("no_readings"))];
}

function spark(word, unit, points) {
  const values = points.map(([, value]) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [points[0][0], points.at(-1)[0]];
  const path = points.map(([time, value], place) => `${place ? "L" : "M"}${(300 * (time - first)) / Math.max(last - first, 1)} ${56 - (50 * (value - least)) / Math.max(most - least, 1e-9)}`).join("");
  return element(
    "figure", { class: "spark" }, element("figcaption", {}, word, element("strong", {}, `${number(values.at(-1), 1)} ${unit}`)),
    svg("svg", { viewBox: "0 0 300 60", preserveAspectRatio: "none", role: "img", "aria-label": `${word}: ${number(least, 1)} – ${number(most, 1)} ${unit}, ${dateTime(new Date(first))} – ${dateTime(new Date(last))}` }, svg("path", { d: path })),
    element("span", { class: "soft" }, `${number(least, 1)} – ${number(most, 1)} ${unit}`),
  );
}

