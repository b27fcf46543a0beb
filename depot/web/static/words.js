// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The page's words in German and English, and how numbers and times are written in each.

const WORDS = {
  de: {
    depot: "Bauhof", skip_to_list: "Zur Liste springen", other_language: "English", map: "Karte", list: "Liste",
    view: "Ansicht", cases: "Fälle", export: "Als GeoJSON laden", show_all: "Alles zeigen", filter_by_class: "Nach Art filtern",
    one_case: "1 Fall", n_cases: "{n} Fälle", n_of_cases: "{n} von {all} Fällen",
    keys: "J und K: nächster, voriger Fall · B: großes Bild · Esc: schließen",
    live: "Live", away: "Keine Verbindung, es wird weiter versucht",
    vehicles_online: "Fahrzeuge: {n} von {all} online", vehicles_online_short: "{n}/{all} online", no_vehicles: "Noch hat sich kein Fahrzeug gemeldet.",
    online: "online", offline: "offline", stopped: "abgestellt", unknown: "unbekannt", last_seen: "zuletzt gehört {t}",
    never_seen: "noch nichts gehört", vehicle: "Fahrzeug", software: "Software",
    on_the_map: "Auf der Karte", without_position: "Ohne Position", none_yet: "Noch keine Fälle. Neue erscheinen hier von selbst.",
    none_match: "Kein Fall passt zum Filter.", more: "{n} weitere zeigen",
    case: "Fall {n}", close: "Schließen", enlarge: "Bild vergrößern", close_up: "Ausschnitt",
    picture_of: "Bild zu {what}, {case}; der Rahmen zeigt den Schaden", close_up_of: "Ausschnitt: {what}",
    picture_awaited: "Das Bild ist noch unterwegs.", no_picture: "Ohne Bild gemeldet.",
    size: "Größe", position: "Lage", found_by: "Ortung", score: "Sicherheit", frames: "Gesehen in", frame: "1 Bild",
    n_frames: "{n} Bildern", time: "Zeit", model: "Modell", camera: "Kamera", anonymised: "Unkenntlich gemacht",
    severity: "Schwere", east: "O", severity_of: "Stufe {n} von 5", grade: "Stufe {n}", rule: "Regel {r}", line: "Linie", received: "Eingegangen",
    size_unknown: "nicht gemessen", position_unknown: "ohne Position",
    time_unknown: "Uhrzeit unbekannt", people: "{n} Personen", vehicles_hidden: "{n} Fahrzeuge", nothing_hidden: "nichts nötig",
    accuracy: "Genauigkeit", within: "mit 95 % im Umkreis von {m} m", gnss: "GNSS", dead_reckoned: "gekoppelt", in_tunnel: "(Tunnel)",
    autonomous: "ohne Korrekturdaten", differential: "mit Korrekturdaten", rtk_float: "RTK float", rtk_fixed: "RTK fix", dead_reckoning: "Empfänger koppelt selbst",
    since_fix: "{m} m seit letztem Fix", along_line: "entlang Linie {place}", along_a_line: "entlang einer Linie",
    revised: "nachträglich korrigiert", moved: "nachträglich korrigiert, um {m} m verschoben", revised_short: "Lage korrigiert",
    at_km: "km {km}", from_to: "{from} bis {to}", track: "Gleis {t}", left: "links", middle: "Mitte", right: "rechts", heading: "Fahrtrichtung", speed: "Geschwindigkeit",
    lining: "Tunnelschale", on_lining: "Uhrlage {clock} ({side}), {m} m über Fahrbahn oder Schiene", lining_left: "links", lining_crown: "Firste", lining_right: "rechts",
    wheel: "Rad", wheel_confirms: "vom Rad bestätigt", blow: "Stoß {a} m/s²",
    roughness: "Rauheit", rough_scale: "Rauheit: glatt (0,5 m/s²) bis rau (4 m/s²), nur ein Anhalt", blow_seen: "Stoß, Schaden im Bild", blow_unseen: "Stoß, nichts im Bild",
    blow_of: "{what}, gehört zu {case}", section: "Rauheit {a} m/s² auf {m} m, gefahren mit {v} km/h", circle: "Kreis: mit 95 % liegt der Schaden darin",
    clock_gnss: "Uhr: Satellit", clock_ntp: "Uhr: Netz", clock_rtc: "Uhr: Gerät", clock_replay: "Uhr: Aufzeichnung", clock_unset: "Uhr: nicht gestellt",
    open_in_map_app: "In Karten-App öffnen", grid: "Raster {m}", map_missing: "Die Kartenbibliothek fehlt. Einmal „python -m depot.web.install“ ausführen; die Liste geht auch so.",
    map_failed: "Der Browser kann hier keine Karte zeichnen (WebGL fehlt). Die Liste geht auch so.",
    base_map_failed: "Die Grundkarte antwortet nicht; gezeigt wird ein Raster in Metern.",
    now: "gerade eben", looked_at: "befahren, beurteilt", not_judged: "befahren, nicht beurteilbar",
    zoom_in: "Vergrößern", zoom_out: "Verkleinern", facts: "Angaben", faults: "Störungen",
  },
  en: {
    depot: "Depot", skip_to_list: "Skip to the list", other_language: "Deutsch", map: "Map", list: "List",
    view: "View", cases: "Cases", export: "Download GeoJSON", show_all: "Show all", filter_by_class: "Filter by kind",
    one_case: "1 case", n_cases: "{n} cases", n_of_cases: "{n} of {all} cases",
    keys: "J and K: next, previous case · B: large picture · Esc: close",
    live: "Live", away: "No connection, still trying",
    vehicles_online: "Vehicles: {n} of {all} online", vehicles_online_short: "{n}/{all} online", no_vehicles: "No vehicle has reported yet.",
    online: "online", offline: "offline", stopped: "parked", unknown: "unknown", last_seen: "last heard {t}",
    never_seen: "nothing heard yet", vehicle: "Vehicle", software: "Software",
    on_the_map: "On the map", without_position: "Without position", none_yet: "No cases yet. New ones appear here by themselves.",
    none_match: "No case fits the filter.", more: "Show {n} more",
    case: "Case {n}", close: "Close", enlarge: "Enlarge the picture", close_up: "Close-up",
    picture_of: "Picture of {what}, {case}; the frame shows the defect", close_up_of: "Close-up: {what}",
    picture_awaited: "The picture is still on its way.", no_picture: "Reported without a picture.",
    size: "Size", position: "Position", found_by: "Found by", score: "Confidence", frames: "Seen in", frame: "1 frame",
    n_frames: "{n} frames", time: "Time", model: "Model", camera: "Camera", anonymised: "Made unrecognisable",
    severity: "Severity", east: "E", severity_of: "Grade {n} of 5", grade: "grade {n}", rule: "rule {r}", line: "Line", received: "Received",
    size_unknown: "not measured", position_unknown: "without position",
    time_unknown: "Time unknown", people: "{n} people", vehicles_hidden: "{n} vehicles", nothing_hidden: "nothing needed",
    accuracy: "Accuracy", within: "95 % within {m} m", gnss: "GNSS", dead_reckoned: "Dead reckoning", in_tunnel: "(tunnel)",
    autonomous: "without correction data", differential: "with correction data", rtk_float: "RTK float", rtk_fixed: "RTK fix", dead_reckoning: "by the receiver's own dead reckoning",
    since_fix: "{m} m since the last fix", along_line: "Along line {place}", along_a_line: "Along a line",
    revised: "corrected afterwards", moved: "corrected afterwards, moved by {m} m", revised_short: "place corrected",
    at_km: "km {km}", from_to: "{from} to {to}", track: "track {t}", left: "left", middle: "middle", right: "right", heading: "Heading", speed: "Speed",
    lining: "Tunnel lining", on_lining: "at {clock} o'clock ({side}), {m} m above road or rail", lining_left: "left", lining_crown: "crown", lining_right: "right",
    wheel: "Wheel", wheel_confirms: "confirmed by the wheel", blow: "shock {a} m/s²",
    roughness: "Roughness", rough_scale: "Roughness: smooth (0.5 m/s²) to rough (4 m/s²), indicative only", blow_seen: "Shock, defect in the picture", blow_unseen: "Shock, nothing in the picture",
    blow_of: "{what}, belongs to {case}", section: "Roughness {a} m/s² over {m} m, driven at {v} km/h", circle: "Circle: the defect lies inside with 95 %",
    clock_gnss: "clock: satellite", clock_ntp: "clock: network", clock_rtc: "clock: device", clock_replay: "clock: recording", clock_unset: "clock: not set",
    open_in_map_app: "Open in a map app", grid: "Grid {m}", map_missing: "The map library is missing. Run “python -m depot.web.install” once; the list works without.",
    map_failed: "This browser cannot draw a map here (no WebGL). The list works without.",
    base_map_failed: "The base map does not answer; a grid in metres is shown instead.",
    now: "just now", looked_at: "driven and judged", not_judged: "driven, could not be judged",
    zoom_in: "Zoom in", zoom_out: "Zoom out", facts: "Facts", faults: "Faults",
  },
};

const CLASS_WORDS = {
  pothole: ["Schlagloch", "Pothole"],
  longitudinal_crack: ["Längsriss", "Longitudinal crack"],
  transverse_crack: ["Querriss", "Transverse crack"],
  alligator_crack: ["Netzriss", "Alligator crack"],
  crack: ["Riss", "Crack"],
  spalling: ["Abplatzung", "Spalling"],
  water_leakage: ["Wasseraustritt", "Water leakage"],
  efflorescence: ["Ausblühung", "Efflorescence"],
  exposed_rebar: ["Freiliegende Bewehrung", "Exposed rebar"],
  corrosion: ["Korrosion", "Corrosion"],
};

// Each at least 4.5 : 1 on white. Red, blue and near-black, the most frequent, stay apart without red-green sight;
// the name stands beside the colour everywhere but on the map's dots, which say it when pointed at.
const CLASS_COLOURS = {
  pothole: "#b3261e",
  longitudinal_crack: "#0b5fb0",
  transverse_crack: "#00707a",
  alligator_crack: "#7b2fa6",
  crack: "#2b2f33",
  spalling: "#a8005c",
  water_leakage: "#1c6b3c",
  efflorescence: "#666600",
  exposed_rebar: "#9a3f00",
  corrosion: "#7a2e0e",
};
export const OTHER_COLOUR = "#6b6257";

let language = "de";

export function setLanguage(wanted) {
  language = wanted in WORDS ? wanted : "de";
  document.documentElement.lang = language;
}

export function currentLanguage() {
  return language;
}

/** A word or sentence, with {name} filled in. */
export function say(key, values = {}) {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function className(label) {
  const words = CLASS_WORDS[label];
  return words ? words[language === "de" ? 0 : 1] : label.replaceAll("_", " ");
}

export function classColour(label) {
  return CLASS_COLOURS[label] ?? OTHER_COLOUR;
}

export function classColours() {
  return Object.entries(CLASS_COLOURS);
}

const locale = () => (language === "de" ? "de-DE" : "en-GB");

export function number(value, digits = 0) {
  return value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function percent(share) {
  return share.toLocaleString(locale(), { style: "percent", maximumFractionDigits: 0 });
}

export function dateTime(utc) {
  const date = new Date(utc);
  if (Number.isNaN(date.getTime())) return say("time_unknown");
  return date.toLocaleString(locale(), { dateStyle: "medium", timeStyle: "medium" });
}

const STEPS = [["day", 86400], ["hour", 3600], ["minute", 60]];

/** How long ago, in one step: "vor 3 Minuten". */
export function ago(utc, now = Date.now()) {
  const seconds = (now - new Date(utc).getTime()) / 1000;
  if (Number.isNaN(seconds)) return say("time_unknown");
  const step = STEPS.find(([, length]) => Math.abs(seconds) >= length);
  if (!step) return say("now");
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto", style: "short" });
  return format.format(-Math.round(seconds / step[1]), step[0]);
}

/** Where on a line: "U79, Gleis 1, km 3,412, links". */
export function linePlace({ line, track, chainage_m: chainage, side }) {
  return [line, railName(track), say("at_km", { km: number(chainage / 1000, 3) }), side && say(side)].filter(Boolean).join(", ");
}

/** Which stretch of a line: "U79, Gleis 1, km 3,100 bis 3,412"; null where it lies on none. */
export function lineStretch({ line, track, from_m: from, to_m: to }) {
  if (!line) return null;
  const km = say("from_to", { from: number(from / 1000, 3), to: number(to / 1000, 3) });
  return [line, railName(track), say("at_km", { km })].filter(Boolean).join(", ");
}

function railName(track) {
  return track && (/^\d+\w?$/.test(track) ? say("track", { t: track }) : track);
}

/** What a place rests on: "GNSS, RTK fix"; "gekoppelt (Tunnel), 340 m seit letztem Fix". */
export function placeBasis(p) {
  if (p.position_method === "line") return p.line === null ? say("along_a_line") : say("along_line", { place: linePlace(p) });
  if (p.position_method === "gnss") return [say("gnss"), p.position_quality && say(p.position_quality)].filter(Boolean).join(", ");
  const how = p.surface === "lining" ? `${say("dead_reckoned")} ${say("in_tunnel")}` : say("dead_reckoned");
  return p.position_since_fix_m === null ? how : `${how}, ${say("since_fix", { m: number(p.position_since_fix_m) })}`;
}

/** A place on the lining as on a clock's face: 2.5 is "2:30", 0 is the crown: "12:00". */
export function clockFace(hours) {
  const quarters = Math.round(hours * 4) % 48;
  return `${Math.floor(quarters / 4) || 12}:${String((quarters % 4) * 15).padStart(2, "0")}`;
}

/** Fill every element that names its word in data-t (text) or data-t-label (accessible name). */
export function translatePage() {
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = say(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", say(element.dataset.tLabel));
  }
}
