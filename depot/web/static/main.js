// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Wires the page: the depot's data, the list, the map, the open case, the language, the keyboard.

import { Depot, getJson } from "./depot.js";
import { drawDetail, largePicture } from "./detail.js";
import { element } from "./dom.js";
import { List } from "./list.js";
import { CaseMap } from "./map.js";
import { drawVehicles } from "./vehicles.js";
import { className, currentLanguage, say, setLanguage, translatePage } from "./words.js";

const detail = document.getElementById("detail");
const large = document.getElementById("large");
const vehicles = document.getElementById("vehicles");
const roughness = document.getElementById("roughness");
const address = new URL(location.href);

const depot = new Depot();
let selected = null;
let drawn = null; // what the detail panel shows: case and its state
let shownView = "list";

setLanguage(document.documentElement.lang);
const settings = await getJson("/api/settings").catch(() => ({}));
const list = new List(depot, select);
const map = new CaseMap(depot, settings, select);

function select(id, { open = false, focus = false } = {}) {
  selected = id;
  list.mark(id, { scroll: true });
  drawSelected();
  map.select(depot.cases.get(id) ?? null);
  remember("case", id);
  if (open && id !== null) show("case");
  if (focus) detail.focus();
}

function drawSelected() {
  const feature = selected === null ? null : depot.cases.get(selected);
  const state = feature ? `${feature.id} ${feature.properties.changed} ${currentLanguage()}` : null;
  if (state === drawn) return;
  drawn = state;
  detail.hidden = !feature;
  if (feature) {
    drawDetail(detail, feature, { close, enlarge });
    detail.scrollTop = 0;
  }
}

function close() {
  select(null);
  if (shownView === "case") show("list");
  document.getElementById("list").focus();
}

function enlarge() {
  const feature = selected === null ? null : depot.cases.get(selected);
  if (!feature?.properties.picture_stored) return;
  const button = element("button", { type: "button", class: "close", "aria-label": say("close") }, "✕");
  button.addEventListener("click", () => large.close());
  const caption = element("p", {}, `${className(feature.properties.class)} · ${say("case", { n: feature.id })}`);
  large.replaceChildren(largePicture(feature), caption, button);
  if (!large.open) large.showModal();
}

/** On a phone one of list, map and case is shown at a time. */
function show(view) {
  shownView = view;
  document.body.dataset.view = view;
  for (const tab of document.querySelectorAll("[data-goto]")) {
    tab.setAttribute("aria-pressed", String(tab.dataset.goto === view));
  }
  map.resize();
}

function remember(key, value) {
  if (value === null) address.searchParams.delete(key);
  else address.searchParams.set(key, value);
  history.replaceState(null, "", address);
}

function drawLive() {
  const live = document.getElementById("live");
  live.textContent = say(depot.live ? "live" : "away");
  live.dataset.live = depot.live;
}

function translate() {
  translatePage();
  const button = document.getElementById("language");
  button.lang = currentLanguage() === "de" ? "en" : "de";
  button.replaceChildren(element("span", { class: "wide" }, say("other_language")), element("span", { class: "narrow" }, button.lang.toUpperCase()));
  button.setAttribute("aria-label", say("other_language"));
  drawLive();
  list.draw();
  drawVehicles(depot);
  drawSelected();
  map.translate();
}

document.getElementById("language").addEventListener("click", () => {
  setLanguage(currentLanguage() === "de" ? "en" : "de");
  remember("lang", currentLanguage());
  translate();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  if (event.key === "j" || event.key === "k") {
    list.walk(event.key === "j" ? 1 : -1);
    if (large.open) enlarge();
  } else if (event.key === "b") {
    if (large.open) large.close();
    else enlarge();
  } else if (event.key === "Escape" && !large.open) {
    if (vehicles.open) vehicles.open = false;
    else if (selected !== null) close();
  } else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (!vehicles.contains(event.target)) vehicles.open = false;
});

roughness.addEventListener("click", () => {
  const on = roughness.getAttribute("aria-pressed") !== "true";
  roughness.setAttribute("aria-pressed", String(on));
  map.showRoughness(on);
  if (on) depot.wantRoughness();
});

for (const tab of document.querySelectorAll("[data-goto]")) {
  tab.addEventListener("click", () => show(tab.dataset.goto));
}

depot.addEventListener("live", drawLive);
depot.addEventListener("tick", () => {
  list.draw();
  drawVehicles(depot);
});
depot.addEventListener("change", (event) => {
  if (event.detail.cases || !depot.loaded) list.draw();
  drawVehicles(depot);
  drawSelected();
  map.draw(list.visible);
  map.mark(depot.cases.get(selected) ?? null); // it may have been corrected
});
depot.addEventListener("change", () => {
  list.draw(); // an empty depot says so once it has answered
  const asked = Number(address.searchParams.get("case"));
  if (depot.cases.has(asked)) select(asked, { open: true });
}, { once: true });

show("list");
translate();
depot.start();
await map.start();
