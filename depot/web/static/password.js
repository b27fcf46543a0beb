// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// A person changes the own password.

import { send } from "./api.js";
import { dialog, element } from "./dom.js";
import { toast } from "./toast.js";
import { say, trouble } from "./words.js";

export function askPassword() {
  const field = (name, autocomplete) =>
    element("label", { class: "field" }, element("span", {}, say(name)), element("input", { type: "password", name, autocomplete, required: true, maxlength: 200 }));
  const wrong = element("p", { class: "wrong", role: "alert", hidden: true });
  const form = element(
    "form", { method: "dialog" },
    element("div", { class: "dialog-body" }, field("old_password", "current-password"), field("new_password", "new-password"), wrong),
    element("footer", { class: "dialog-foot" }, element("button", { type: "submit", class: "button primary" }, say("save"))),
  );
  const shown = dialog(say("change_password"), say("close"), {}, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = new FormData(form);
    try {
      await send("POST", "/api/session/password", { old: said.get("old_password"), new: said.get("new_password") });
      shown.close();
      toast(say("password_changed"));
    } catch (error) {
      wrong.textContent = trouble(error);
      wrong.hidden = false;
    }
  });
}
