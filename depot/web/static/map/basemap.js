// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// A map: MapLibre GL JS on a base map where one is configured and answers, else on a plain grid in metres.
// No layer writes text with letters from a server; what must be read is drawn as a picture or an element.

import { getJson } from "../api.js";
import { element } from "../dom.js";
import { number, say } from "../words.js";
import { boundsOf, EMPTY, gridLines, roundStep } from "./grid.js";

const BASE_MAP_TIMEOUT_MS = 5000;
const NOWHERE = [6.7623, 51.4344]; // shown while no place is known: Duisburg
const ROADS_ZOOM = 12.5;
const BACKGROUND = "#eef1ee";

export class BaseMap {
  map = null; // null: it cannot be drawn
  library = null;
  #settings;
  #withRoads;
  #origin = null; // where the grid starts
  #area = element("div", { class: "map" });
  #message = element("p", { class: "map-message", role: "status", hidden: true });
  #note = element("p", { class: "grid-note", hidden: true });
  #popup = null;
  #roadsIn = null; // the box that roads were asked for

  /** `roads`: whether the city's network is drawn where no base map is configured. */
  constructor(settings, { roads = true } = {}) {
    this.#settings = settings;
    this.#withRoads = roads;
    this.legend = element("div", { class: "legend" });
    this.buttons = element("div", { class: "map-buttons" });
    this.root = element(
      "div", { class: "map-area" }, this.#area, this.#message,
      element("div", { class: "map-notes" }, this.legend, this.#note), this.buttons,
    );
  }

  /** Whether there is a map now. Ends when it can take layers. */
  async start() {
    try {
      this.library = await import("/vendor/maplibre-gl/maplibre-gl.mjs");
    } catch {
      return this.#say("map_missing");
    }
    const { style, plain } = await this.#style();
    try {
      this.map = new this.library.Map({
        container: this.#area, style, center: NOWHERE, zoom: 12, maxZoom: 22, dragRotate: false, pitchWithRotate: false,
        attributionControl: plain && !this.#settings.attribution ? false : { compact: true }, fadeDuration: 0,
        locale: { "NavigationControl.ZoomIn": say("zoom_in"), "NavigationControl.ZoomOut": say("zoom_out"), "Map.Title": say("map") },
      });
    } catch {
      return this.#say("map_failed");
    }
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new this.library.NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new this.library.ScaleControl({ maxWidth: 120 }), "bottom-left");
    await new Promise((ready) => this.map.once("style.load", ready));
    if (plain && this.#withRoads) this.#addRoads();
    this.map.on("moveend", () => this.#moved());
    this.#moved();
    this.watched = new ResizeObserver(() => this.map?.resize());
    this.watched.observe(this.#area);
    return true;
  }

  stop() {
    this.watched?.disconnect();
    this.map?.remove();
    this.map = null;
  }

  /** West, south, east, north of what is shown, as an address wants it. */
  bbox() {
    if (!this.map) return null;
    const bounds = this.map.getBounds();
    return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map((value) => value.toFixed(5)).join(",");
  }

  center() {
    const center = this.map?.getCenter();
    return center ? [center.lng, center.lat] : null;
  }

  set(source, features) {
    this.map?.getSource(source)?.setData({ type: "FeatureCollection", features });
  }

  /** Bring places into view. */
  fit(places, { maxZoom = 18, padding = 48 } = {}) {
    const box = boundsOf(places);
    if (box) this.map?.fitBounds([[box[0], box[1]], [box[2], box[3]]], { padding, maxZoom, duration: 0 });
  }

  move(place, zoom) {
    this.map?.easeTo({ center: place, zoom, duration: stillness() ? 0 : 300 });
  }

  /** Say something at what is pointed at; `tell(feature)` gives the line, or nothing. */
  hints(layers, tell) {
    this.#popup = new this.library.Popup({ closeButton: false, closeOnClick: false, offset: 12, maxWidth: "320px", className: "hint" });
    this.map.on("mousemove", (event) => {
      const [found] = this.map.queryRenderedFeatures(event.point, { layers: layers.filter((layer) => this.map.getLayer(layer)) });
      const text = found ? tell(found) : this.#roadAt(event.point);
      if (text) this.#popup.setLngLat(event.lngLat).setDOMContent(element("p", {}, text)).addTo(this.map);
      else this.#popup.remove();
    });
    this.map.on("mouseout", () => this.#popup.remove());
  }

  #roadAt(point) {
    if (!this.map.getLayer("roads")) return null;
    return this.map.queryRenderedFeatures(point, { layers: ["roads"] })[0]?.properties.name;
  }

  focus() {
    this.map?.getCanvas().focus();
  }

  async #style() {
    const { style_url: url, tiles_url: tiles, attribution } = this.#settings;
    if (url) {
      try {
        return { style: await getJson(url, { timeoutMs: BASE_MAP_TIMEOUT_MS }), plain: false };
      } catch {
        this.#say("base_map_failed");
      }
    }
    return { style: plainStyle(tiles, attribution), plain: !tiles };
  }

  #drawGrid() {
    const source = this.map?.getSource("grid");
    this.#note.hidden = !source;
    if (!source) return;
    const bounds = this.map.getBounds();
    const [west, south, east, north] = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    const step = roundStep(north - south);
    this.#origin ??= this.center();
    // Far out a grid in metres around one place means nothing any more.
    source.setData(step > 50_000 ? EMPTY : gridLines([west, south, east, north], step, this.#origin));
    this.#note.textContent = say("grid", { m: step >= 1000 ? `${number(step / 1000)} km` : `${number(step, step < 1 ? 1 : 0)} m` });
  }

  #moved() {
    this.#drawGrid();
    if (this.map.getSource("roads")) this.#drawRoads();
  }

  /** The city's own network stands in for a base map. */
  #addRoads() {
    this.map.addSource("roads", { type: "geojson", data: EMPTY });
    const width = (wider) => ["interpolate", ["exponential", 1.6], ["zoom"], 12, 1 + wider, 16, 7 + wider, 20, 30 + wider];
    this.map.addLayer({ id: "roads-edge", type: "line", source: "roads", layout: ROUND, paint: { "line-color": "#d2dad6", "line-width": width(2) } });
    this.map.addLayer({ id: "roads", type: "line", source: "roads", layout: ROUND, paint: { "line-color": "#ffffff", "line-width": width(0) } });
  }

  async #drawRoads() {
    if (this.map.getZoom() < ROADS_ZOOM) return;
    const bounds = this.map.getBounds();
    const [west, south, east, north] = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    const known = this.#roadsIn;
    if (known && known[0] <= west && known[1] <= south && known[2] >= east && known[3] >= north) return;
    const [dx, dy] = [(east - west) / 2, (north - south) / 2]; // so that small moves ask for nothing
    this.#roadsIn = [Math.max(west - dx, -180), Math.max(south - dy, -90), Math.min(east + dx, 180), Math.min(north + dy, 90)];
    const box = this.#roadsIn.map((value) => value.toFixed(5)).join(",");
    const { features } = await getJson(`/api/coverage/roads.geojson?bbox=${box}`).catch(() => ({ features: [] }));
    this.set("roads", features.filter(({ geometry }) => geometry));
  }

  #say(key) {
    this.#message.textContent = say(key);
    this.#message.hidden = false;
    return false;
  }
}

/** A style without a server, or with one for picture tiles. */
function plainStyle(tiles, attribution) {
  const style = {
    version: 8,
    sources: { grid: { type: "geojson", data: EMPTY } },
    layers: [
      { id: "background", type: "background", paint: { "background-color": BACKGROUND } },
      { id: "grid", type: "line", source: "grid", paint: {
        "line-color": ["case", ["get", "major"], "#cfd7d3", "#e1e7e4"], "line-width": ["case", ["get", "major"], 1.2, 0.8],
      } },
    ],
  };
  if (tiles) {
    style.sources.tiles = { type: "raster", tiles: [tiles], tileSize: 256, maxzoom: 19, attribution };
    style.layers.push({ id: "tiles", type: "raster", source: "tiles" });
  }
  return style;
}

export function stillness() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Thin far out, wide when near. */
export const WIDE = ["interpolate", ["exponential", 1.6], ["zoom"], 11, 1.6, 16, 6, 20, 18];
export const ROUND = { "line-cap": "round", "line-join": "round" };
