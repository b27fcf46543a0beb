// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The open case: what it is, its best picture large with the defect's box, the close-up and the second best frame.

import { element, icon, iconButton } from "../dom.js";
import { say, trouble } from "../words.js";
import { gradeMark, nameOf, placeOf, stateMark, trendMark } from "./marks.js";
import { closeUp, enlarge, missingOf, noPicture, whole } from "./pictures.js";

export class Stage {
  #shown = null;
  #frame = 0;
  #acts;
  #count = element("span", { class: "stage-count number" });
  #head = element("header", { class: "stage-head" });
  #pictures = element("div", { class: "pictures" });

  /** `acts`: { close, step(by) }; `bar`: the buttons of the decision. */
  constructor(acts, bar) {
    this.#acts = acts;
    this.root = element("section", { class: "stage", tabindex: "-1", "aria-labelledby": "case-title", hidden: true }, this.#head, element("div", { class: "stage-scroll" }, this.#pictures), bar);
  }

  /** Where in the list it stands: "3 of 75". The list may come later than the case. */
  showPlace(place) {
    this.#count.textContent = place ?? "";
  }

  /** What the list knows already, until the case in full is there. */
  drawRow(row, place) {
    this.#clear();
    this.root.hidden = false;
    this.#drawHead(row, place);
    this.#pictures.replaceChildren(element("div", { class: "picture loading", "aria-label": say("loading") }));
  }

  draw(found, place) {
    if (this.#shown?.number !== found.number) this.#frame = 0;
    this.#shown = found;
    this.root.dataset.shown = found.number;
    this.root.hidden = false;
    this.#drawHead(found, place);
    this.#drawPictures();
  }

  fail(number, error) {
    this.#clear();
    this.root.hidden = false;
    this.#head.replaceChildren(element("div", { class: "stage-title" }, element("h2", { id: "case-title" }, say("case", { n: number }))), this.#close());
    this.#pictures.replaceChildren(element("div", { class: "empty", role: "alert" }, icon("warning", 34), element("h3", {}, say("load_failed")), element("p", {}, trouble(error))));
  }

  hide() {
    this.#clear();
    this.root.hidden = true;
  }

  #clear() {
    this.#shown = null;
    delete this.root.dataset.shown;
  }

  /** The case that is on the screen in full, or null. */
  get shown() {
    return this.#shown;
  }

  /** The next picture in the large frame. */
  nextFrame() {
    const count = this.#showable().length;
    if (count < 2) return;
    this.#frame = (this.#frame + 1) % count;
    this.#drawPictures();
  }

  /** The picture over the whole window; once more closes it. */
  large() {
    const open = document.getElementById("large");
    if (open) return open.close();
    const pictures = this.#showable();
    if (pictures.length) enlarge(pictures, Math.min(this.#frame, pictures.length - 1), this.#shown);
    return undefined;
  }

  #showable() {
    return (this.#shown?.pictures ?? []).filter((picture) => !missingOf(picture));
  }

  #drawHead(found, place) {
    this.showPlace(place);
    const facts = [say("case", { n: found.number }), placeOf(found)];
    this.#head.replaceChildren(
      element(
        "div", { class: "stage-title" },
        element("h2", { id: "case-title" }, gradeMark(found.grade), element("span", {}, nameOf(found)), stateMark(found.state), trendMark(found.trend)),
        element("p", { class: "stage-place" }, facts.join(" · ")),
      ),
      element(
        "div", { class: "stage-steps" },
        this.#count,
        iconButton("up", say("previous"), () => this.#acts.step(-1)),
        iconButton("down", say("next"), () => this.#acts.step(1)),
        this.#close(),
      ),
    );
  }

  #close() {
    return iconButton("close", say("close"), () => this.#acts.close());
  }

  #drawPictures() {
    const found = this.#shown;
    const pictures = this.#showable();
    const missing = missingOf(found.pictures?.[0]);
    if (!pictures.length) return this.#pictures.replaceChildren(element("div", { class: "picture" }, noPicture(missing ?? "none")));
    const at = Math.min(this.#frame, pictures.length - 1);
    const main = pictures[at];
    const other = pictures[at === 0 ? 1 : 0];
    const large = element("button", { type: "button", class: "picture", title: say("enlarge"), "aria-label": say("enlarge"), onclick: () => this.large() }, whole(main, found));
    const strip = element("div", { class: "strip" }, this.#tile(closeUp(main, found), say("close_up")));
    if (other) strip.append(this.#tile(whole(other, found), at === 0 ? say("second_frame") : say("picture"), () => this.#show(pictures.indexOf(other))));
    this.#pictures.replaceChildren(large, strip);
    if (pictures.length > 2) this.#pictures.append(this.#rest(pictures, at));
    return undefined;
  }

  #rest(pictures, at) {
    return element(
      "div", { class: "frames", role: "group", "aria-label": say("pictures_all", { n: pictures.length }) },
      ...pictures.slice(0, 10).map((_, place) => element(
        "button", { type: "button", "aria-pressed": String(place === at), "aria-label": say("position_in", { n: place + 1, all: pictures.length }), onclick: () => this.#show(place) }, String(place + 1),
      )),
    );
  }

  #show(place) {
    this.#frame = place;
    this.#drawPictures();
  }

  #tile(picture, caption, onclick = null) {
    const inside = [picture, element("span", { class: "caption" }, caption)];
    return onclick ? element("button", { type: "button", class: "tile", onclick }, ...inside) : element("figure", { class: "tile" }, ...inside);
  }
}
