// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// What the map says about the thing under the pointer.

import { className, lineStretch, number, say } from "./words.js";

/** The layers that have something to say, in one look; the one drawn on top speaks. */
export const HINTED = ["tracks", "tracks-blind", "sections", "cases", "shocks"];

/** One line about a rendered feature; empty where there is nothing to say. */
export function hint({ layer, properties }, depot) {
  switch (layer.id) {
    case "cases": return `${className(properties.class)} · ${say("case", { n: properties.case })}`;
    case "shocks": return shock(properties, depot);
    case "sections": return say("section", {
      a: number(properties.rms_mps2, 1), m: number(properties.length_m), v: number(properties.speed_mps * 3.6),
    });
    default: return stretch(properties);
  }
}

function stretch(properties) {
  const judged = say(properties.valid ? "looked_at" : "not_judged");
  const surface = properties.surface === "lining" && say("lining");
  return [judged, surface, lineStretch(properties)].filter(Boolean).join(" · ");
}

function shock({ peak_mps2: peak, observation, vehicle }, depot) {
  const what = say("blow", { a: number(peak, 1) });
  if (!observation) return `${what} · ${say("blow_unseen")}`;
  const found = [...depot.cases.values()].find(({ properties: p }) => p.event === observation && p.vehicle === vehicle);
  return found ? say("blow_of", { what, case: say("case", { n: found.id }) }) : `${what} · ${say("blow_seen")}`;
}
