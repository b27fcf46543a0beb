// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The page's language: words, numbers and times. Each word stands once, German and English side by side, in words/.

import { ADMIN } from "./words/admin.js";
import { COMMON } from "./words/common.js";
import { REVIEW } from "./words/review.js";
import { SECTIONS } from "./words/sections.js";
import { UPDATES } from "./words/updates.js";

export const LANGUAGES = ["de", "en"];
const WORDS = { ...COMMON, ...REVIEW, ...SECTIONS, ...ADMIN, ...UPDATES };

let language = "de";

export function setLanguage(wanted) {
  language = LANGUAGES.includes(wanted) ? wanted : "de";
  document.documentElement.lang = language;
}

export function currentLanguage() {
  return language;
}

/** Of a pair {de, en} that the depot sent, the text in the page's language. */
export function inLanguage(texts) {
  return texts?.[language] ?? texts?.de ?? "";
}

/** A word or sentence, with {name} filled in; a key that nobody knows shows itself without underscores. */
export function say(key, values = {}) {
  const pair = WORDS[key];
  if (!pair) return String(key).replaceAll("_", " ");
  return pair[LANGUAGES.indexOf(language)].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Whether there is a word for the key. */
export function knows(key) {
  return key in WORDS;
}

export function className(label) {
  return say(`class_${label}` in WORDS ? `class_${label}` : label);
}

const locale = () => (language === "de" ? "de-DE" : "en-GB");

export function number(value, digits = 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function percent(share, digits = 0) {
  if (share === null || share === undefined) return "–";
  return share.toLocaleString(locale(), { style: "percent", maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/** Metres or kilometres, whichever reads better. */
export function distance(metres) {
  return metres >= 10_000 ? `${number(metres / 1000, 1)} km` : metres >= 1000 ? `${number(metres / 1000, 2)} km` : `${number(metres)} m`;
}

export function dateTime(utc, { seconds = false } = {}) {
  const date = new Date(utc ?? NaN);
  if (Number.isNaN(date.getTime())) return say("time_unknown");
  return date.toLocaleString(locale(), { dateStyle: "medium", timeStyle: seconds ? "medium" : "short" });
}

export function day(utc) {
  const date = new Date(utc ?? NaN);
  return Number.isNaN(date.getTime()) ? say("time_unknown") : date.toLocaleDateString(locale(), { dateStyle: "medium" });
}

const STEPS = [["year", 31_557_600], ["month", 2_629_800], ["week", 604_800], ["day", 86400], ["hour", 3600], ["minute", 60]];

/** How long ago, in one step: "vor 3 Minuten". */
export function ago(utc, now = Date.now()) {
  const seconds = (now - new Date(utc ?? NaN).getTime()) / 1000;
  if (Number.isNaN(seconds)) return say("time_unknown");
  const step = STEPS.find(([, length]) => Math.abs(seconds) >= length);
  if (!step) return say("now");
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto", style: "short" }).format(-Math.round(seconds / step[1]), step[0]);
}

/** Where on a line: "U79, Gleis 1, km 3,412, links". */
export function linePlace({ line, track, chainage_m: chainage, side }) {
  return [line, railName(track), say("at_km", { km: number(chainage / 1000, 3) }), side && say(`side_${side}`)].filter(Boolean).join(", ");
}

/** Which stretch of a line: "U79, Gleis 1, km 3,100 bis 3,412"; null where it lies on none. */
export function lineStretch({ line, track, from_m: from, to_m: to }) {
  if (!line) return null;
  const km = say("from_to", { from: number(from / 1000, 3), to: number(to / 1000, 3) });
  return [line, railName(track), say("at_km", { km })].filter(Boolean).join(", ");
}

export function railName(track) {
  return track && (/^\d+\w?$/.test(track) ? say("track", { t: track }) : track);
}

/** A place on the lining as on a clock's face: 2.5 is "2:30", 0 is the crown: "12:00". */
export function clockFace(hours) {
  const quarters = Math.round(hours * 4) % 48;
  return `${Math.floor(quarters / 4) || 12}:${String((quarters % 4) * 15).padStart(2, "0")}`;
}

/** The sentence for an answer that was no success. */
export function trouble(error) {
  if (error.status === 0 || error.status === undefined) return say("no_answer");
  if (error.texts) return inLanguage(error.texts);
  if (error.status === 403) return say("not_allowed");
  if (error.status >= 500) return say("depot_failed", { detail: error.message });
  return error.message;
}
