// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Offices and areas. Lists are written as a whole, with the version that was before the person's eyes.

import { getJson, send } from "../api.js";
import { button, element } from "../dom.js";
import { BaseMap } from "../map/basemap.js";
import { EMPTY } from "../map/grid.js";
import { empty, field, select, table } from "../parts.js";
import { toast } from "../toast.js";
import { say, trouble } from "../words.js";
import { formDialog, sheetHead } from "./forms.js";

export async function offices(app, again) {
  const { version, offices: found } = await getJson("/api/offices");
  const write = async (changed) => {
    await send("PUT", "/api/offices", { version, offices: changed });
    toast(say("saved"));
    await again();
  };
  const edit = (office) => officeForm(office, (said) => write(office ? found.map((one) => (one.id === office.id ? said : one)) : [...found, said]));
  const toggle = (office) => write(found.map((one) => (one.id === office.id ? { ...one, active: !one.active } : one))).catch((error) => toast(trouble(error), { bad: true }));
  return [
    sheetHead(say("offices_about"), button(say("add_office"), () => edit(null), { class: "button primary" })),
    found.length ? table(say("tab_offices"), [
      [say("name"), (office) => [element("strong", {}, office.name), element("span", { class: "minor soft" }, office.id)]],
      [say("email"), (office) => office.email ?? "–"],
      [say("active"), (office) => {
        const tick = element("input", { type: "checkbox", checked: office.active, "aria-label": `${say("active")}: ${office.name}` });
        tick.addEventListener("change", () => toggle(office));
        return tick;
      }],
      ["", (office) => button(say("edit"), () => edit(office), { class: "button small" }), "acts"],
    ], found) : empty("office", say("no_offices"), null),
  ];
}

function officeForm(office, save) {
  formDialog(office?.name ?? say("add_office"), [
    field(say("name"), element("input", { name: "name", required: true, maxlength: 200, value: office?.name ?? "" })),
    field(say("office_id"), element("input", { name: "id", required: true, maxlength: 63, pattern: "[a-z0-9][a-z0-9_\\-]*", value: office?.id ?? "", readonly: Boolean(office) }), say("login_name_hint")),
    field(say("email"), element("input", { name: "email", type: "email", maxlength: 254, value: office?.email ?? "" })),
  ], (said) => save({ id: said.get("id"), name: said.get("name"), email: said.get("email") || null, active: office?.active ?? true }));
}

export async function areas(app, again) {
  const { features, version } = await getJson("/api/areas");
  const map = new BaseMap(app.settings);
  const file = element("input", { type: "file", accept: ".json,.geojson,application/geo+json", hidden: true });
  let wanted = {};
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    try {
      const asked = new URLSearchParams({ kind: wanted.kind, name_field: wanted.name_field, version });
      await send("PUT", `/api/areas?${asked}`, await file.files[0].text(), { timeoutMs: 120_000 });
      toast(say("changed_placed"));
      await again();
    } catch (error) {
      toast(trouble(error), { bad: true });
    }
  });
  const upload = () => formDialog(say("upload"), [
    field(say("sort_of"), select([["district", say("kind_district")], ["area", say("kind_area")]], "district", { name: "kind" })),
    field(say("name_field"), element("input", { name: "name_field", required: true, value: "name", maxlength: 100 })),
  ], (said) => {
    wanted = { kind: said.get("kind"), name_field: said.get("name_field") };
    file.click();
  }, { save: say("upload") });
  if (features.length) queueMicrotask(() => drawAreas(map, features));
  return [
    sheetHead(say("areas_about"), file, button(say("upload"), upload, { class: "button primary" })),
    features.length ? element("div", { class: "areas" }, table(say("tab_areas"), [
      [say("name"), ({ properties }) => element("strong", {}, properties.name)],
      [say("sort_of"), ({ properties }) => say(`kind_${properties.kind}`)],
      [say("office_id"), ({ properties }) => element("span", { class: "soft" }, properties.id)],
    ], features), map.root) : empty("map", say("no_areas"), null),
  ];
}

async function drawAreas(map, features) {
  if (!(await map.start())) return;
  map.map.addSource("areas", { type: "geojson", data: EMPTY });
  map.map.addLayer({ id: "areas", type: "fill", source: "areas", paint: { "fill-color": "#0a5f6b", "fill-opacity": 0.12 } });
  map.map.addLayer({ id: "area-lines", type: "line", source: "areas", paint: { "line-color": "#0a5f6b", "line-width": 2 } });
  map.set("areas", features);
  map.hints(["areas"], ({ properties }) => properties.name);
  map.fit(features.flatMap(({ geometry }) => geometry.coordinates.flat(geometry.type === "Polygon" ? 1 : 2)));
}
