// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// What stands for a grade, a state, a trend, a place; the same in list, case and dialogs.

import { element, icon } from "../dom.js";
import { className, inLanguage, linePlace, number, say } from "../words.js";

export function gradeMark(grade) {
  const label = grade ? say("grade_of", { n: grade }) : say("no_grade");
  return element("span", { class: "grade", "data-grade": grade ?? "none", title: label, role: "img", "aria-label": label }, grade ? String(grade) : "–");
}

export function stateMark(state) {
  return element("span", { class: "state", "data-state": state }, icon(state, 14), say(`state_${state}`));
}

export function trendMark(trend) {
  if (!trend || trend === "steady") return null;
  return element("span", { class: "trend", "data-trend": trend }, icon(trend, 15), say(`trend_${trend}`));
}

/** The depot's own title of the case, without its number; the class's name where it gave none. */
export function nameOf(found) {
  return className(found.class);
}

/** That later passes did not see it any more. */
export function lookedMark(found) {
  return element("span", { class: "trend", "data-trend": "missed", title: say("looked_without", { n: number(found.looks_without) }) }, icon("rejected", 13), say("missed", { n: number(found.looks_without) }));
}

export function titleOf(found) {
  return inLanguage(found.title) || className(found.class);
}

/** In one line: where it is. */
export function placeOf(found) {
  if (found.line) return linePlace(found);
  const named = [found.road, found.district].filter(Boolean).join(", ");
  return named || say(found.lon === null || found.lon === undefined ? "no_place" : "no_road");
}

export function sizeOf(found, digits = 2) {
  if (found.length_m === null || found.length_m === undefined) return null;
  return `${number(found.length_m, digits)} × ${number(found.width_m, digits)} m`;
}

export function timesOf(found) {
  return found.sightings === 0 && found.reports ? say("citizen") : say("seen_times", { n: number(found.passes || found.sightings) });
}
