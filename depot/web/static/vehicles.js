// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The vehicles as they are now, what is wrong with which, and what each measured lately.

import { getJson } from "./api.js";
import { dialog, element, icon, svg } from "./dom.js";
import { choices, empty, failed, figure, table, waiting } from "./parts.js";
import { softwareDetails, softwareView } from "./software.js";
import { ago, currentLanguage, dateTime, inLanguage, number, say } from "./words.js";

const POLL_MS = 10_000;
const HOURS = 24;
const DEPOT = "depot"; // its own alarms
const DRAWN = [["temperature_c", "temperature", "°C"], ["disk_free_mb", "disk", "MB"], ["position_error_m", "accuracy", "m"], ["speed_mps", "speed", "m/s"]];

export async function mount(root, app) {
  const head = element("header", { class: "page-head" }, element("h1", {}, say("fleet_title")));
  const body = element("div", { class: "fleet-body" }, waiting());
  const open = (name) => details(name, app);
  const views = { state: stateView(open), software: softwareView(open) };
  let view = new URLSearchParams(location.search).get("view") === "software" ? "software" : "state";
  const show = async (wanted) => {
    view = wanted;
    history.replaceState(null, "", view === "software" ? "?view=software" : location.pathname);
    body.replaceChildren(waiting());
    await load();
  };
  const load = async () => {
    const mine = view;
    try {
      const [{ features }, { alarms }] = await Promise.all([getJson("/api/vehicles"), getJson("/api/alarms?open=true").catch(() => ({ alarms: [] })), views[mine].load()]);
      const vehicles = features.map(({ properties }) => properties);
      if (mine !== view) return;
      drawHead(head, vehicles, alarms);
      views.state.draw(vehicles, alarms);
      if (!body.contains(views[mine].node)) body.replaceChildren(views[mine].node);
    } catch (error) {
      if (!body.querySelector("[data-vehicle]")) body.replaceChildren(failed(error, load));
    }
  };
  root.append(element("div", { class: "page fleet" }, head, choices(say("view"), [["state", say("view_state")], ["software", say("view_software")]], view, show), body));
  await load();
  const polling = setInterval(load, POLL_MS);
  return () => clearInterval(polling);
}

function drawHead(head, vehicles, alarms) {
  const online = vehicles.filter(({ online: is, state }) => is ?? state === "online").length;
  head.replaceChildren(element("h1", {}, say("fleet_title")), element("div", { class: "figures" }, figure(number(online), say("online_of", { n: number(vehicles.length) })), figure(number(alarms.length), say("alarms"))));
}

/** How the vehicles are now. */
function stateView(open) {
  const node = element("div", { class: "fleet-body" });
  const draw = (vehicles, alarms) => {
    const focused = document.activeElement?.dataset?.details;
    node.replaceChildren(...[
      alarms.length ? element("ul", { class: "alarms", "aria-label": say("alarms") }, ...alarms.map(alarmRow)) : vehicles.length ? element("p", { class: "all-well" }, icon("confirmed", 18), say("no_alarms")) : "",
      vehicles.length ? fleetTable(vehicles, open) : empty("vehicles", say("no_vehicles"), say("no_vehicles_more")),
    ].filter(Boolean));
    if (focused) node.querySelector(`[data-details="${CSS.escape(focused)}"]`)?.focus();
  };
  return { node, draw, load: async () => null };
}

function alarmRow(alarm) {
  const what = alarm.title ? inLanguage(alarm.title) : (alarm[`title_${currentLanguage()}`] ?? alarm.rule);
  return element("li", {}, icon("warning", 18), element("span", {}, element("strong", {}, alarm.vehicle === DEPOT ? say("the_depot") : alarm.vehicle), ` ${what}`), element("span", { class: "soft" }, say("alarm_since", { t: dateTime(alarm.since_utc) })));
}

function fleetTable(vehicles, open) {
  return table(say("fleet_title"), [
    [say("vehicle"), (v) => [element("button", { type: "button", class: "link strong", "data-details": v.vehicle, "data-vehicle": v.vehicle, onclick: () => open(v.vehicle) }, v.vehicle), stateOf(v)], "vehicle-cell"],
    [say("position_age"), (v) => [v.position_utc ? ago(v.position_utc) : "–", small(fixOf(v))]],
    [say("temperature"), (v) => [measured(v.temperature_c, 0, "°C"), v.throttled ? element("span", { class: "minor bad" }, say("throttled")) : ""], "number"],
    [say("disk"), (v) => bytes(v.disk_free_mb), "number"],
    [say("waiting_events"), (v) => [v.events_pending === null || v.events_pending === undefined ? "–" : number(v.events_pending), v.queue_age_s ? small(duration(v.queue_age_s)) : ""], "number"],
    [say("frame_rate"), (v) => (v.frame_rate_fps === null || v.frame_rate_fps === undefined ? "–" : say("per_second", { n: number(v.frame_rate_fps, 1) })), "number"],
    [say("software"), (v) => [v.release ?? v.software ?? "–", small((v.models ?? []).join(", "))]],
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

async function details(name, app) {
  const body = element("div", { class: "dialog-body" }, waiting());
  dialog(name, say("close"), { class: "wide-dialog", id: "vehicle" }, body);
  await fillDetails(body, name, app);
}

async function fillDetails(body, name, app) {
  try {
    const found = await getJson(`/api/vehicles/${encodeURIComponent(name)}?hours=${HOURS}`);
    body.replaceChildren(...[
      (found.faults ?? []).length ? element("ul", { class: "alarms" }, ...found.faults.map((fault) => element("li", {}, icon("warning", 18), fault))) : "",
      element("dl", { class: "counters" }, ...gaugesOf(found).map(([word, value]) => element("div", {}, element("dt", {}, word), element("dd", {}, value)))),
      ...softwareDetails(found, app, () => fillDetails(body, name, app)),
      element("h3", {}, say("readings", { n: HOURS })), element("div", { class: "sparks" }, ...sparks(found.readings ?? [])),
      element("h3", {}, say("counters")), element("dl", { class: "counters" }, ...Object.entries(found.counters ?? {}).map(([key, value]) => element("div", {}, element("dt", {}, key.replaceAll("_", " ")), element("dd", {}, number(value))))),
      ...((found.alarms ?? []).length ? [element("h3", {}, say("past_alarms")), element("ul", { class: "alarms" }, ...found.alarms.map(alarmRow))] : []),
    ].filter(Boolean));
  } catch (error) {
    body.replaceChildren(failed(error, () => fillDetails(body, name, app)));
  }
}

/** What says whether events get away and whether places are good. */
function gaugesOf(vehicle) {
  const waits = vehicle.queue_age_s;
  return [[say("queue_age"), waits === null || waits === undefined ? "–" : waits ? duration(waits) : say("none")], [say("fix_quality"), fixOf(vehicle) || "–"]];
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

