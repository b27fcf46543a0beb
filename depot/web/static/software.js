// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Who runs what: a table with filters, and what belongs to it in a vehicle's details.

import { getJson, send } from "./api.js";
import { button, element, icon } from "./dom.js";
import { empty, field, select, table } from "./parts.js";
import { toast } from "./toast.js";
import { ago, dateTime, knows, number, say, trouble } from "./words.js";

const FILTERS = [["group", "any_group"], ["release", "any_release"], ["update_state", "any_update"]];

/** The view: `node` to show, `load` to ask anew. `open(name)` shows a vehicle's details. */
export function softwareView(open) {
  const chosen = { group: "", release: "", update_state: "" };
  const retired = element("input", { type: "checkbox" });
  const bar = element("div", { class: "filter-line" });
  const room = element("div", {});
  const csv = element("a", { class: "button", download: "software.csv" }, icon("download", 18), say("download_csv"));
  let found = [];
  const asked = () => new URLSearchParams([...Object.entries(chosen).filter(([, value]) => value), ...(retired.checked ? [["retired", "true"]] : [])]);
  const draw = () => {
    csv.href = `/api/fleet/software.csv?${asked()}`;
    const fitting = found.filter((one) => Object.entries(chosen).every(([key, value]) => !value || (one[key] ?? "none") === value));
    const focused = document.activeElement?.dataset?.details;
    room.replaceChildren(fitting.length ? softwareTable(fitting, open) : empty("vehicles", say(found.length ? "no_vehicle_fits" : "no_vehicles"), null));
    if (focused) room.querySelector(`[data-details="${CSS.escape(focused)}"]`)?.focus();
  };
  const drawFilters = () => bar.replaceChildren(
    ...FILTERS.map(([key, any]) => {
      const values = [...new Set([...found.map((one) => one[key] ?? "none"), chosen[key]].filter(Boolean))].sort();
      const made = select([["", say(any)], ...values.map((value) => [value, nameOf(key, value)])], chosen[key], { "data-filter": key, "aria-label": say(any) });
      made.addEventListener("change", () => { chosen[key] = made.value; draw(); });
      return made;
    }),
    element("label", { class: "tick" }, retired, say("with_retired")), csv,
  );
  const load = async () => {
    const { vehicles } = await getJson(`/api/fleet/software${retired.checked ? "?retired=true" : ""}`);
    found = vehicles;
    if (!bar.contains(document.activeElement)) drawFilters(); // not while somebody chooses
    draw();
  };
  retired.addEventListener("change", () => load().catch((error) => toast(trouble(error), { bad: true })));
  return { node: element("div", { class: "software" }, bar, room), load };
}

function nameOf(key, value) {
  if (key === "update_state") return say(`update_${value}`);
  return key === "release" && value === "none" ? say("no_updater") : value;
}

function softwareTable(found, open) {
  return table(say("view_software"), [
    [say("vehicle"), (one) => [element("button", { type: "button", class: "link strong", "data-details": one.vehicle, "data-vehicle": one.vehicle, onclick: () => open(one.vehicle) }, one.vehicle), one.retired_utc ? soft(say("retired_since", { t: dateTime(one.retired_utc) })) : soft(one.seen_utc ? say("heard", { t: ago(one.seen_utc) }) : say("never_heard"))], "vehicle-cell"],
    [say("group"), (one) => one.group],
    [say("release"), (one) => [one.release ?? element("span", { class: "soft" }, say("no_updater")), one.release && one.release_since_utc ? soft(say("since_t", { t: dateTime(one.release_since_utc) })) : ""]],
    [say("models"), (one) => one.models.join(", ") || "–"],
    [say("software"), (one) => one.software ?? "–"],
    [say("update"), updateOf],
    [say("system"), systemOf],
  ], found);
}

/** What the updater is at; nothing where all is said by the release. */
function updateOf(one) {
  if (!one.update_state) return "–";
  return [
    element("span", { class: one.update_state === "failed" ? "bad" : null }, `${one.update_release} ${say(`update_${one.update_state}`)}`),
    one.update_reason ? soft(one.update_reason) : "",
    soft([one.update_since_utc && say("since_t", { t: dateTime(one.update_since_utc) }), one.update_attempts ? say("tries", { n: number(one.update_attempts) }) : ""].filter(Boolean).join(", ")),
  ];
}

/** What the operating system's own update is at; most vehicles never have one. */
function systemOf(one) {
  if (!one.system_state || one.system_state === "none") return "–";
  const state = knows(`system_${one.system_state}`) ? say(`system_${one.system_state}`) : one.system_state;
  return [
    element("span", { class: one.system_state === "failed" ? "bad" : null }, [one.system_version, state].filter(Boolean).join(" ")),
    one.system_reason ? soft(one.system_reason) : "",
  ];
}

function soft(text) {
  return text ? element("span", { class: "minor soft" }, text) : "";
}

/** In a vehicle's details: what changed, and for who may, its group and whether it is in service. */
export function softwareDetails(vehicle, app, again) {
  const changes = vehicle.changes ?? [];
  return [
    app.may("manage") ? service(vehicle, again) : soft(`${say("group")}: ${vehicle.group}`),
    ...(changes.length ? [element("h3", {}, say("software_past")), element("ul", { class: "past" }, ...changes.map(changeRow))] : []),
  ];
}

function changeRow(one) {
  const update = one.update_state ? ` ${say("update")} ${one.update_release} ${knows(`update_${one.update_state}`) ? say(`update_${one.update_state}`) : one.update_state}` : "";
  return element("li", {}, element("span", { class: "soft" }, dateTime(one.noted_utc)), ` ${one.release ?? one.software ?? "–"}${update ? "," : ""}${update}`, one.update_reason ? element("span", { class: "soft" }, ` ${one.update_reason}`) : "");
}

function service(vehicle, again) {
  const input = element("input", { value: vehicle.group, required: true, maxlength: 40, pattern: "[a-z][a-z0-9\\-]*", autocapitalize: "none", name: "group" });
  const write = async (wish) => {
    try {
      await send("PATCH", `/api/vehicles/${encodeURIComponent(vehicle.vehicle)}`, wish);
      toast(say("saved"));
      await again();
    } catch (error) {
      toast(trouble(error), { bad: true });
    }
  };
  const form = element("form", { class: "service" }, field(say("group"), input, say("group_hint")), element("button", { type: "submit", class: "button" }, say("save")),
    element("div", { class: "field" }, element("span", {}, vehicle.retired_utc ? say("retired_since", { t: dateTime(vehicle.retired_utc) }) : say("retire_about")), button(say(vehicle.retired_utc ? "bring_back" : "retire"), () => write({ retired: !vehicle.retired_utc }), { class: vehicle.retired_utc ? "button" : "button danger" })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    write({ group: input.value.trim() });
  });
  return form;
}
