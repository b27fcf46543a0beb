// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// What the map is drawn with: the plain base map and our own layers. No layer writes text, so no server for letters
// is needed.

import { EMPTY } from "./grid.js";
import { classColours, OTHER_COLOUR } from "./words.js";

const BACKGROUND = "#eef1ee";
// From smooth to rough in steps of two, told apart without red-green sight; the legend in page.css says the same.
const ROUGHNESS = [[0.5, "#f2dc7c"], [1, "#f0a04b"], [2, "#cf5468"], [4, "#8b56a0"]];
const BLOW = "#5b1f69";
const ROUND = { "line-cap": "round", "line-join": "round" };
const WIDE = ["interpolate", ["exponential", 1.6], ["zoom"], 12, 2, 16, 5, 20, 16];
const DOT = ["interpolate", ["linear"], ["zoom"], 10, 3.5, 15, 6, 18, 8.5];

/** A style without a server, or with one for picture tiles. */
export function plainStyle(tiles, attribution) {
  const style = {
    version: 8,
    sources: { grid: { type: "geojson", data: EMPTY } },
    layers: [
      { id: "background", type: "background", paint: { "background-color": BACKGROUND } },
      { id: "grid", type: "line", source: "grid", paint: {
        "line-color": ["case", ["get", "major"], "#bcc6c1", "#d7deda"], "line-width": ["case", ["get", "major"], 1.2, 0.8],
      } },
    ],
  };
  if (tiles) {
    style.sources.tiles = { type: "raster", tiles: [tiles], tileSize: 256, maxzoom: 19, attribution };
    style.layers.push({ id: "tiles", type: "raster", source: "tiles" });
  }
  return style;
}

/** Our sources, empty, and our layers over whatever base map there is. */
export function addLayers(map) {
  for (const id of ["tracks", "roughness", "selected", "cases"]) map.addSource(id, { type: "geojson", data: EMPTY });
  map.addLayer({ id: "tracks", type: "line", source: "tracks", filter: ["get", "valid"], layout: ROUND,
    paint: { "line-color": "#8fa9ae", "line-width": WIDE, "line-opacity": 0.75 } });
  map.addLayer({ id: "tracks-blind", type: "line", source: "tracks", filter: ["!", ["get", "valid"]],
    layout: { "line-join": "round" }, paint: { "line-color": "#96813f", "line-width": WIDE, "line-opacity": 0.8, "line-dasharray": [1, 1] } });
  map.addLayer({ id: "sections", type: "line", source: "roughness", filter: ["==", ["get", "kind"], "section"],
    layout: { "line-join": "round", visibility: "none" },
    paint: { "line-color": ["interpolate", ["linear"], ["get", "rms_mps2"], ...ROUGHNESS.flat()], "line-width": WIDE } });
  map.addLayer({ id: "error", type: "fill", source: "selected", filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "fill-color": "#12343b", "fill-opacity": 0.13, "fill-outline-color": "#12343b" } });
  map.addLayer({ id: "cases", type: "circle", source: "cases", paint: {
    "circle-color": ["match", ["get", "class"], ...classColours().flat(), OTHER_COLOUR],
    "circle-radius": DOT, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1.5,
  } });
  const seen = ["to-boolean", ["get", "observation"]];
  map.addLayer({ id: "shocks", type: "circle", source: "roughness", filter: ["==", ["get", "kind"], "shock"],
    layout: { visibility: "none" }, paint: {
      "circle-radius": 4.5, "circle-color": ["case", seen, BLOW, "#ffffff"],
      "circle-stroke-color": ["case", seen, "#ffffff", BLOW], "circle-stroke-width": ["case", seen, 1.5, 3],
    } });
  map.addLayer({ id: "selected", type: "circle", source: "selected", filter: ["==", ["geometry-type"], "Point"], paint: {
    "circle-radius": 15, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": "#12343b", "circle-stroke-width": 3,
  } });
}

/** Show or hide the layers of roughness. */
export function showRoughness(map, on) {
  for (const layer of ["sections", "shocks"]) map.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
}
