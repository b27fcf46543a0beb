// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The map: MapLibre GL JS on a base map where one is configured and answers, else on a plain grid in metres.
// No layer writes text, so no server for letters is needed.

import { getJson } from "./depot.js";
import { element } from "./dom.js";
import { boundsOf, circle, EMPTY, gridLines, roundStep } from "./grid.js";
import { hint, HINTED } from "./hints.js";
import { addLayers, plainStyle, showRoughness } from "./layers.js";
import { number, say } from "./words.js";

const BASE_MAP_TIMEOUT_MS = 5000;
const NOWHERE = [6.7623, 51.4344]; // shown while no place is known: Duisburg

export class CaseMap {
  #depot;
  #settings;
  #select;
  #library = null;
  #map = null;
  #origin = null; // where the grid starts
  #plain = true;
  #follow = true; // until somebody moves the map
  #markers = new Map();
  #popup = null;
  #visible = [];
  #selected = null;
  #roughness = false;

  constructor(depot, settings, select) {
    this.#depot = depot;
    this.#settings = settings;
    this.#select = select;
    document.getElementById("show-all").addEventListener("click", () => {
      this.#follow = true;
      this.#fit();
    });
  }

  async start() {
    try {
      this.#library = await import("/vendor/maplibre-gl/maplibre-gl.mjs");
    } catch {
      return this.#message("map_missing");
    }
    const style = await this.#style();
    try {
      this.#map = new this.#library.Map({
        container: "map", style, center: NOWHERE, zoom: 12, maxZoom: 22, dragRotate: false, pitchWithRotate: false,
        attributionControl: this.#plain ? false : { compact: true }, fadeDuration: 0, locale: controlWords(),
      });
    } catch {
      return this.#message("map_failed");
    }
    this.#map.touchZoomRotate.disableRotation();
    this.#map.addControl(new this.#library.NavigationControl({ showCompass: false }), "top-right");
    this.#map.addControl(new this.#library.ScaleControl({ maxWidth: 140 }), "bottom-left");
    for (const gesture of ["dragstart", "zoomstart"]) {
      this.#map.on(gesture, (event) => { if (event.originalEvent) this.#follow = false; });
    }
    await new Promise((ready) => this.#map.once("style.load", ready));
    addLayers(this.#map);
    this.#addBehaviour();
    this.draw(this.#visible);
    this.select(this.#selected);
    this.showRoughness(this.#roughness);
  }

  /** Draw cases (already filtered), tracks and vehicles. */
  draw(visible) {
    this.#visible = visible;
    if (!this.#map?.getSource("cases")) return;
    const placed = visible.filter((feature) => feature.geometry);
    this.#map.getSource("cases").setData({ type: "FeatureCollection", features: placed });
    this.#map.getSource("tracks").setData({ type: "FeatureCollection", features: this.#depot.tracks });
    this.#map.getSource("roughness").setData({ type: "FeatureCollection", features: this.#depot.roughness });
    this.#drawVehicles();
    showLegend("tracks", this.#depot.tracks.length > 0);
    if (this.#follow) this.#fit();
  }

  /** Mark a case where it lies now, with the circle that it lies in with 95 %. */
  mark(feature) {
    this.#selected = feature;
    const place = feature?.geometry?.coordinates;
    const marks = place ? [feature, circle(place, feature.properties.position_radius_95_m)] : [];
    this.#map?.getSource("selected")?.setData({ type: "FeatureCollection", features: marks });
    showLegend("selected", marks.length > 0);
  }

  /** Show or hide how the roads felt. */
  showRoughness(on) {
    this.#roughness = on;
    showLegend("roughness", on);
    if (this.#map?.getSource("roughness")) showRoughness(this.#map, on);
  }

  /** Mark a case and bring it into view. */
  select(feature) {
    this.mark(feature);
    this.resize(); // a case that opens or closes takes or gives room
    const place = feature?.geometry?.coordinates;
    if (!place || !this.#map?.getSource("selected")) return;
    this.#follow = false;
    const { left, right, width, height } = this.#map.getCanvas().getBoundingClientRect();
    // On middle widths the open case lies over the map's right part. (Over all of it: a phone, or it is not shown.)
    const panel = document.getElementById("detail").getBoundingClientRect();
    const covered = panel.left > left ? Math.max(right - panel.left, 0) : 0;
    const { x, y } = this.#map.project(place);
    const [dx, dy] = [width / 8, height / 6];
    const inside = x > dx && x < width - covered - dx && y > dy && y < height - dy;
    if (!inside || this.#map.getZoom() < 16.5) {
      const zoom = Math.max(this.#map.getZoom(), 17.5);
      this.#map.easeTo({ center: place, zoom, offset: [-covered / 2, 0], duration: stillness() ? 0 : 350 });
    }
  }

  /** After the map's room has changed. */
  resize() {
    this.#map?.resize();
    if (this.#follow && !this.#selected) this.#fit();
  }

  /** After a change of language. */
  translate() {
    this.#drawGrid();
    this.draw(this.#visible);
    for (const [kind, key] of [["in", "zoom_in"], ["out", "zoom_out"]]) {
      const button = document.querySelector(`.maplibregl-ctrl-zoom-${kind}`);
      button?.setAttribute("aria-label", say(key));
      button?.setAttribute("title", say(key));
    }
  }

  async #style() {
    const { style_url: url, tiles_url: tiles, attribution } = this.#settings;
    if (url) {
      try {
        const style = await getJson(url, BASE_MAP_TIMEOUT_MS);
        this.#plain = false;
        return style;
      } catch {
        this.#message("base_map_failed");
      }
    }
    return plainStyle(tiles, attribution);
  }

  #addBehaviour() {
    const map = this.#map;
    map.on("click", (event) => {
      const { x, y } = event.point;
      const near = map.queryRenderedFeatures([[x - 6, y - 6], [x + 6, y + 6]], { layers: ["cases"] });
      if (near.length) this.#select(near[0].properties.case, { open: true });
    });
    this.#popup = new this.#library.Popup({ closeButton: false, closeOnClick: false, offset: 12, maxWidth: "340px", className: "hint" });
    map.on("mousemove", (event) => {
      const [found] = map.queryRenderedFeatures(event.point, { layers: HINTED });
      const text = found && hint(found, this.#depot);
      map.getCanvas().style.cursor = found?.layer.id === "cases" ? "pointer" : "";
      if (text) this.#popup.setLngLat(event.lngLat).setDOMContent(element("p", {}, text)).addTo(map);
      else this.#popup.remove();
    });
    map.on("mouseout", () => this.#popup.remove());
    map.on("moveend", () => this.#drawGrid());
    this.#drawGrid();
  }

  #drawGrid() {
    const source = this.#map?.getSource("grid");
    const note = document.getElementById("grid-note");
    note.hidden = !source;
    if (!source) return;
    const bounds = this.#map.getBounds();
    const [west, south, east, north] = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    const center = this.#map.getCenter();
    const step = roundStep(north - south);
    this.#origin ??= [center.lng, center.lat];
    // Far out a grid in metres around one place means nothing any more.
    const lines = step > 50_000 ? EMPTY : gridLines([west, south, east, north], step, this.#origin);
    source.setData(lines);
    note.textContent = say("grid", { m: step >= 1000 ? `${number(step / 1000)} km` : `${number(step, step < 1 ? 1 : 0)} m` });
  }

  #drawVehicles() {
    const here = new Set();
    for (const { id, geometry, properties } of this.#depot.vehicles) {
      if (!geometry) continue;
      here.add(id);
      const marker = this.#markers.get(id) ?? this.#newMarker(id);
      marker.getElement().dataset.state = properties.state;
      marker.getElement().title = `${properties.vehicle}: ${say(properties.state)}`;
      marker.setLngLat(geometry.coordinates).addTo(this.#map);
    }
    for (const [id, marker] of this.#markers) if (!here.has(id)) marker.remove();
  }

  #newMarker(id) {
    const marker = new this.#library.Marker({ element: element("div", { class: "vehicle-mark" }, id), anchor: "bottom", offset: [0, -9] });
    this.#markers.set(id, marker);
    return marker;
  }

  #fit() {
    if (!this.#map) return;
    const places = [
      ...this.#visible.flatMap(({ geometry }) => (geometry ? [geometry.coordinates] : [])),
      ...this.#depot.tracks.flatMap(({ geometry }) => geometry.coordinates),
    ];
    const box = boundsOf(places);
    if (!box) return;
    this.#map.fitBounds([[box[0], box[1]], [box[2], box[3]]], { padding: 60, maxZoom: 18, duration: 0 });
  }

  #message(key) {
    const message = document.getElementById("map-message");
    message.textContent = say(key);
    message.hidden = false;
  }
}

function showLegend(of, on) {
  for (const entry of document.querySelectorAll(`[data-legend="${of}"]`)) entry.hidden = !on;
}

function controlWords() {
  return { "NavigationControl.ZoomIn": say("zoom_in"), "NavigationControl.ZoomOut": say("zoom_out"), "Map.Title": say("map") };
}

function stillness() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
