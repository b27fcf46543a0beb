// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// A plain grid in metres for maps without a base map, and the few bits of geometry that it needs.

export const EMPTY = { type: "FeatureCollection", features: [] };
const METRES_PER_DEGREE = (Math.PI * 6371008.8) / 180;

/** Lines that fill `bounds` (west, south, east, north), `step` metres apart, every fifth one "major". */
export function gridLines([west, south, east, north], step, [lon0, lat0]) {
  const perLon = METRES_PER_DEGREE * Math.cos((lat0 * Math.PI) / 180);
  const features = [];
  const line = (index, coordinates) =>
    features.push({ type: "Feature", properties: { major: index % 5 === 0 }, geometry: { type: "LineString", coordinates } });
  const [x1, x2] = [west, east].map((lon) => ((lon - lon0) * perLon) / step);
  const [y1, y2] = [south, north].map((lat) => ((lat - lat0) * METRES_PER_DEGREE) / step);
  for (let x = Math.floor(x1); x <= x2; x++) {
    const lon = lon0 + (x * step) / perLon;
    line(x, [[lon, south], [lon, north]]);
  }
  for (let y = Math.floor(y1); y <= y2; y++) {
    const lat = lat0 + (y * step) / METRES_PER_DEGREE;
    line(y, [[west, lat], [east, lat]]);
  }
  return { type: "FeatureCollection", features };
}

/** A round step (1, 2, 5, 10 ... metres) that gives about `lines` lines over a height of `degrees`. */
export function roundStep(degrees, lines = 12) {
  const raw = (degrees * METRES_PER_DEGREE) / lines;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw);
}

/** A circle on the ground. */
export function circle([lon, lat], radiusM) {
  const ring = Array.from({ length: 49 }, (_, i) => {
    const angle = (i * Math.PI) / 24;
    return [
      lon + (radiusM * Math.cos(angle)) / (METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180)),
      lat + (radiusM * Math.sin(angle)) / METRES_PER_DEGREE,
    ];
  });
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}

/** The box around places, or null. */
export function boundsOf(places) {
  let box = null;
  for (const [lon, lat] of places) {
    box ??= [lon, lat, lon, lat];
    box = [Math.min(box[0], lon), Math.min(box[1], lat), Math.max(box[2], lon), Math.max(box[3], lat)];
  }
  return box;
}
