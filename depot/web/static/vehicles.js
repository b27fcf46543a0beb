// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Which vehicles there are, whether they are online, when they were last heard, what they count.

import { element } from "./dom.js";
import { ago, number, say } from "./words.js";

export function drawVehicles(depot) {
  const online = depot.vehicles.filter(({ properties }) => properties.state === "online").length;
  const counts = { n: number(online), all: number(depot.vehicles.length) };
  document.getElementById("vehicles-title").replaceChildren(
    element("span", { class: "wide" }, say("vehicles_online", counts)),
    element("span", { class: "narrow" }, say("vehicles_online_short", counts)),
  );
  const rows = depot.vehicles.map(({ properties }) => vehicleRow(properties));
  document.getElementById("vehicles-list").replaceChildren(
    ...(rows.length ? rows : [element("p", { class: "empty" }, say("no_vehicles"))]),
  );
}

function vehicleRow(vehicle) {
  const heard = vehicle.seen_utc ? say("last_seen", { t: ago(vehicle.seen_utc) }) : say("never_seen");
  const about = [vehicle.software && `${say("software")} ${vehicle.software}`, vehicle.models.join(", ")];
  const counters = Object.entries(vehicle.counters).map(([name, count]) =>
    element("div", {}, element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, number(count))),
  );
  return element(
    "article", { class: "vehicle", "data-vehicle": vehicle.vehicle, "data-state": vehicle.state },
    element("h3", {}, vehicle.vehicle),
    element("p", { class: "state" }, say(vehicle.state)),
    element("p", { class: "note" }, [heard, ...about].filter(Boolean).join(" · ")),
    counters.length ? element("dl", { class: "counters", lang: "en" }, ...counters) : null,
    vehicle.faults.length
      ? element("ul", { class: "faults", "aria-label": say("faults") }, ...vehicle.faults.map((fault) => element("li", {}, fault)))
      : null,
  );
}
