// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// A defect over time: its length at each pass with the error of the measurement, and the passes that did not see it.

import { element, svg } from "../dom.js";
import { day, number, say } from "../words.js";

const W = 340;
const H = 116;
const LEFT = 38;
const RIGHT = 10;
const TOP = 10;
const BASE = 78;
const MISSED = 94;

/** The chart, or null where there is nothing to compare. */
export function drawChart(found) {
  const seen = (found.seen ?? []).filter(({ utc, length_m: length }) => utc && length !== null && length !== undefined);
  const missed = (found.looks ?? []).filter(({ utc, seen: was }) => utc && !was);
  if (seen.length + missed.length < 2 || !seen.length) return null;
  const times = [...seen, ...missed].map(({ utc }) => Date.parse(utc));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const most = Math.max(...seen.map(({ length_m: length, size_error_m: error }) => length + (error ?? 0))) * 1.1;
  const x = (utc) => LEFT + ((Date.parse(utc) - first) / Math.max(last - first, 1)) * (W - LEFT - RIGHT);
  const y = (metres) => BASE - (metres / most) * (BASE - TOP);
  const label = say("chart_label", { from: day(new Date(first)), to: day(new Date(last)) });
  const step = roundUp(most / 2);
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label });
  for (const metres of [0, step, 2 * step].filter((value) => value <= most)) {
    chart.append(
      svg("line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: y(metres), y2: y(metres) }),
      svg("text", { x: LEFT - 6, y: y(metres) + 4, "text-anchor": "end" }, metres === 0 ? "0" : `${number(metres, step < 1 ? 1 : 0)} m`),
    );
  }
  chart.append(svg("line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: MISSED, y2: MISSED }));
  for (const { utc } of missed) chart.append(svg("path", { class: "missed", d: `M${x(utc) - 3.5} ${MISSED - 3.5}l7 7m0 -7l-7 7` }));
  for (const { utc, length_m: length, size_error_m: error } of seen) {
    if (error) chart.append(svg("line", { class: "spread", x1: x(utc), x2: x(utc), y1: y(Math.max(length - error, 0)), y2: y(length + error) }));
    chart.append(svg("circle", { class: "seen", cx: x(utc), cy: y(length), r: 4 }));
  }
  chart.append(svg("text", { x: LEFT, y: H - 3 }, day(new Date(first))), svg("text", { x: W - RIGHT, y: H - 3, "text-anchor": "end" }, day(new Date(last))));
  const legend = element("figcaption", {}, element("span", { class: "key-seen" }, say("chart_seen")), missed.length ? element("span", { class: "key-missed" }, say("chart_not")) : null);
  return element("figure", { class: "chart-figure" }, chart, legend);
}

function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= value) ?? value;
}
