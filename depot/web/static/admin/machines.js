// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Webhooks, and the limits at which vehicles raise an alarm.

import { getJson, send } from "../api.js";
import { button, dialog, element } from "../dom.js";
import { empty, failed, field, table, waiting } from "../parts.js";
import { toast } from "../toast.js";
import { dateTime, inLanguage, knows, number, say, trouble } from "../words.js";
import { ask, formDialog, sheetHead, showSecret } from "./forms.js";

export async function webhooks(app, again) {
  const { webhooks: found } = await getJson("/api/webhooks");
  const add = () => formDialog(say("add_webhook"), [field(say("url"), element("input", { name: "url", type: "url", required: true, maxlength: 2000, placeholder: "https://" }))], async (said) => {
    const made = await send("POST", "/api/webhooks", { url: said.get("url") });
    await again();
    if (made.secret) showSecret(say("made_secret"), made.secret);
  });
  return [
    sheetHead(say("webhooks_about"), button(say("add_webhook"), add, { class: "button primary" })),
    found.length ? table(say("tab_webhooks"), [
      [say("url"), (hook) => element("strong", {}, hook.url)],
      [say("events"), (hook) => hook.events.map(eventName).join(", ")],
      [say("active"), (hook) => {
        const tick = element("input", { type: "checkbox", checked: hook.active, "aria-label": `${say("active")}: ${hook.url}` });
        tick.addEventListener("change", () => attempt(() => send("PATCH", `/api/webhooks/${hook.number}`, { active: tick.checked }), again));
        return tick;
      }],
      ["", (hook) => element("div", { class: "row-acts" }, button(say("test"), () => attempt(() => send("POST", `/api/webhooks/${hook.number}/test`), () => deliveries(hook)), { class: "button small" }),
        button(say("deliveries"), () => deliveries(hook), { class: "button small" }), button(say("remove"), () => ask(say("sure_remove", { name: hook.url }), say("remove"), async () => {
        await send("DELETE", `/api/webhooks/${hook.number}`);
        await again();
      }), { class: "button small danger" })), "acts"],
    ], found) : empty("admin", say("no_webhooks"), null),
  ];
}

async function attempt(act, then) {
  try {
    await act();
    await then();
  } catch (error) {
    toast(trouble(error), { bad: true });
  }
}

function eventName(event) {
  const action = `action_${event.replace("case.", "")}`;
  return event === "*" ? say("all") : knows(action) ? say(action) : event;
}

/** What a webhook was told, newest first. */
async function deliveries(hook) {
  const body = element("div", { class: "dialog-body" }, waiting(4));
  dialog(`${say("deliveries")}: ${hook.url}`, say("close"), { class: "wide-dialog" }, body);
  try {
    const { deliveries: found } = await getJson(`/api/webhooks/${hook.number}/deliveries`);
    body.replaceChildren(found.length ? table(say("deliveries"), [
      [say("when"), (one) => dateTime(one.created_utc, { seconds: true })], [say("events"), (one) => eventName(one.kind)],
      [say("state"), (one) => say(`delivery_${one.state}`)], [say("attempts"), (one) => number(one.attempts), "number"], [say("answer"), (one) => one.answer ?? "–"],
    ], found) : empty("admin", say("no_deliveries"), null));
  } catch (error) {
    body.replaceChildren(failed(error, () => deliveries(hook)));
  }
}

export async function alarms(app, again) {
  const { rules } = await getJson("/api/alarms/rules");
  const changed = rules.map((rule) => ({ name: rule.name, enabled: rule.enabled, raise_at: rule.raise_at, clear_at: rule.clear_at, for_s: rule.for_s }));
  const save = button(say("save"), async () => {
    try {
      await send("PUT", "/api/alarms/rules", { rules: changed });
      toast(say("saved"));
      await again();
    } catch (error) {
      toast(trouble(error), { bad: true });
    }
  }, { class: "button primary", disabled: true });
  const input = (rule, key) => {
    const made = element("input", { type: "number", step: "any", value: rule[key], "aria-label": `${inLanguage(rule.title)}: ${say(key === "for_s" ? "lasting" : key)}` });
    made.addEventListener("input", () => {
      changed.find(({ name }) => name === rule.name)[key] = Number(made.value);
      save.disabled = !made.value;
    });
    return element("span", { class: "with-unit" }, made, key === "for_s" ? "s" : rule.unit);
  };
  const tick = (rule) => {
    const made = element("input", { type: "checkbox", checked: rule.enabled, "aria-label": `${inLanguage(rule.title)}: ${say("watched")}` });
    made.addEventListener("change", () => {
      changed.find(({ name }) => name === rule.name).enabled = made.checked;
      save.disabled = false;
    });
    return made;
  };
  return [
    sheetHead(say("alarms_about"), save),
    table(say("tab_alarms"), [
      [say("what"), (rule) => element("strong", {}, inLanguage(rule.title))], [say("watched"), tick], [say("raise_at"), (rule) => input(rule, "raise_at")],
      [say("clear_at"), (rule) => input(rule, "clear_at")], [say("lasting"), (rule) => input(rule, "for_s")],
    ], rules),
  ];
}
