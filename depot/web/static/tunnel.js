// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// A tunnel's lining, unrolled: chainage to the right, from the left wall over the crown to the right wall downwards.

import { getJson } from "./api.js";
import { element, svg } from "./dom.js";
import { gradeColour } from "./map/grades.js";
import { empty, failed, figure, table, waiting } from "./parts.js";
import { gradeMark, stateMark } from "./review/marks.js";
import { ago, className, clockFace, number, railName, say } from "./words.js";

const PX_PER_M = 1.9;
const LEFT = 104;
const HEIGHT = 250;
const CELL = 20;
const MARKS = ["S", "V", "D"];
const TOP = 3 * CELL + 14;

export async function mountTunnels(room, tabs, address) {
  const list = element("div", { class: "side-list" }, waiting(4));
  const shown = element("section", { class: "tunnel-room" });
  room.append(element("div", { class: "desk" }, element("section", { class: "side narrow-side" }, element("header", { class: "side-head" }, element("h1", {}, say("condition_title")), tabs), list), shown));
  const show = async (line) => {
    for (const row of list.querySelectorAll("[data-line]")) row.setAttribute("aria-current", String(row.dataset.line === line));
    history.replaceState(null, "", `?tab=tunnels&line=${encodeURIComponent(line)}`);
    shown.replaceChildren(waiting());
    try {
      shown.replaceChildren(...drawTunnel(await getJson(`/api/tunnels/${encodeURIComponent(line)}`)));
    } catch (error) {
      shown.replaceChildren(failed(error, () => show(line)));
    }
  };
  const load = async () => {
    try {
      const { tunnels } = await getJson("/api/tunnels");
      list.replaceChildren(...(tunnels.length ? tunnels.map((tunnel) => lineRow(tunnel, show)) : [empty("condition", say("no_tunnels"), say("no_tunnels_more"))]));
      const asked = tunnels.find(({ line }) => line === address.get("line")) ?? tunnels[0];
      if (asked) await show(asked.line);
    } catch (error) {
      list.replaceChildren(failed(error, load));
    }
  };
  await load();
  return null;
}

function lineRow(tunnel, show) {
  const range = tunnel.from_m === null ? null : say("at_km", { km: say("from_to", { from: number(tunnel.from_m / 1000, 2), to: number(tunnel.to_m / 1000, 2) }) });
  return element(
    "button", { type: "button", class: "road line", "data-line": tunnel.line, onclick: () => show(tunnel.line) },
    element("span", { class: "road-name" }, tunnel.line, element("span", { class: "soft" }, [range, tunnel.tracks.map(railName).join(", ")].filter(Boolean).join(" · "))),
    element("span", { class: "road-age" }, tunnel.looked_utc ? ago(tunnel.looked_utc) : ""),
    element("span", { class: "road-reasons" }, `${number(tunnel.cases)} ${say("open_cases")}`),
  );
}

function drawTunnel(tunnel) {
  const tracks = [...new Set(tunnel.sections.map(({ track }) => track))];
  const defects = tunnel.sections.flatMap(({ defects: found, track }) => found.map((defect) => ({ ...defect, track })));
  const looked = tunnel.sections.map(({ looked_utc: utc }) => utc).filter(Boolean).sort().at(-1);
  return [
    element("header", { class: "tunnel-head" }, element("h2", {}, tunnel.line),
      element("div", { class: "figures" }, figure(number(defects.length), say("open_cases")), looked ? figure(ago(looked), say("last_judged", { t: "" }).trim()) : null)),
    element("p", { class: "proposal-note" }, say("tunnel_status", { rule: tunnel.rule })),
    ...tracks.flatMap((track) => [
      track ? element("h3", { class: "track-title" }, railName(track)) : null,
      unroll(tunnel.sections.filter((section) => section.track === track)),
    ].filter(Boolean)),
    element("p", { class: "side-note" }, MARKS.map((mark) => `${mark}: ${say(`mark_${mark}`)}`).join(" · ")),
    tunnel.without_chainage ? element("p", { class: "side-note" }, say("without_chainage", { n: tunnel.without_chainage })) : "",
    defects.length ? table(say("open_cases"), [
      ["", (d) => gradeMark(d.grade), "tight"],
      [say("kind"), (d) => element("a", { href: `/?queue=all&case=${d.case}` }, `${className(d.class)} · ${say("case", { n: d.case })}`)],
      [say("chainage"), (d) => say("at_km", { km: number(d.chainage_m / 1000, 3) }), "number"],
      [say("clock"), (d) => (d.lining_clock === null ? "–" : clockFace(d.lining_clock)), "number"],
      ...MARKS.map((mark) => [mark, (d) => d.proposed[mark] ?? "–", "number tight"]),
      [say("state"), (d) => stateMark(d.state)],
    ], defects) : "",
  ];
}

/** Where on the unrolled lining a place of the clock's face lies: 0 left foot, 0.5 crown, 1 right foot. */
function across(clock) {
  return ((clock + 6) % 12) / 12;
}

function unroll(sections) {
  const [from, to] = [sections[0].from_m, sections.at(-1).to_m];
  const width = LEFT + (to - from) * PX_PER_M + 20;
  const x = (metres) => LEFT + (metres - from) * PX_PER_M;
  const y = (share) => TOP + share * HEIGHT;
  const label = say("unrolled", { from: say("at_km", { km: number(from / 1000, 3) }), to: say("at_km", { km: number(to / 1000, 3) }) });
  const drawing = svg("svg", { class: "unrolled", width, height: TOP + HEIGHT + 34, viewBox: `0 0 ${width} ${TOP + HEIGHT + 34}`, role: "group", "aria-label": label });
  MARKS.forEach((mark, place) => drawing.append(svg("text", { class: "side-label", x: LEFT - 10, y: place * CELL + 16, "text-anchor": "end" }, place === 1 ? `${say("proposed_marks")}  ${mark}` : mark)));
  for (const section of sections) drawing.append(...column(section, x));
  for (const [share, word] of [[0.25, "wall_left"], [0.5, "wall_crown"], [0.75, "wall_right"]]) {
    drawing.append(svg("line", { class: "guide", x1: LEFT, x2: width - 20, y1: y(share), y2: y(share) }), svg("text", { class: "side-label", x: LEFT - 10, y: y(share) + 4, "text-anchor": "end" }, say(word)));
  }
  for (const defect of sections.flatMap(({ defects: found }) => found)) drawing.append(spot(defect, x, y));
  for (let metres = Math.ceil(from / 100) * 100; metres <= to; metres += 100) {
    drawing.append(svg("line", { class: "tick-mark", x1: x(metres), x2: x(metres), y1: TOP + HEIGHT, y2: TOP + HEIGHT + 6 }), svg("text", { x: x(metres), y: TOP + HEIGHT + 22, "text-anchor": "middle" }, number(metres / 1000, 1)));
  }
  return element("div", { class: "unrolled-room", tabindex: "0", role: "region", "aria-label": label }, drawing);
}

function column(section, x) {
  const wide = (section.to_m - section.from_m) * PX_PER_M;
  const cells = MARKS.map((mark, place) => {
    const value = section.proposed?.[mark];
    return svg(
      "g", {},
      svg("rect", { class: "mark-cell", x: x(section.from_m) + 0.5, y: place * CELL + 2, width: wide - 1, height: CELL - 2, fill: value === undefined || value === null ? "#eef1ee" : gradeColour(value + 1) }),
      value === undefined || value === null ? null : svg("text", { class: value >= 4 ? "light" : null, x: x(section.from_m) + wide / 2, y: place * CELL + 16, "text-anchor": "middle" }, String(value)),
    );
  });
  const state = section.not_judged_utc ? "blind" : section.looked_utc ? "looked" : "unknown";
  return [svg("rect", { class: `lining ${state}`, x: x(section.from_m), y: TOP, width: wide, height: HEIGHT }, svg("title", {}, section.looked_utc ? say("last_judged", { t: ago(section.looked_utc) }) : say("grade_unknown"))), ...cells];
}

function spot(defect, x, y) {
  const name = [className(defect.class), say("case", { n: defect.case }), defect.grade && say("grade", { n: defect.grade }), say("at_km", { km: number(defect.chainage_m / 1000, 3) }), defect.lining_clock === null ? null : say("lining_clock", { clock: clockFace(defect.lining_clock) })].filter(Boolean).join(", ");
  return svg(
    "a", { href: `/?queue=all&case=${defect.case}`, "aria-label": name }, svg("title", {}, name),
    svg("circle", { cx: x(defect.chainage_m), cy: y(defect.lining_clock === null ? 0.5 : across(defect.lining_clock)), r: 6, fill: gradeColour(defect.grade) }),
  );
}
