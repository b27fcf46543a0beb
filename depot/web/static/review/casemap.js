// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The cases on the map: the depot puts together what would lie on top of each other, so any number stays smooth.

import { getJson } from "../api.js";
import { button, element } from "../dom.js";
import { BaseMap } from "../map/basemap.js";
import { circle, EMPTY } from "../map/grid.js";
import { gradeColour, gradeExpression, INK } from "../map/grades.js";
import { className, number, say } from "../words.js";
import { RADIUS_95 } from "./facts.js";

const NEAR_ZOOM = 17.5;
const ASK_MS = 120;
const VEHICLES_MS = 15_000;
const WORLD = "-180,-85,180,85";
const WHOLE_ZOOM = 16; // fine enough to say where cases end
const OPEN = ["in", ["get", "state"], ["literal", ["new", "reopened"]]];
const DONE = ["in", ["get", "state"], ["literal", ["repaired", "rejected"]]];

export class CaseMap extends BaseMap {
  #app;
  #filter;
  #select;
  #asking = null;
  #timer = null;
  #selected = null;
  #vehicles = new Map();
  #stopped = false;

  constructor(app, filter, select) {
    super(app.settings);
    this.#app = app;
    this.#filter = filter;
    this.#select = select;
    this.buttons.append(button(say("show_all"), () => this.#fitAll(), { class: "button small", id: "show-all" }));
    this.legend.append(
      ...["open", "going", "done"].map((kind) => element("span", { class: `legend-${kind}` }, say(`legend_${kind}`))),
      element("span", { class: "legend-circle", hidden: true }, say("circle")),
    );
  }

  async start() {
    if (!(await super.start()) || this.#stopped) return;
    const { map } = this;
    for (const id of ["selected", "cases"]) map.addSource(id, { type: "geojson", data: EMPTY });
    this.#addLayers();
    map.setMissingStyleImageResolver((id) => this.#drawCluster(id));
    map.on("click", (event) => this.#onClick(event));
    map.on("mousemove", (event) => { map.getCanvas().style.cursor = this.#at(event.point).length ? "pointer" : ""; });
    map.on("moveend", () => this.#later());
    this.hints(["selected", "cases", "clusters"], hint);
    await this.#fitAll();
    this.select(this.#selected);
    this.#drawVehicles();
    this.following = setInterval(() => this.#drawVehicles(), VEHICLES_MS);
  }

  stop() {
    this.#stopped = true;
    this.#asking?.abort();
    clearTimeout(this.#timer);
    clearInterval(this.following);
    super.stop();
  }

  /** Ask again for what is shown. `fit`: bring all that fits the filter into view. */
  refresh({ fit = false } = {}) {
    if (!this.map?.getSource("cases")) return;
    if (fit && this.#filter.one("bbox") === null && this.#selected === null) this.#fitAll();
    else this.#later();
  }

  /** Mark a case with the circle that it lies in with 95 %; `move`: bring it into view. */
  select(found, { move = true } = {}) {
    this.#selected = found;
    const place = found && found.lon !== null && found.lon !== undefined ? [found.lon, found.lat] : null;
    const point = place && { type: "Feature", properties: { grade: found.grade }, geometry: { type: "Point", coordinates: place } };
    this.set("selected", place ? [...(found.error_m ? [circle(place, RADIUS_95 * found.error_m)] : []), point] : []);
    this.legend.querySelector(".legend-circle").hidden = !place;
    if (!place || !move || !this.map?.getSource("selected")) return;
    this.map.resize();
    const { width, height } = this.map.getCanvas().getBoundingClientRect();
    const { x, y } = this.map.project(place);
    const inside = x > width / 5 && x < (4 * width) / 5 && y > height / 5 && y < (4 * height) / 5;
    if (!inside || this.map.getZoom() < 16.5) this.move(place, Math.max(this.map.getZoom(), NEAR_ZOOM));
  }

  resize() {
    this.map?.resize();
  }

  #addLayers() {
    const { map } = this;
    map.addLayer({ id: "error", type: "fill", source: "selected", filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": INK, "fill-opacity": 0.12, "fill-outline-color": INK } });
    map.addLayer({ id: "cases", type: "circle", source: "cases", filter: ["!", ["to-boolean", ["get", "cluster"]]], paint: {
      "circle-color": ["case", DONE, "#ffffff", gradeExpression("grade")],
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, ["case", DONE, 3, 5], 16, ["case", DONE, 4.5, 8]],
      "circle-stroke-color": ["case", OPEN, INK, DONE, "#8a9896", "#ffffff"], "circle-stroke-width": ["case", OPEN, 2.5, DONE, 1.5, 1.5],
    } });
    map.addLayer({ id: "clusters", type: "symbol", source: "cases", filter: ["to-boolean", ["get", "cluster"]], layout: {
      "icon-image": ["concat", "cluster|", ["to-string", ["get", "count"]], "|", ["to-string", ["coalesce", ["get", "worst_grade"], 0]], "|", ["case", [">", ["get", "open"], 0], "1", "0"]],
      "icon-allow-overlap": true, "icon-ignore-placement": true,
    } });
    map.addLayer({ id: "selected", type: "circle", source: "selected", filter: ["==", ["geometry-type"], "Point"], paint: {
      "circle-radius": 9, "circle-color": gradeExpression("grade"), "circle-stroke-color": "#ffffff", "circle-stroke-width": 2.5,
    } });
    map.addLayer({ id: "selected-ring", type: "circle", source: "selected", filter: ["==", ["geometry-type"], "Point"], paint: {
      "circle-radius": 14, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": INK, "circle-stroke-width": 3,
    } });
  }

  /** A cluster as a picture: its number on the colour of its worst grade. */
  #drawCluster(id) {
    const [kind, count, worst, open] = id.split("|");
    if (kind !== "cluster" || this.map.hasImage(id)) return;
    const text = Number(count) >= 10_000 ? `${number(Number(count) / 1000)}k` : number(Number(count));
    const radius = 13 + 3 * Math.min(String(count).length, 5);
    const ratio = Math.max(2, Math.ceil(devicePixelRatio));
    const canvas = element("canvas", { width: 2 * radius * ratio, height: 2 * radius * ratio });
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.beginPath();
    pen.arc(radius, radius, radius - 2.5, 0, 2 * Math.PI);
    pen.fillStyle = gradeColour(Number(worst));
    pen.fill();
    pen.lineWidth = 2.5;
    pen.strokeStyle = open === "1" ? INK : "#ffffff";
    pen.stroke();
    pen.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = Number(worst) === 5 ? "#ffffff" : "#14232a";
    pen.fillText(text, radius, radius + 0.5);
    this.map.addImage(id, pen.getImageData(0, 0, canvas.width, canvas.height), { pixelRatio: ratio });
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), ASK_MS);
  }

  async #ask() {
    if (!this.map) return;
    this.#asking?.abort();
    this.#asking = new AbortController();
    try {
      const { features } = await this.#features(this.bbox(), this.map.getZoom(), this.#asking.signal);
      this.set("cases", features);
    } catch (error) {
      if (error.name !== "AbortError") console.warn("the map was not answered:", error.message);
    }
  }

  #features(bbox, zoom, signal) {
    const asked = this.#filter.query();
    asked.set("bbox", this.#filter.one("bbox") ?? bbox);
    asked.set("zoom", zoom.toFixed(2));
    return getJson(`/api/map?${asked}`, { signal });
  }

  /** All that fits the filter. */
  async #fitAll() {
    const { features } = await this.#features(WORLD, WHOLE_ZOOM).catch(() => ({ features: [] }));
    if (features.length) this.fit(features.map(({ geometry }) => geometry.coordinates), { maxZoom: 17 });
    this.#later();
  }

  #at({ x, y }) {
    return this.map.queryRenderedFeatures([[x - 6, y - 6], [x + 6, y + 6]], { layers: ["cases", "clusters"] });
  }

  #onClick(event) {
    const [near] = this.#at(event.point);
    if (!near) return;
    if (near.properties.cluster) this.move(near.geometry.coordinates, Math.min(near.properties.expand_zoom ?? this.map.getZoom() + 2, 20));
    else this.#select(near.properties.number);
  }

  async #drawVehicles() {
    if (!this.#app.may("fleet")) return;
    const { features } = await getJson("/api/vehicles").catch(() => ({ features: [] }));
    const here = new Set();
    for (const { id, geometry, properties } of features) {
      if (!geometry || !this.map) continue;
      const name = properties.vehicle ?? id;
      here.add(name);
      const marker = this.#vehicles.get(name) ?? this.#newMarker(name);
      marker.getElement().dataset.state = properties.state;
      marker.getElement().title = `${name}: ${say(`vehicle_${properties.state ?? "unknown"}`)}`;
      marker.setLngLat(geometry.coordinates).addTo(this.map);
    }
    for (const [name, marker] of this.#vehicles) if (!here.has(name)) marker.remove();
  }

  #newMarker(name) {
    const marker = new this.library.Marker({ element: element("div", { class: "vehicle-mark" }, name), anchor: "bottom", offset: [0, -9] });
    this.#vehicles.set(name, marker);
    return marker;
  }
}

function hint({ properties: p }) {
  if (p.cluster) return say("cluster", { n: number(p.count), open: number(p.open), grade: p.worst_grade ?? "–" });
  return [className(p.class), p.grade ? say("grade", { n: p.grade }) : null, say(`state_${p.state}`), say("case", { n: p.number })].filter(Boolean).join(" · ");
}
