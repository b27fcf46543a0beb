// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The administration: one sheet for each thing that the depot edits itself.

import { element } from "./dom.js";
import { failed, waiting } from "./parts.js";
import { say } from "./words.js";

const SHEETS = [
  ["users", "manage", "people"], ["tokens", "manage", "people"], ["offices", "dispatch", "routing"], ["rules", "dispatch", "rules"], ["areas", "dispatch", "routing"],
  ["webhooks", "manage", "machines"], ["alarms", "manage", "machines"], ["releases", "fleet", "releases"], ["audit", "audit", "audit"],
];

export async function mount(root, app) {
  const allowed = SHEETS.filter(([, permission]) => app.may(permission));
  const sheet = element("section", { class: "sheet", tabindex: "-1" });
  const tabs = element("nav", { class: "sheet-tabs", "aria-label": say("admin_title") });
  root.append(element("div", { class: "page admin" }, element("h1", {}, say("admin_title")), tabs, sheet));
  let turn = 0;
  const show = async (name) => {
    const mine = ++turn;
    const [, , file] = allowed.find(([one]) => one === name) ?? allowed[0];
    history.replaceState(null, "", `?tab=${name}`);
    for (const tab of tabs.children) tab.setAttribute("aria-current", tab.dataset.tab === name ? "page" : "false");
    sheet.replaceChildren(waiting());
    try {
      const module = await import(`./admin/${file}.js`);
      const content = await module[name](app, () => show(name));
      if (mine === turn) sheet.replaceChildren(...content);
    } catch (error) {
      if (mine === turn) sheet.replaceChildren(failed(error, () => show(name)));
    }
  };
  tabs.append(...allowed.map(([name]) => element("button", { type: "button", "data-tab": name, onclick: () => show(name) }, say(`tab_${name}`))));
  const asked = new URLSearchParams(location.search).get("tab");
  if (allowed.length) await show(allowed.some(([name]) => name === asked) ? asked : allowed[0][0]);
}
