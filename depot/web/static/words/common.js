// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// What every section says: [German, English].

export const COMMON = {
  skip: ["Zum Inhalt springen", "Skip to the content"], sections: ["Bereiche", "Sections"],
  section_review: ["Fälle", "Cases"], section_coverage: ["Abdeckung", "Coverage"], section_condition: ["Zustand", "Condition"],
  section_vehicles: ["Fahrzeuge", "Vehicles"], section_admin: ["Verwaltung", "Administration"],
  other_language: ["English", "Deutsch"], live: ["Live", "Live"], away: ["Keine Verbindung, es wird weiter versucht", "No connection, still trying"],
  keys: ["Tasten", "Keys"], close: ["Schließen", "Close"], cancel: ["Abbrechen", "Cancel"], save: ["Speichern", "Save"], saved: ["Gespeichert", "Saved"],
  remove: ["Entfernen", "Remove"], edit: ["Bearbeiten", "Edit"], retry: ["Noch einmal", "Try again"],
  loading: ["Wird geladen …", "Loading …"], now: ["gerade eben", "just now"], time_unknown: ["Zeit unbekannt", "time unknown"],
  no_answer: ["Der Bauhof antwortet nicht. Ist das Netz da?", "The depot does not answer. Is the network there?"],
  not_allowed: ["Ihre Rolle erlaubt das nicht.", "Your role does not allow this."],
  depot_failed: ["Der Bauhof meldet einen Fehler: {detail}", "The depot reports an error: {detail}"],
  nothing_here: ["Dieser Bereich ist noch nicht eingerichtet.", "This section is not set up yet."],
  load_failed: ["Das ließ sich nicht laden.", "This could not be loaded."], none: ["keine", "none"], all: ["alle", "all"],
  name: ["Name", "Name"],

  login: ["Anmelden", "Log in"], logout: ["Abmelden", "Log out"], login_title: ["Anmeldung am Bauhof", "Log in to the depot"], password: ["Passwort", "Password"],
  login_oidc: ["Mit dem Konto der Stadt anmelden", "Log in with the city's account"], login_or: ["oder", "or"], login_failed: ["Name oder Passwort stimmt nicht.", "Name or password is wrong."],
  login_wait: ["Zu viele Versuche. Bitte später noch einmal.", "Too many attempts. Please try again later."], signed_in: ["Angemeldet als {name}", "Logged in as {name}"],
  change_password: ["Passwort ändern", "Change password"], old_password: ["Bisheriges Passwort", "Present password"], new_password: ["Neues Passwort", "New password"],
  password_changed: ["Das Passwort ist geändert.", "The password is changed."], ended: ["Die Anmeldung ist abgelaufen.", "The login has expired."],

  role_viewer: ["Lesen", "Viewer"], role_reviewer: ["Prüfung", "Reviewer"], role_dispatcher: ["Disposition", "Dispatcher"], role_admin: ["Verwaltung", "Administrator"],
  role_reporter: ["Meldungen einliefern", "Reporter"], role_reader: ["Nur lesen (Maschine)", "Reader (machine)"],

  class_pothole: ["Schlagloch", "Pothole"], class_longitudinal_crack: ["Längsriss", "Longitudinal crack"], class_transverse_crack: ["Querriss", "Transverse crack"],
  class_alligator_crack: ["Netzriss", "Alligator crack"], class_crack: ["Riss", "Crack"], class_spalling: ["Abplatzung", "Spalling"],
  class_water_leakage: ["Wasseraustritt", "Water leakage"], class_efflorescence: ["Ausblühung", "Efflorescence"],
  class_exposed_rebar: ["Freiliegende Bewehrung", "Exposed rebar"], class_corrosion: ["Korrosion", "Corrosion"],
  class_unclear: ["Unklarer Schaden", "Unclear defect"],
  state_new: ["neu", "new"], state_confirmed: ["bestätigt", "confirmed"], state_rejected: ["abgelehnt", "rejected"], state_ordered: ["beauftragt", "ordered"],
  state_repaired: ["repariert", "repaired"], state_reopened: ["wieder offen", "reopened"], state_merged: ["zusammengeführt", "merged"],
  trend_growing: ["wächst", "growing"], trend_steady: ["gleich", "steady"], trend_shrinking: ["wird kleiner", "shrinking"],
  surface_road: ["Fahrbahn", "Road"], surface_lining: ["Tunnelschale", "Tunnel lining"],
  side_left: ["links", "left"], side_middle: ["Mitte", "middle"], side_right: ["rechts", "right"],
  at_km: ["km {km}", "km {km}"], from_to: ["{from} bis {to}", "{from} to {to}"], track: ["Gleis {t}", "track {t}"],
  grade: ["Stufe {n}", "Grade {n}"], grade_of: ["Schwere: Stufe {n} von 5", "Severity: grade {n} of 5"], no_grade: ["ohne Stufe", "no grade"],
  case: ["Fall {n}", "Case {n}"], reason_dark: ["zu dunkel", "too dark"], reason_blurred: ["verwischt", "blurred"], reason_overexposed: ["überstrahlt", "overexposed"],
  reason_blocked: ["verdeckt", "blocked"], reason_too_fast: ["zu schnell", "too fast"], reason_no_fix: ["ohne Ortung", "no fix"], reason_no_model: ["kein Modell", "no model"],
  reason_bad_frame: ["Bild fehlerhaft", "bad frame"], reason_wet: ["nass", "wet"],
  vehicle_online: ["online", "online"], vehicle_offline: ["offline", "offline"], vehicle_stopped: ["abgestellt", "parked"], vehicle_unknown: ["unbekannt", "unknown"],

  map: ["Karte", "Map"], zoom_in: ["Vergrößern", "Zoom in"], zoom_out: ["Verkleinern", "Zoom out"], show_all: ["Alles zeigen", "Show all"], grid: ["Raster {m}", "Grid {m}"],
  map_missing: [
    "Die Kartenbibliothek fehlt. Einmal „python -m depot.web.install“ ausführen; die Liste geht auch so.",
    "The map library is missing. Run “python -m depot.web.install” once; the list works without.",
  ],
  map_failed: [
    "Der Browser kann hier keine Karte zeichnen (WebGL fehlt). Die Liste geht auch so.",
    "This browser cannot draw a map here (no WebGL). The list works without.",
  ],
  base_map_failed: ["Die Grundkarte antwortet nicht; gezeigt wird ein Raster in Metern.", "The base map does not answer; a grid in metres is shown instead."],
};
