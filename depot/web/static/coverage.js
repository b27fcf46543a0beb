// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Which road was looked at when: the roads by the age of the last look, and what could not be judged and why.

import { getJson } from "./api.js";
import { button, element, icon } from "./dom.js";
import { BaseMap, ROUND, WIDE } from "./map/basemap.js";
import { EMPTY } from "./map/grid.js";
import { bar, choices, empty, failed, figure, select, waiting } from "./parts.js";
import { toast } from "./toast.js";
import { ago, distance, knows, number, percent, say, trouble } from "./words.js";

const DAY_MS = 86_400_000;
/** How long ago, by colour: one hue that fades, then another for what is overdue. */
const AGES = [["week", 7, "#0a5f6b"], ["month", 30, "#5c9ba3"], ["quarter", 90, "#a9cbcd"], ["old", Infinity, "#d9a441"], ["never", null, "#b4452f"]];
const ROUGHNESS = [[0.5, "#f2dc7c"], [1, "#f0a04b"], [2, "#cf5468"], [4, "#8b56a0"]];
const PAGE = { rows: 100, stretches: 5000, most: 20_000 };

export async function mount(root, app) {
  const coverage = new Coverage(root, app);
  await coverage.start();
  return () => coverage.map.stop();
}

class Coverage {
  #address = new URLSearchParams(location.search);
  #list = element("div", { class: "side-list" }, waiting());
  #figures = element("div", { class: "figures" });
  #note = element("p", { class: "side-note", hidden: true });
  #downloads = element("div", { class: "side-foot" });
  #turn = 0;
  #app;

  constructor(root, app) {
    this.#app = app;
    this.map = new BaseMap(app.settings, { roads: false });
    this.map.legend.append(...AGES.map(([name]) => element("span", { class: `age age-${name}` }, say(`age_${name}`))));
    root.append(element("div", { class: "desk" }, this.#side(), this.map.root));
  }

  async start() {
    await Promise.all([this.#load(), this.#startMap()]);
    await this.#drawRoads();
  }

  get #days() {
    return Number(this.#address.get("days")) || 30;
  }

  get #period() {
    return new URLSearchParams({ from: new Date(Date.now() - this.#days * DAY_MS).toISOString().slice(0, 10) });
  }

  #side() {
    let timer;
    const search = element("input", { type: "search", placeholder: say("find_road"), "aria-label": say("find_road"), value: this.#address.get("q") ?? "", maxlength: 100 });
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#set("q", search.value.trim()), 250);
    });
    const sort = select(["age", "share", "name"].map((kind) => [kind, say(`sort_${kind}`)]), this.#address.get("sort") ?? "age", { class: "sort", "aria-label": say("sort") });
    sort.addEventListener("change", () => this.#set("sort", sort.value));
    return element(
      "section", { class: "side" },
      element("header", { class: "side-head" },
        element("h1", {}, say("coverage_title")),
        choices(say("period"), [7, 30, 90].map((n) => [n, say("last_days", { n })]), this.#days, (days) => this.#set("days", days)),
        this.#figures, this.#note,
        element("div", { class: "search-row" }, element("label", { class: "search" }, icon("search", 17), search), sort),
      ),
      this.#list, this.#downloads,
    );
  }

  #set(key, value) {
    if (value) this.#address.set(key, value);
    else this.#address.delete(key);
    history.replaceState(null, "", `?${this.#address}`);
    this.#load();
    if (key === "days") this.#drawRoads();
  }

  async #load() {
    const mine = ++this.#turn;
    const asked = this.#period;
    asked.set("sort", this.#address.get("sort") ?? "age");
    asked.set("limit", PAGE.rows);
    if (this.#address.get("q")) asked.set("q", this.#address.get("q"));
    try {
      const found = await getJson(`/api/coverage/roads?${asked}`);
      if (mine === this.#turn) this.#draw(found);
    } catch (error) {
      if (mine === this.#turn) this.#list.replaceChildren(failed(error, () => this.#load()));
    }
  }

  #draw(found) {
    this.#figures.replaceChildren(figure(`${number(found.length_km, 1)} km`, say("network")), figure(percent(found.valid_share), say("judged_share")));
    this.#note.hidden = !found.laying;
    this.#note.textContent = say("laying", { n: number(found.laying) });
    const nothing = this.#address.get("q") ? empty("search", say("none_match"), null) : empty("coverage", say("no_roads"), say("no_roads_more"));
    this.#list.replaceChildren(...(found.roads.length ? found.roads.map((road) => this.#row(road)) : [nothing]));
    if (found.total > found.roads.length) this.#list.append(element("p", { class: "side-note" }, say("roads_shown", { n: number(found.roads.length), all: number(found.total) })));
    this.#downloads.replaceChildren(
      element("a", { class: "button small", href: `/api/coverage/roads.csv?${this.#period}`, download: "" }, icon("download", 16), say("download_csv")),
      element("a", { class: "button small", href: `/api/coverage/proof.csv?${this.#period}`, download: "" }, icon("download", 16), say("download_proof")),
      this.#app.may("audit") ? button(say("check_proof"), () => this.#check(), { class: "button small" }) : "",
    );
  }

  #row(road) {
    const reasons = Object.entries(road.not_judged_m).filter(([, metres]) => metres >= 1).map(([why, metres]) => say("not_judged_m", { m: distance(metres), why: knows(`reason_${why}`) ? say(`reason_${why}`) : why }));
    const row = element(
      "button", { type: "button", class: "road", "data-road": road.road, onclick: () => this.#show(road) },
      element("span", { class: `age-mark age-${ageOf(road.age_days)}` }),
      element("span", { class: "road-name" }, road.name ?? say("no_road"), road.district ? element("span", { class: "soft" }, road.district) : null),
      element("span", { class: "road-age" }, road.last_looked_utc ? ago(road.last_looked_utc) : say("never_looked")),
      bar(road.valid_share, `${percent(road.valid_share)} ${say("judged_share")}`),
      element("span", { class: "road-share number" }, percent(road.valid_share)),
      reasons.length ? element("span", { class: "road-reasons" }, reasons.join(", ")) : null,
    );
    return row;
  }

  async #check() {
    try {
      const found = await getJson("/api/coverage/proof/check", { timeoutMs: 120_000 });
      const good = found.ok ?? found.problem === null;
      toast(good ? say("proof_good", { n: number(found.rows ?? found.checked ?? 0) }) : say("proof_bad", { why: found.problem ?? found.detail ?? "" }), { bad: !good });
    } catch (error) {
      toast(trouble(error), { bad: true });
    }
  }

  async #startMap() {
    if (!(await this.map.start())) return;
    const { map } = this.map;
    for (const id of ["network", "stretches", "roughness", "chosen"]) map.addSource(id, { type: "geojson", data: EMPTY });
    map.addLayer({ id: "chosen", type: "line", source: "chosen", layout: ROUND, paint: { "line-color": "#f2b632", "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 11, 6, 16, 14, 20, 30] } });
    const age = ["step", ["coalesce", ["get", "age_days"], 1e9], AGES[0][2], 7, AGES[1][2], 30, AGES[2][2], 90, AGES[3][2], 1e8, AGES[4][2]];
    map.addLayer({ id: "network", type: "line", source: "network", layout: ROUND, paint: { "line-color": age, "line-width": WIDE } });
    map.addLayer({ id: "rough", type: "line", source: "roughness", filter: ["==", ["get", "kind"], "section"], paint: { "line-color": ["interpolate", ["linear"], ["get", "rms_mps2"], ...ROUGHNESS.flat()], "line-width": WIDE } });
    map.addLayer({ id: "blows", type: "circle", source: "roughness", filter: ["==", ["get", "kind"], "shock"], paint: { "circle-radius": 4.5, "circle-color": "#5b1f69", "circle-stroke-color": "#ffffff", "circle-stroke-width": 1.5 } });
    map.addLayer({ id: "blind", type: "line", source: "stretches", paint: { "line-color": "#5c3d00", "line-width": WIDE, "line-dasharray": [0.6, 1.2] } });
    this.map.hints(["blind", "blows", "rough", "network"], hint);
    this.map.buttons.append(this.#layer("stretches", "layer_stretches", () => this.#stretches()), this.#layer("roughness", "layer_roughness", () => everything("/api/roughness")));
    this.map.legend.append(element("span", { class: "legend-blind", hidden: true, "data-legend": "stretches" }, say("stretch_not_judged")), element("span", { class: "legend-rough", hidden: true, "data-legend": "roughness" }, say("rough_scale")));
  }

  /** A button that shows and hides a layer; it is asked for when first shown. */
  #layer(source, word, ask) {
    const made = button(say(word), async () => {
      const on = made.getAttribute("aria-pressed") !== "true";
      made.setAttribute("aria-pressed", String(on));
      this.map.legend.querySelector(`[data-legend="${source}"]`).hidden = !on;
      this.map.set(source, on ? await ask().catch((error) => (toast(trouble(error), { bad: true }), [])) : []);
    }, { class: "button small", id: `layer-${source}`, "aria-pressed": "false" });
    return made;
  }

  async #stretches() {
    return (await everything("/api/coverage")).filter(({ properties }) => !properties.valid);
  }

  async #drawRoads() {
    try {
      const { features } = await getJson(`/api/coverage/roads.geojson?${this.#period}&limit=20000`, { timeoutMs: 60_000 });
      const placed = features.filter(({ geometry }) => geometry);
      this.map.set("network", placed);
      if (!this.fitted && placed.length) this.map.fit(placed.flatMap(({ geometry }) => geometry.coordinates.flat(geometry.type === "LineString" ? 0 : 1)));
      this.fitted = placed.length > 0;
      this.#placed = new Map(placed.map((feature) => [feature.id, feature]));
    } catch (error) {
      console.warn("no roads for the map:", error.message);
    }
  }

  #placed = new Map();

  #show(road) {
    const found = this.#placed.get(road.road);
    if (!found) return;
    this.map.set("chosen", [found]);
    this.map.fit(found.geometry.coordinates.flat(found.geometry.type === "LineString" ? 0 : 1), { maxZoom: 16.5, padding: 80 });
    for (const row of this.#list.querySelectorAll(".road")) row.setAttribute("aria-current", String(row.dataset.road === road.road));
  }
}

/** All features of a route that tells page by page, up to a bound. */
async function everything(url) {
  const all = [];
  let after = 0;
  for (;;) {
    const { features } = await getJson(`${url}?after=${after}&limit=${PAGE.stretches}`);
    all.push(...features.filter(({ geometry }) => geometry));
    const last = features.at(-1)?.properties.changed;
    if (features.length < PAGE.stretches || all.length >= PAGE.most || last === after) return all;
    after = last;
  }
}

function ageOf(days) {
  if (days === null) return "never";
  return AGES.find(([, most]) => most !== null && days <= most)[0];
}

function hint({ layer, properties: p }) {
  if (layer.id === "network") return [p.name, p.last_looked_utc ? say("looked", { t: ago(p.last_looked_utc) }) : say("never_looked"), percent(p.valid_share)].filter(Boolean).join(" · ");
  if (layer.id === "blind") return [say("stretch_not_judged"), p.reason && (knows(`reason_${p.reason}`) ? say(`reason_${p.reason}`) : p.reason), p.vehicle, ago(p.utc)].filter(Boolean).join(" · ");
  if (layer.id === "rough") return say("rough_section", { a: number(p.rms_mps2, 1), m: number(p.length_m), v: number(p.speed_mps * 3.6) });
  return `${say("blow", { a: number(p.peak_mps2, 1) })} · ${say(p.observation ? "blow_seen" : "blow_unseen")}`;
}
