// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Forms in dialogs, questions before what cannot be undone, and secrets that are shown once.

import { button, dialog, element, iconButton } from "../dom.js";
import { toast } from "../toast.js";
import { say, trouble } from "../words.js";

/** A form in a dialog; `submit(FormData)` does it, and what it throws is shown in the form. */
export function formDialog(title, fields, submit, { save = say("save"), wide = false } = {}) {
  const wrong = element("p", { class: "wrong", role: "alert", hidden: true });
  const form = element(
    "form", { method: "dialog" }, element("div", { class: "dialog-body" }, ...fields, wrong),
    element("footer", { class: "dialog-foot" }, element("button", { type: "submit", class: "button primary" }, save)),
  );
  const shown = dialog(title, say("close"), { class: wide ? "wide-dialog" : "" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await submit(new FormData(form));
      shown.close();
    } catch (error) {
      wrong.textContent = trouble(error);
      wrong.hidden = false;
    }
  });
  form.querySelector("input, select")?.focus();
}

/** Ask before something is done for good. */
export function ask(question, act, run) {
  const shown = dialog(say("sure"), say("close"), {}, element("div", { class: "dialog-body" }, element("p", {}, question)), element(
    "footer", { class: "dialog-foot" }, button(say("cancel"), () => shown.close()),
    button(act, async () => {
      shown.close();
      try {
        await run();
      } catch (error) {
        toast(trouble(error), { bad: true });
      }
    }, { class: "button primary" }),
  ));
}

/** Something that is shown once. */
export function showSecret(title, secret) {
  const copy = iconButton("copy", say("copy"), async () => {
    await navigator.clipboard?.writeText(secret).catch(() => null);
    toast(say("copied"));
  });
  const shown = dialog(title, say("close"), {}, element("div", { class: "dialog-body" }, element("p", { class: "secret" }, element("code", {}, secret), copy)), element("footer", { class: "dialog-foot" }, button(say("handed"), () => shown.close(), { class: "button primary" })));
}

/** The head of a sheet: what it is about, and what can be done. */
export function sheetHead(about, ...acts) {
  return element("header", { class: "sheet-head" }, element("p", {}, about), element("div", { class: "sheet-acts" }, ...acts));
}

export function words(text) {
  return text.split(",").map((word) => word.trim()).filter(Boolean);
}
