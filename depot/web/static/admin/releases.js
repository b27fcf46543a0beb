// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Releases that vehicles can load, and roll-outs that bring them there step by step.

import { getJson, send } from "../api.js";
import { button, dialog, element, icon } from "../dom.js";
import { bar, empty, failed, table, waiting } from "../parts.js";
import { toast } from "../toast.js";
import { dateTime, day, inLanguage, knows, number, percent, say, trouble } from "../words.js";
import { ask, sheetHead } from "./forms.js";
import { addRollout } from "./rollout_form.js";

const POLL_MS = 5_000;
const BAD = ["failed", "refused", "ailing"];
const GOOD = ["active", "newer"];

export async function releases(app, again) {
  const [offered, { rollouts }] = await Promise.all([getJson("/api/releases"), getJson("/api/rollouts")]);
  const may = app.may("manage");
  const list = element("div", { class: "rollouts" });
  const draw = (found) => {
    const focused = document.activeElement?.dataset?.rollout;
    list.replaceChildren(...(found.length ? found.map((one) => card(one, may, refresh)) : [empty("ordered", say("no_rollouts"), null)]));
    if (focused) list.querySelector(`[data-rollout="${focused}"]`)?.focus();
  };
  const refresh = async () => draw((await getJson("/api/rollouts")).rollouts);
  draw(rollouts);
  poll(list, refresh);
  const add = () => addRollout(offered, refresh);
  return [
    sheetHead(say("releases_about"), may && offered.releases.length ? button(say("add_rollout"), add, { class: "button primary" }) : ""),
    health(offered.repository),
    offered.releases.length ? offers(offered.releases) : empty("download", say("no_releases"), null),
    element("h2", {}, say("rollouts")), list,
  ];
}

/** Again and again, while it is shown. */
function poll(list, refresh) {
  const timer = setInterval(() => {
    if (!list.isConnected) clearInterval(timer);
    else if (!document.querySelector("dialog[open]")) refresh().catch(() => null);
  }, POLL_MS);
}

function health({ problem, version, expires_utc: ends, fresh_days: fresh, keys_days: keys, unreadable }) {
  if (problem) return element("p", { class: "wrong", role: "alert" }, say("repository_problem", { why: problem }));
  const first = (...roles) => roles.map((role) => ends[role]).filter(Boolean).sort()[0];
  const isLate = fresh < 3 || keys < 30;
  return element(
    "div", { class: "repository" },
    element("p", { class: isLate ? "wrong" : "all-well" }, icon(isLate ? "warning" : "confirmed", 18), say("repository_fresh", { n: number(version), t: dateTime(first("timestamp", "snapshot")), k: day(first("root", "targets")) })),
    ...Object.entries(unreadable).map(([name, why]) => element("p", { class: "wrong" }, say("release_unreadable", { n: name, why }))),
  );
}

function offers(found) {
  return table(say("tab_releases"), [
    [say("release"), (one) => [element("strong", {}, one.id), element("span", { class: "minor soft" }, `${say("release_number")} ${one.number}, ${one.software}`)]],
    [say("models"), (one) => one.models.join(", ")],
    [say("boards"), (one) => [one.boards.map(boardName).join(", "), element("span", { class: "minor soft" }, one.machines.join("; "))]],
    [say("release_size"), (one) => [megabytes(one.bytes), element("span", { class: "minor soft" }, say("size_new", { n: megabytes(one.new_bytes) }))], "number"],
    [say("notes"), (one) => inLanguage(one.notes) || "–"],
    [say("running_it"), (one) => number(one.vehicles), "number"],
  ], found);
}

function boardName(board) {
  return { raspberry_pi_4: "Pi 4", raspberry_pi_5: "Pi 5", jetson_orin_nano: "Jetson Orin Nano", pc: "PC" }[board] ?? board;
}

function megabytes(bytes) {
  if (bytes < 1e6) return `${number(bytes / 1e3)} kB`;
  return `${number(bytes / 1e6, bytes < 1e8 ? 1 : 0)} MB`;
}

function card(rollout, may, refresh) {
  const count = (phases) => phases.reduce((sum, phase) => sum + (rollout.counts[phase] ?? 0), 0);
  const done = count(GOOD);
  return element(
    "article", { class: "rollout", "data-state": rollout.state, "aria-labelledby": `rollout-${rollout.number}` },
    element("header", {},
      element("h3", { id: `rollout-${rollout.number}` }, element("button", { type: "button", class: "link strong", "data-rollout": rollout.number, onclick: () => details(rollout.number, may, refresh) }, say("rollout_n", { n: rollout.number }))),
      element("span", { class: "rollout-state" }, say(`rollout_${rollout.state}`)), element("span", { class: "soft" }, rollout.release),
      may ? element("div", { class: "row-acts" }, ...acts(rollout, refresh)) : ""),
    why(rollout),
    element("div", { class: "rollout-bar" }, bar(rollout.fleet ? done / rollout.fleet : 0, say("rollout_of", { n: number(done), f: number(rollout.fleet) })), element("span", {}, say("rollout_of", { n: number(done), f: number(rollout.fleet) }))),
    element("p", { class: "phases" }, ...phases(rollout.counts)),
    stepList(rollout),
  );
}

function phases(counts) {
  return Object.entries(counts).map(([phase, many]) => element("span", { class: BAD.includes(phase) ? "bad" : "soft" }, `${number(many)} ${say(`phase_${phase}`)}`));
}

function why({ why: found, state }) {
  if (!found || state !== "paused") return "";
  const said = Object.entries(found.vehicles).map(([vehicle, text]) => element("li", {}, element("strong", {}, vehicle), ` ${text}`));
  return element("div", { class: found.reason === "person" ? "effect" : "wrong" }, element("p", {}, say(`why_${found.reason}`, { t: found.text })), said.length ? element("ul", {}, ...said) : "");
}

function stepList({ steps, step: at, state, goes_on_utc: goesOn, plan }) {
  const isNow = (place) => place === at && state !== "draft";
  return element("ol", { class: "rollout-steps" }, ...steps.map((step, place) => element(
    "li", { "aria-current": isNow(place) ? "step" : null, class: place < at || state === "done" ? "over" : null },
    element("strong", {}, say("step_n", { n: place + 1 })), ` ${whomOf(step)}, ${say("step_hold", { h: number(step.hold_h, step.hold_h % 1 ? 1 : 0) })}, ${say("step_failed", { p: percent(step.most_failed) })}`,
    isNow(place) && goesOn && state === "running" && place < steps.length - 1 ? element("span", { class: "minor soft" }, say("goes_on", { t: dateTime(goesOn) })) : "",
    plan?.[place]?.length ? element("span", { class: "minor soft" }, say("step_plan", { n: plan[place].join(", ") })) : "",
  )));
}

function whomOf({ group, share }) {
  return group ? say("step_group", { g: group }) : say("step_share", { p: percent(share) });
}

function acts(rollout, refresh) {
  const { number: which, state, release, why: found } = rollout;
  const act = async (wish) => {
    try {
      await send("POST", `/api/rollouts/${which}/actions`, wish);
    } catch (error) {
      toast(trouble(error), { bad: true });
    }
    await refresh().catch(() => null);
  };
  const made = (word, run, kind = "") => button(say(word), run, { class: `button small ${kind}`, "aria-label": `${say(word)}: ${say("rollout_n", { n: which })}` });
  const start = () => ask(say("sure_start", { r: release }), say("rollout_start"), () => act({ action: "start" }));
  const stop = () => ask(say("sure_stop", { n: which }), say("rollout_stop"), () => act({ action: "stop" }));
  return [
    state === "draft" ? made("rollout_start", start, "primary") : "",
    state === "running" ? made("rollout_pause", () => act({ action: "pause" })) : "",
    state === "paused" ? made(found?.reason === "failed" ? "rollout_resume" : "rollout_goon", () => act({ action: "resume" })) : "",
    state === "paused" && found?.reason === "failed" ? made("rollout_retry", () => act({ action: "resume", retry: true })) : "",
    ["draft", "running", "paused"].includes(state) ? made("rollout_stop", stop, "danger") : "",
  ].filter(Boolean);
}

async function details(which, may, refresh) {
  const body = element("div", { class: "dialog-body" }, waiting());
  const shown = dialog(say("rollout_n", { n: which }), say("close"), { class: "wide-dialog", id: "rollout" }, body);
  shown.addEventListener("close", () => refresh().catch(() => null));
  const load = async () => {
    try {
      draw(await getJson(`/api/rollouts/${which}`));
    } catch (error) {
      body.replaceChildren(failed(error, load));
    }
  };
  const act = async (vehicle, action) => {
    try {
      await send("POST", `/api/rollouts/${which}/vehicles/${encodeURIComponent(vehicle)}`, { action });
    } catch (error) {
      toast(trouble(error), { bad: true });
    }
    await load();
  };
  const draw = (found) => body.replaceChildren(
    element("p", {}, element("strong", {}, found.release), ` ${say(`rollout_${found.state}`)}`), why(found), stepList(found),
    found.vehicles.length ? vehicleTable(found, may && ["running", "paused"].includes(found.state) ? act : null) : element("p", { class: "soft" }, say("not_yet_reached")),
    element("h3", {}, say("past_of_rollout")),
    element("ul", { class: "past" }, ...found.history.map((line) => element("li", {}, element("span", { class: "soft" }, dateTime(line.utc)), ` ${knows(`action_${line.action}`) ? say(`action_${line.action}`) : line.action}`, element("span", { class: "soft" }, ` ${[line.who, line.after?.vehicle, line.action === "step" && say("step_n", { n: line.after.step + 1 })].filter(Boolean).join(", ")}`)))),
  );
  await load();
}

function vehicleTable(found, act) {
  return table(say("where_it_stands"), [
    [say("vehicle"), (one) => [element("strong", {}, one.vehicle), element("span", { class: "minor soft" }, one.group)]],
    [say("where_it_stands"), (one) => [element("span", { class: BAD.includes(one.phase) ? "bad" : null }, say(`phase_${one.phase}`)), one.text ? element("span", { class: "minor soft" }, one.text) : ""]],
    [say("step"), (one) => number(one.step + 1), "number"],
    [say("asked_times"), (one) => [one.attempts ? `${number(one.attempts)}×` : "–", one.wished_utc ? element("span", { class: "minor soft" }, dateTime(one.wished_utc)) : ""]],
    ...(act ? [["", (one) => element("div", { class: "row-acts" }, GOOD.includes(one.phase) ? "" : [
      one.phase === "excused" ? "" : button(say("excuse"), () => act(one.vehicle, "excuse"), { class: "button small", "aria-label": `${say("excuse")}: ${one.vehicle}` }),
      button(say("offer_again"), () => act(one.vehicle, "offer"), { class: "button small", "aria-label": `${say("offer_again")}: ${one.vehicle}` }),
    ]), "acts"]] : []),
  ], found.vehicles);
}
