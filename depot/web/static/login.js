// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The login: name and password, or the city's own account, as the depot offers.

import { getJson, send } from "./api.js";
import { element } from "./dom.js";
import { say, trouble } from "./words.js";

export async function mount(root, app) {
  const { methods = ["password"], notice = null } = await getJson("/api/login").catch(() => ({}));
  const wrong = element("p", { class: "wrong", role: "alert", hidden: true });
  const form = element(
    "form", { novalidate: true },
    element("h1", {}, say("login_title")),
    notice ? element("p", { class: "soft" }, notice) : null,
    wrong,
    ...(methods.includes("password") ? passwordFields() : []),
    methods.includes("oidc") && methods.includes("password") ? element("p", { class: "or" }, say("login_or")) : null,
    methods.includes("oidc") ? element("a", { class: "button", href: "/login/oidc" }, say("login_oidc")) : null,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = new FormData(form);
    const submit = form.querySelector("[type=submit]");
    submit.disabled = true;
    try {
      await send("POST", "/api/login", { name: said.get("name"), password: said.get("password") });
      await app.entered();
    } catch (error) {
      wrong.textContent = error.status === 401 ? say("login_failed") : error.status === 429 ? say("login_wait") : trouble(error);
      wrong.hidden = false;
      submit.disabled = false;
      form.elements.password.value = "";
      form.elements.password.focus();
    }
  });
  root.append(element("div", { class: "login" }, form));
  form.elements.name?.focus();
}

function passwordFields() {
  const field = (label, attributes) => element("label", { class: "field" }, element("span", {}, say(label)), element("input", { required: true, maxlength: 200, ...attributes }));
  return [
    field("name", { name: "name", autocomplete: "username", autocapitalize: "none", spellcheck: "false" }),
    field("password", { name: "password", type: "password", autocomplete: "current-password" }),
    element("button", { type: "submit", class: "button primary" }, say("login")),
  ];
}
