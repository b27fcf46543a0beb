// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// One case in full: the picture with the defect's box drawn over it, a close-up, the facts.

import { dot, element, svg } from "./dom.js";
import { classColour, className, clockFace, dateTime, linePlace, number, percent, placeBasis, say } from "./words.js";

/** The panel of a case. `close` is called by its close button. */
export function drawDetail(panel, feature, { close, enlarge }) {
  const { properties } = feature;
  const what = className(properties.class);
  const title = element("h2", { id: "detail-title" }, dot(classColour(properties.class)), what);
  const head = element(
    "div", { class: "detail-head" },
    element("button", { type: "button", class: "close", "aria-label": say("close"), onclick: close }, "✕"),
    title,
    element("p", { class: "detail-number" }, `${say("case", { n: feature.id })} · ${properties.vehicle}`),
  );
  panel.setAttribute("aria-labelledby", "detail-title");
  panel.replaceChildren(head, drawPicture(feature, enlarge), drawFacts(feature));
}

/** The picture in its whole size, for the dialog. */
export function largePicture(feature) {
  const { properties } = feature;
  const label = say("picture_of", { what: className(properties.class), case: say("case", { n: feature.id }) });
  return framed(properties, [0, 0, properties.picture_width, properties.picture_height], label);
}

function drawPicture(feature, enlarge) {
  const { properties } = feature;
  if (!properties.picture) return element("p", { class: "no-picture" }, say("no_picture"));
  if (!properties.picture_stored) return element("p", { class: "no-picture" }, say("picture_awaited"));
  const closeUp = framed(properties, around(properties), say("close_up_of", { what: className(properties.class) }));
  return element(
    "div", { class: "pictures" },
    element("button", { type: "button", class: "picture", title: say("enlarge"), onclick: enlarge }, largePicture(feature)),
    element("figure", { class: "close-up" }, closeUp, element("figcaption", {}, say("close_up"))),
  );
}

function framed(properties, viewBox, label) {
  const [x1, y1, x2, y2] = properties.picture_box;
  const margin = properties.picture_width / 160; // the frame stands beside the defect, not on it
  const box = {
    x: x1 - margin, y: y1 - margin, rx: margin / 3,
    width: Math.max(x2 - x1, 0) + 2 * margin, height: Math.max(y2 - y1, 0) + 2 * margin,
  };
  const frame = svg("rect", { ...box, class: "box" });
  frame.style.stroke = classColour(properties.class);
  return svg(
    "svg", { viewBox: viewBox.join(" "), role: "img", "aria-label": label },
    svg("image", { href: properties.picture, width: properties.picture_width, height: properties.picture_height }),
    svg("rect", { ...box, class: "box-edge" }),
    frame,
  );
}

/** A 16:9 view of the picture around the box, with its surroundings. */
function around({ picture_box: [x1, y1, x2, y2], picture_width: width, picture_height: height }) {
  const wanted = Math.max(1.7 * (x2 - x1), (1.7 * (y2 - y1) * 16) / 9, width / 6);
  const w = Math.min(wanted, width, (height * 16) / 9);
  const h = (w * 9) / 16;
  const clamp = (value, most) => Math.min(Math.max(value, 0), Math.max(most, 0));
  return [clamp((x1 + x2 - w) / 2, width - w), clamp((y1 + y2 - h) / 2, height - h), w, h];
}

function drawFacts(feature) {
  const facts = element("dl", { class: "facts", "aria-label": say("facts") });
  for (const [key, value, note] of factsOf(feature)) {
    facts.append(element(
      "div", {}, element("dt", {}, say(key)),
      element("dd", {}, value, note ? element("span", { class: "note" }, note) : null),
    ));
  }
  return facts;
}

function* factsOf({ geometry, properties: p }) {
  yield p.length_m === null
    ? ["size", say("size_unknown")]
    : ["size", `${number(p.length_m, 2)} × ${number(p.width_m, 2)} m`, metres(p.size_error_m, 2)];
  if (p.severity !== null) yield ["severity", say("severity_of", { n: p.severity }), say("rule", { r: p.severity_rule })];
  if (geometry) {
    const [lon, lat] = geometry.coordinates;
    const link = element("a", { href: `geo:${lat},${lon}`, title: say("open_in_map_app") }, degrees(lat, lon));
    yield ["position", link, revised(p)];
    const digits = p.position_error_m < 0.5 ? 2 : 1;
    yield ["accuracy", metres(p.position_error_m, digits), say("within", { m: number(p.position_radius_95_m, digits) })];
    yield ["found_by", placeBasis(p), p.position_method === "line" && p.line !== null ? metres(p.chainage_error_m, 0) : null];
  } else {
    yield ["position", say("position_unknown"), revised(p)];
  }
  if (p.line !== null && p.position_method !== "line") yield ["line", linePlace(p), metres(p.chainage_error_m, 0)];
  if (p.lining_clock !== null) {
    const side = say(`lining_${p.lining_side}`);
    yield ["lining", say("on_lining", { clock: clockFace(p.lining_clock), side, m: number(p.lining_height_m, 1) })];
  }
  if (p.shock_mps2 !== null) yield ["wheel", say("wheel_confirms"), say("blow", { a: number(p.shock_mps2, 1) })];
  yield ["score", percent(p.score)];
  yield ["frames", p.frames_seen === 1 ? say("frame") : say("n_frames", { n: number(p.frames_seen) })];
  yield ["time", p.utc ? dateTime(p.utc) : say("time_unknown"), say(`clock_${p.time_quality}`)];
  yield ["received", dateTime(p.received_utc)];
  if (p.heading_deg !== null) yield ["heading", `${number(p.heading_deg)}°`];
  if (p.speed_mps !== null) yield ["speed", `${number(p.speed_mps * 3.6)} km/h`];
  yield ["vehicle", p.vehicle];
  yield ["camera", p.calibration];
  yield ["model", `${p.model} ${p.model_version}`, p.model_sha256.slice(0, 12)];
  yield ["software", p.software];
  if (p.picture) yield ["anonymised", hidden(p), p.anonymised_by];
}

function degrees(lat, lon) {
  const one = (value, positive, negative) => `${number(Math.abs(value), 5)}°\u00a0${value < 0 ? negative : positive}`;
  return `${one(lat, "N", "S")}, ${one(lon, say("east"), "W")}`;
}

function revised({ position_revision: revision, position_moved_m: moved }) {
  if (!revision) return null;
  return moved === null ? say("revised") : say("moved", { m: number(moved, moved < 10 ? 1 : 0) });
}

/** "± 1.8 m", never broken over two lines. */
function metres(error, digits) {
  return `±\u00a0${number(error, digits)}\u00a0m`;
}

function hidden({ anonymised_people: people, anonymised_vehicles: vehicles }) {
  const parts = [];
  if (people) parts.push(say("people", { n: number(people) }));
  if (vehicles) parts.push(say("vehicles_hidden", { n: number(vehicles) }));
  return parts.join(", ") || say("nothing_hidden");
}
