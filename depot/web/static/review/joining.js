// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Merging two cases and splitting one: with the pictures side by side, since a title alone is not enough to decide.

import { dialog, element, keycap } from "../dom.js";
import { dateTime, number, say } from "../words.js";
import { gradeMark, nameOf, placeOf, sizeOf } from "./marks.js";
import { closeUp, missingOf, noPicture, whole } from "./pictures.js";

/** Ask into which case `found` goes; `then(number)` does it. */
export async function merging(found, cases, then) {
  const near = await Promise.all((found.duplicates ?? []).slice(0, 4).map(async ({ number: n, distance_m: apart }) => {
    const other = await cases.detail(n).catch(() => null);
    return other && { other, apart };
  }));
  const candidates = near.filter(Boolean);
  const choose = (n) => {
    shown.close();
    then(n);
  };
  const field = element("input", { type: "text", inputmode: "numeric", pattern: "[0-9]+", "aria-label": say("merge_number"), placeholder: say("merge_number") });
  const form = element("form", { class: "merge-number" }, field, element("button", { type: "submit", class: "button" }, say("merge")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const n = Number(field.value.replace("#", ""));
    if (Number.isInteger(n) && n > 0 && n !== found.number) choose(n);
    else field.focus();
  });
  const shown = dialog(
    say("merge_title", { case: say("case", { n: found.number }) }), say("close"), { class: "wide-dialog", id: "merge" },
    element(
      "div", { class: "dialog-body" },
      element(
        "div", { class: "side-by-side" }, card(found, say("this_case")),
        ...candidates.map(({ other, apart }, place) => card(other, say("apart", { m: number(apart, apart < 10 ? 1 : 0) }), {
          key: String(place + 1), text: say("merge_into", { case: say("case", { n: other.number }) }), run: () => choose(other.number),
        })),
      ),
      candidates.length ? null : element("p", { class: "soft" }, say("merge_none")),
      form,
    ),
  );
  shown.addEventListener("keydown", (event) => {
    if (event.target === field) return;
    shown.querySelector(`[data-digit="${CSS.escape(event.key)}"]`)?.click();
  });
  (shown.querySelector("[data-digit]") ?? field).focus();
}

function card(found, note, act = null) {
  const [picture] = found.pictures ?? [];
  const missing = missingOf(picture);
  return element(
    "article", { class: "side-card" },
    element("div", { class: "side-pictures" }, missing ? noPicture(missing) : [whole(picture, found), closeUp(picture, found)]),
    element("h3", {}, gradeMark(found.grade), nameOf(found), element("span", { class: "soft" }, say("case", { n: found.number }))),
    element("p", { class: "soft" }, [note, placeOf(found), sizeOf(found)].filter(Boolean).join(" · ")),
    act ? element("button", { type: "button", class: "button primary", "data-digit": act.key, onclick: act.run }, keycap(act.key), act.text) : null,
  );
}

/** Ask which sightings are a defect of their own; `then(numbers)` splits them off. */
export function splitting(found, then) {
  const chosen = new Set();
  const submit = element("button", { type: "button", class: "button primary", disabled: true }, say("split_now", { n: 0 }));
  submit.addEventListener("click", () => {
    shown.close();
    then([...chosen]);
  });
  const draw = () => {
    submit.disabled = chosen.size === 0 || chosen.size >= found.seen.length;
    submit.textContent = say("split_now", { n: chosen.size });
  };
  const entry = (seen) => {
    const tick = element("input", { type: "checkbox" });
    tick.addEventListener("change", () => {
      if (tick.checked) chosen.add(seen.number);
      else chosen.delete(seen.number);
      draw();
    });
    const picture = pictureOf(found, seen);
    const missing = missingOf(picture);
    return element(
      "label", { class: "sighting" }, tick, element("span", { class: "sighting-picture" }, missing ? noPicture(missing) : closeUp(picture, found)),
      element("span", {}, seen.utc ? dateTime(seen.utc) : say("time_unknown"), element("br"), element("span", { class: "soft" }, [seen.vehicle ?? say("citizen"), sizeOf(seen)].filter(Boolean).join(" · "))),
    );
  };
  const shown = dialog(
    say("split_title"), say("close"), { id: "split" },
    element("div", { class: "dialog-body" }, element("p", { class: "soft" }, say("split_hint")), element("div", { class: "sightings" }, ...found.seen.map(entry))),
    element("footer", { class: "dialog-foot" }, submit),
  );
}

/** The picture of one sighting, as `pictures` describes it. */
function pictureOf(found, seen) {
  if (!seen.picture) return null;
  return found.pictures.find(({ sha256 }) => sha256 === seen.picture) ?? null;
}
