// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Webhooks, and the limits at which vehicles raise an alarm.

import { getJson, send } from "../api.js";
import { button, element } from "../dom.js";
import { empty, field, table } from "../parts.js";
import { toast } from "../toast.js";
import { inLanguage, say, trouble } from "../words.js";
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
      [say("events"), (hook) => (hook.events ?? []).map((event) => say(`action_${event}`)).join(", ") || say("all")],
      [say("last_error"), (hook) => hook.last_error ?? "–"],
      ["", (hook) => button(say("remove"), () => ask(say("sure_remove", { name: hook.url }), say("remove"), async () => {
        await send("DELETE", `/api/webhooks/${hook.number}`);
        await again();
      }), { class: "button small danger" }), "acts"],
    ], found) : empty("admin", say("no_webhooks"), null),
  ];
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
