// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The condition of roads in sections of 20 m, and tunnels unrolled with the marks that are proposed to the inspector.

import { getJson } from "./api.js";
import { element } from "./dom.js";
import { BaseMap, ROUND, WIDE } from "./map/basemap.js";
import { gradeExpression } from "./map/grades.js";
import { EMPTY } from "./map/grid.js";
import { choices, empty, failed, figure, waiting } from "./parts.js";
import { gradeMark } from "./review/marks.js";
import { mountTunnels } from "./tunnel.js";
import { ago, distance, number, percent, say } from "./words.js";

const MOST = 3000;
const LISTED = 60;
const ASK_MS = 150;

export async function mount(root, app) {
  const address = new URLSearchParams(location.search);
  let down = null;
  const room = element("div", { class: "section-room" });
  const show = async (tab) => {
    down?.();
    down = null;
    room.replaceChildren();
    history.replaceState(null, "", tab === "tunnels" ? `?tab=tunnels${address.get("line") ? `&line=${encodeURIComponent(address.get("line"))}` : ""}` : location.pathname);
    down = tab === "tunnels" ? await mountTunnels(room, tabs, address) : await mountStreets(room, tabs, app);
  };
  const chosen = address.get("tab") === "tunnels" || address.get("line") ? "tunnels" : "streets";
  const tabs = choices(say("condition_title"), [["streets", say("streets")], ["tunnels", say("tunnels")]], chosen, show);
  root.append(room);
  await show(chosen);
  return () => down?.();
}

async function mountStreets(room, tabs, app) {
  const map = new BaseMap(app.settings);
  const figures = element("div", { class: "grades" });
  const note = element("p", { class: "side-note" });
  const list = element("div", { class: "side-list" }, waiting());
  room.append(element(
    "div", { class: "desk" },
    element("section", { class: "side" }, element("header", { class: "side-head" }, element("h1", {}, say("condition_title")), tabs, element("h2", { class: "soft" }, say("in_view")), figures, note), list),
    map.root,
  ));
  map.legend.append(...[1, 2, 3, 4, 5].map((n) => element("span", { class: `legend-grade legend-grade-${n}` }, say("grade", { n }))), element("span", { class: "legend-grade legend-grade-none" }, say("grade_unknown")));
  let turn = 0;
  const load = async () => {
    const mine = ++turn;
    try {
      const box = map.bbox();
      const { features, total } = await getJson(`/api/sections?limit=${MOST}${box ? `&bbox=${box}` : ""}`);
      if (mine !== turn) return;
      map.set("sections", features.filter(({ geometry }) => geometry));
      draw(features, total, { figures, note, list, map });
    } catch (error) {
      if (mine === turn) list.replaceChildren(failed(error, load));
    }
  };
  if (await map.start()) {
    map.map.addSource("sections", { type: "geojson", data: EMPTY });
    map.map.addLayer({ id: "sections", type: "line", source: "sections", layout: { ...ROUND, "line-cap": "butt" }, paint: { "line-color": gradeExpression("grade"), "line-width": WIDE } });
    map.hints(["sections"], ({ properties: p }) => [p.name, say("section_at", { from: number(p.from_m), to: number(p.to_m) }), p.grade ? say("grade", { n: p.grade }) : say("grade_unknown")].filter(Boolean).join(" · "));
    const { features } = await getJson("/api/sections?limit=2000").catch(() => ({ features: [] }));
    map.fit(features.filter(({ geometry }) => geometry).flatMap(({ geometry }) => geometry.coordinates.flat(geometry.type === "LineString" ? 0 : 1)));
    let timer;
    map.map.on("moveend", () => {
      clearTimeout(timer);
      timer = setTimeout(load, ASK_MS);
    });
  }
  await load();
  return () => map.stop();
}

function draw(features, total, { figures, note, list, map }) {
  const metres = [0, 0, 0, 0, 0, 0];
  for (const { properties: p } of features) metres[p.grade ?? 0] += p.to_m - p.from_m;
  const graded = metres.slice(1).reduce((sum, m) => sum + m, 0);
  figures.replaceChildren(
    element("div", { class: "figures" }, figure(distance(graded), say("km_judged")), figure(distance(metres[0]), say("km_unknown"))),
    element("div", { class: "grade-bar", role: "img", "aria-label": [1, 2, 3, 4, 5].map((n) => `${say("grade", { n })}: ${percent(graded ? metres[n] / graded : 0)}`).join(", ") }, ...[1, 2, 3, 4, 5].map((n) => {
      const part = element("span", { "data-grade": n, title: `${say("grade", { n })}: ${distance(metres[n])}` }, metres[n] / graded > 0.09 ? String(n) : "");
      part.style.flexGrow = graded ? metres[n] / graded : 0;
      return part;
    })),
  );
  note.textContent = say("condition_note", { rule: features[0]?.properties.rule ?? "wegewart-condition-1" });
  const worst = features.filter(({ properties: p }) => p.grade !== null && p.cases.length > 0).slice(0, LISTED);
  list.replaceChildren(...(features.length ? worst.map((feature) => row(feature, map)) : [empty("condition", say("no_sections"), say("no_sections_more"))]));
  if (total > features.length) list.append(element("p", { class: "side-note" }, say("position_in", { n: number(features.length), all: number(total) })));
}

function row({ geometry, properties: p }, map) {
  const where = `/?queue=all&road=${encodeURIComponent(p.name ?? "")}${p.worst_case ? `&case=${p.worst_case}` : ""}`;
  return element(
    "div", { class: "section-row" }, gradeMark(p.grade),
    element("button", { type: "button", class: "section-name", onclick: () => geometry && map.fit(geometry.coordinates.flat(geometry.type === "LineString" ? 0 : 1), { maxZoom: 18 }) },
      element("strong", {}, p.name ?? say("no_road")), element("span", { class: "soft" }, [p.district, say("section_at", { from: number(p.from_m), to: number(p.to_m) })].filter(Boolean).join(" · "))),
    element("a", { href: where }, p.cases.length === 1 ? say("section_case") : say("section_cases", { n: number(p.cases.length) })),
    element("span", { class: "soft number" }, p.looked_utc ? ago(p.looked_utc) : ""),
  );
}
