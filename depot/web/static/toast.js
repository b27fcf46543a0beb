// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// One line about what has just happened, with at most one thing to do about it.

import { element } from "./dom.js";

const SHOWN_MS = { good: 6000, bad: 12_000 };
const MOST = 2;

/** Show a line; `action`: { text, run, key } for a button beside it. */
export function toast(text, { bad = false, action = null } = {}) {
  const place = document.getElementById("toasts");
  const made = element("div", { class: bad ? "toast bad" : "toast" }, element("span", {}, text));
  if (action) {
    const doIt = () => {
      made.remove();
      action.run();
    };
    made.append(element("button", { type: "button", onclick: doIt }, action.text, action.key ? element("kbd", { "aria-hidden": "true" }, action.key) : null));
  }
  place.append(made);
  while (place.children.length > MOST) place.firstElementChild.remove();
  setTimeout(() => made.remove(), bad ? SHOWN_MS.bad : SHOWN_MS.good);
}

export function clearToasts() {
  document.getElementById("toasts").replaceChildren();
}
