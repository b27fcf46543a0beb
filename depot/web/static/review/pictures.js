// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Pictures with the defect's box drawn over them: whole, and as a close-up.

import { element, icon, svg } from "../dom.js";
import { say } from "../words.js";
import { pictureUrl } from "./cases.js";
import { nameOf } from "./marks.js";

const WIDE = 16 / 9;

/** The picture in its whole size with its frame. */
export function whole(picture, found) {
  const label = say(picture.later ? "picture_of_place" : "picture_of", { what: nameOf(found), case: say("case", { n: found.number }) });
  return framed(picture, [0, 0, picture.width, picture.height], label);
}

/** A view of the picture around the box, with its surroundings. */
export function closeUp(picture, found) {
  return framed(picture, around(picture), say("close_up_of", { what: nameOf(found) }));
}

/** What stands in a picture's place while there is none; `missing`: awaited, expired, gone or none. */
export function noPicture(missing) {
  const words = { awaited: "picture_awaited", expired: "picture_expired", gone: "picture_gone", none: "no_picture" };
  return element("p", { class: "no-picture" }, icon("camera", 30), element("span", {}, say(words[missing])));
}

/** The pictures of later passes, newest first, in the form of the others. */
export function laterOf(found) {
  return (found?.after ?? []).map((one) => ({ ...one, sha256: one.picture, stored: one.picture_stored, later: true }));
}

export function missingOf(picture) {
  if (!picture) return "none";
  if (picture.expired) return "expired";
  return picture.stored ? null : "awaited";
}

function framed(picture, viewBox, label) {
  const { width, height } = picture;
  const image = svg("image", { href: pictureUrl(picture.sha256), width, height });
  const drawing = svg("svg", { viewBox: viewBox.join(" "), role: "img", "aria-label": label, preserveAspectRatio: "xMidYMid meet" }, image);
  if (picture.box) {
    const [x1, y1, x2, y2] = picture.box;
    const margin = width / 160; // the frame stands beside the defect, not on it
    const box = { x: x1 - margin, y: y1 - margin, rx: margin / 3, width: Math.max(x2 - x1, 0) + 2 * margin, height: Math.max(y2 - y1, 0) + 2 * margin };
    drawing.append(svg("rect", { ...box, class: "box-edge" }), svg("rect", { ...box, class: "box" }));
  }
  image.addEventListener("error", () => drawing.replaceWith(noPicture("gone")), { once: true });
  return drawing;
}

/** A 16:9 window around the box; all of the picture where there is no box. */
function around({ box, width, height }) {
  if (!box) return [0, 0, width, height];
  const [x1, y1, x2, y2] = box;
  const wanted = Math.max(1.7 * (x2 - x1), 1.7 * (y2 - y1) * WIDE, width / 6);
  const w = Math.min(wanted, width, height * WIDE);
  const h = w / WIDE;
  const clamp = (value, most) => Math.min(Math.max(value, 0), Math.max(most, 0));
  return [clamp((x1 + x2 - w) / 2, width - w), clamp((y1 + y2 - h) / 2, height - h), w, h];
}

/** The picture over the whole window; `step(by)` shows another one. */
export function enlarge(pictures, start, found) {
  let shown = start;
  const frame = element("div", { class: "large-frame" });
  const caption = element("p", { class: "large-caption" });
  const close = element("button", { type: "button", class: "icon-button", "aria-label": say("close"), onclick: () => large.close() }, icon("close", 22));
  const large = element("dialog", { id: "large", class: "large", "aria-label": say("picture") }, frame, caption, close);
  const draw = () => {
    frame.replaceChildren(whole(pictures[shown], found));
    caption.textContent = [nameOf(found), say("case", { n: found.number }), pictures.length > 1 && say("position_in", { n: shown + 1, all: pictures.length })].filter(Boolean).join(" · ");
  };
  large.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      shown = (shown + step + pictures.length) % pictures.length;
      draw();
    }
  });
  large.addEventListener("close", () => large.remove());
  large.addEventListener("click", (event) => { if (!event.target.closest("button")) large.close(); });
  draw();
  document.body.append(large);
  large.showModal();
  return large;
}
