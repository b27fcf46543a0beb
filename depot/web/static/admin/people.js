// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Users and machines: who gets in and what they may do.

import { getJson, send } from "../api.js";
import { button, element } from "../dom.js";
import { empty, field, select, table } from "../parts.js";
import { toast } from "../toast.js";
import { ago, day, say, trouble } from "../words.js";
import { ask, formDialog, sheetHead, showSecret } from "./forms.js";

const ROLES = ["viewer", "reviewer", "dispatcher", "admin"];
const MACHINE_ROLES = ["reader", "reporter", ...ROLES];

export async function users(app, again) {
  const { users: found } = await getJson("/api/users");
  const alter = async (name, wishes) => {
    try {
      await send("PATCH", `/api/users/${encodeURIComponent(name)}`, wishes);
      toast(say("saved"));
    } catch (error) {
      toast(trouble(error), { bad: true });
    }
    await again();
  };
  return [
    sheetHead(say("users_about"), button(say("add_user"), () => addUser(again), { class: "button primary" })),
    table(say("tab_users"), [
      [say("name"), (user) => [element("strong", {}, user.title || user.name), element("span", { class: "minor soft" }, user.name)]],
      [say("role"), (user) => roleChoice(user, (role) => alter(user.name, { role }))],
      [say("last_login"), (user) => [user.login_utc ? ago(user.login_utc) : say("never"), user.oidc ? element("span", { class: "minor soft" }, say("by_oidc")) : "", user.disabled ? element("span", { class: "minor bad" }, say("user_disabled")) : ""]],
      ["", (user) => element("div", { class: "row-acts" },
        button(say("set_password"), () => newPassword(user, again), { class: "button small" }),
        button(say(user.disabled ? "enable" : "disable"), () => alter(user.name, { disabled: !user.disabled }), { class: "button small", disabled: user.name === app.session.name })), "acts"],
    ], found),
  ];
}

function roleChoice(user, onchoose) {
  const made = select(ROLES.map((role) => [role, say(`role_${role}`)]), user.role, { "aria-label": `${say("role")}: ${user.name}` });
  made.addEventListener("change", () => onchoose(made.value));
  return made;
}

function addUser(again) {
  formDialog(say("add_user"), [
    field(say("login_name"), element("input", { name: "name", required: true, maxlength: 63, pattern: "[a-z0-9][a-z0-9._@\\-]*", autocapitalize: "none" }), say("login_name_hint")),
    field(say("title"), element("input", { name: "title", maxlength: 100 })),
    field(say("role"), select(ROLES.map((role) => [role, say(`role_${role}`)]), "reviewer", { name: "role" })),
  ], async (said) => {
    const made = await send("POST", "/api/users", { name: said.get("name"), title: said.get("title"), role: said.get("role") });
    await again();
    if (made.password) showSecret(say("made_password", { name: made.name }), made.password);
    else toast(say("user_added", { name: made.name }));
  });
}

function newPassword(user, again) {
  ask(say("sure_password", { name: user.title || user.name }), say("set_password"), async () => {
    const { password } = await send("POST", `/api/users/${encodeURIComponent(user.name)}/password`, {});
    await again();
    if (password) showSecret(say("made_password", { name: user.name }), password);
  });
}

export async function tokens(app, again) {
  const { tokens: found } = await getJson("/api/tokens");
  const until = (token) => (token.revoked_utc ? element("span", { class: "bad" }, say("revoked")) : token.expires_utc ? day(token.expires_utc) : say("for_ever"));
  return [
    sheetHead(say("tokens_about"), button(say("add_token"), () => addToken(again), { class: "button primary" })),
    found.length ? table(say("tab_tokens"), [
      [say("name"), (token) => element("strong", {}, token.name)],
      [say("role"), (token) => say(`role_${token.role}`)],
      [say("expires"), until],
      [say("used"), (token) => (token.used_utc ? ago(token.used_utc) : say("never"))],
      ["", (token) => (token.revoked_utc ? "" : button(say("revoke"), () => ask(say("sure_revoke", { name: token.name }), say("revoke"), async () => {
        await send("DELETE", `/api/tokens/${encodeURIComponent(token.name)}`);
        await again();
      }), { class: "button small danger" })), "acts"],
    ], found) : empty("admin", say("no_tokens"), null),
  ];
}

function addToken(again) {
  formDialog(say("add_token"), [
    field(say("name"), element("input", { name: "name", required: true, maxlength: 63, pattern: "[a-z0-9][a-z0-9._@\\-]*", autocapitalize: "none" }), say("login_name_hint")),
    field(say("role"), select(MACHINE_ROLES.map((role) => [role, say(`role_${role}`)]), "reader", { name: "role" })),
    field(say("valid_for"), select([["30", say("for_days", { n: 30 })], ["365", say("for_days", { n: 365 })], ["", say("for_ever")]], "365", { name: "days" })),
  ], async (said) => {
    const made = await send("POST", "/api/tokens", { name: said.get("name"), role: said.get("role"), days: said.get("days") ? Number(said.get("days")) : null });
    await again();
    showSecret(say("made_token", { name: made.name }), made.token);
  });
}
