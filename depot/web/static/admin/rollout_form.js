// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The form of a new roll-out: which release, and the steps in which it goes to whom.

import { send } from "../api.js";
import { button, element, iconButton } from "../dom.js";
import { field, select } from "../parts.js";
import { toast } from "../toast.js";
import { say } from "../words.js";
import { formDialog } from "./forms.js";

/** Ask for a roll-out of one of the releases; `refresh` once it is made. */
export function addRollout({ releases, usual_steps: usual }, refresh) {
  const rows = element("div", { class: "step-rows" });
  const renumber = () => {
    for (const [place, row] of [...rows.children].entries()) {
      row.querySelector("legend").textContent = say("step_n", { n: place + 1 });
      const remove = row.querySelector(".icon-button");
      remove.setAttribute("aria-label", say("remove_step", { n: place + 1 }));
      remove.title = say("remove_step", { n: place + 1 });
      remove.hidden = rows.children.length === 1;
    }
  };
  const add = (step) => {
    rows.append(stepRow(step, (row) => {
      row.remove();
      renumber();
    }));
    renumber();
  };
  for (const step of usual) add(step);
  formDialog(say("add_rollout"), [
    field(say("release"), select(releases.map(({ id }) => [id, id]), releases[0].id, { name: "release" })),
    rows, button(say("add_step"), () => add({ share: 1, hold_h: 24, most_failed: 0.1 })),
  ], async (said) => {
    await send("POST", "/api/rollouts", { release: said.get("release"), steps: [...rows.children].map(stepOf) });
    await refresh();
    toast(say("rollout_made"));
  }, { wide: true });
}

function stepRow(step, remove) {
  const kind = select([["group", say("by_group")], ["share", say("by_share")]], step.group ? "group" : "share", { "data-part": "kind" });
  const group = element("input", { "data-part": "group", value: step.group ?? "canary", maxlength: 40, pattern: "[a-z][a-z0-9\\-]*", autocapitalize: "none" });
  const share = element("input", { "data-part": "share", type: "number", min: 1, max: 100, step: "any", value: Math.round(1000 * (step.share ?? 1)) / 10 });
  const groupField = field(say("by_group"), group);
  const shareField = field(say("by_share"), share);
  const show = () => {
    const isGroup = kind.value === "group";
    groupField.hidden = !isGroup;
    shareField.hidden = isGroup;
    group.required = isGroup;
    share.required = !isGroup;
    group.disabled = !isGroup; // a hidden field that is wrong would keep the form from being sent
    share.disabled = isGroup;
  };
  kind.addEventListener("change", show);
  const row = element(
    "fieldset", { class: "step-row" }, element("legend", {}),
    field(say("whom"), kind), groupField, shareField,
    field(say("hold_hours"), element("input", { "data-part": "hold", type: "number", min: 0, max: 8760, step: "any", required: true, value: step.hold_h })),
    field(say("failed_percent"), element("input", { "data-part": "failed", type: "number", min: 0, max: 100, step: "any", required: true, value: Math.round(1000 * step.most_failed) / 10 })),
    iconButton("close", say("remove"), () => remove(row)),
  );
  show();
  return row;
}

function stepOf(row) {
  const value = (part) => row.querySelector(`[data-part=${part}]`).value;
  const whom = value("kind") === "group" ? { group: value("group").trim() } : { share: Number(value("share")) / 100 };
  return { ...whom, hold_h: Number(value("hold")), most_failed: Number(value("failed")) / 100 };
}
