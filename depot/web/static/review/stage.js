// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The open case: what it is, its best picture large with the defect's box, the close-up and the second best frame.

import { element, icon, iconButton } from "../dom.js";
import { className, dateTime, day, number, say, trouble } from "../words.js";
import { capOf } from "./keys.js";
import { gradeMark, nameOf, placeOf, stateMark, trendMark } from "./marks.js";
import { closeUp, enlarge, laterOf, missingOf, noPicture, whole } from "./pictures.js";

export class Stage {
  #shown = null;
  #frame = 0;
  #pass = 0; // of the later ones
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
    if (this.#shown?.number !== found.number) this.#frame = this.#pass = 0;
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
  large(first) {
    const open = document.getElementById("large");
    if (open) return open.close();
    const pictures = this.#showable();
    const later = laterOf(this.#shown).filter((picture) => !missingOf(picture));
    const all = [...pictures, ...later];
    const at = first === undefined ? Math.min(this.#frame, pictures.length - 1) : all.findIndex(({ sha256 }) => sha256 === first.sha256);
    if (all.length) enlarge(all, Math.max(at, 0), this.#shown);
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
    const later = laterOf(found);
    this.#pictures.classList.toggle("comparing", later.length > 0);
    if (later.length) return this.#compare(found, pictures, later);
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

  /** Before and after side by side, and what the later pass speaks for. */
  #compare(found, pictures, later) {
    const at = Math.min(this.#frame, Math.max(pictures.length - 1, 0));
    const pass = Math.min(this.#pass, later.length - 1);
    const before = pictures[at] ?? found.pictures?.[0];
    const after = later[pass];
    const side = (picture, word) => {
      const missing = missingOf(picture);
      const caption = say(word, { t: day(picture?.utc) });
      return missing ? this.#tile(noPicture(missing), caption) : this.#tile(whole(picture, found), caption, () => this.large(picture));
    };
    const near = [before, after].some(missingOf) ? [] : [before, after].map((picture) => this.#tile(closeUp(picture, found), say("close_up")));
    this.#pictures.replaceChildren(
      ...(found.proposes === "repaired" ? [proposal(found.after[0])] : []),
      element("div", { class: "compare", role: "group", "aria-label": say("compare") }, side(before, "photo_before"), side(after, "photo_after"), ...near),
      element("p", { class: "note after-note" }, whatWasFound(after)),
    );
    if (pictures.length > 1) this.#pictures.append(this.#rest(pictures, at));
    if (later.length > 1) this.#pictures.append(this.#rest(later, pass, "later_all", (place) => { this.#pass = place; this.#drawPictures(); }));
    return undefined;
  }

  #rest(pictures, at, label = "pictures_all", show = (place) => this.#show(place)) {
    return element(
      "div", { class: "frames", role: "group", "aria-label": say(label, { n: pictures.length }) },
      ...pictures.slice(0, 10).map((_, place) => element(
        "button", { type: "button", "aria-pressed": String(place === at), "aria-label": say("position_in", { n: place + 1, all: pictures.length }), onclick: () => show(place) }, String(place + 1),
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

/** What a later pass speaks for; the key or the button below says yes. */
function proposal(after) {
  return element(
    "div", { class: "proposal", role: "status" }, icon("repaired", 20),
    element("p", {}, element("strong", {}, say("propose_repaired")), " ", say("propose_why", { vehicle: after.vehicle, t: dateTime(after.utc) })),
    capOf("repaired"),
  );
}

function whatWasFound(after) {
  const found = after.found.map(className).join(", ") || say(after.seen ? "found_beside" : "found_nothing");
  const frames = after.frames_judged === 1 ? say("in_frame") : say("in_frames", { n: number(after.frames_judged) });
  const place = after.error_m === null ? null : say("place_within", { m: number(after.error_m, 1) });
  return [after.vehicle, dateTime(after.utc), `${say("found_there")}: ${found} (${frames})`, place].filter(Boolean).join(" · ");
}
