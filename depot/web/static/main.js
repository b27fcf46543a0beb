// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Wires the page: who is logged in, the language, the sections, the live stream. Each section is a module that is
// loaded when it is first shown: `mount(root, app)` builds it and gives back what takes it down again.

import { getJson, send, useCsrf } from "./api.js";
import { element, icon } from "./dom.js";
import { Live } from "./live.js";
import { failed } from "./parts.js";
import { askPassword } from "./password.js";
import { toast } from "./toast.js";
import { currentLanguage, say, setLanguage, trouble } from "./words.js";

const SECTIONS = [
  { path: "/", name: "review", drawing: "cases", needs: "read" },
  { path: "/coverage", name: "coverage", drawing: "coverage", needs: "read" },
  { path: "/condition", name: "condition", drawing: "condition", needs: "read" },
  { path: "/vehicles", name: "vehicles", drawing: "vehicles", needs: "fleet" },
  { path: "/admin", name: "admin", drawing: "admin", needs: "audit" },
];
const LOGIN = "/login";

const root = document.getElementById("section");
const nav = document.getElementById("nav");
const app = {
  session: null,
  trouble: null, // why nobody can say who is logged in; null: they can
  settings: {},
  live: new Live(),
  may: (permission) => Boolean(app.session?.permissions?.includes(permission)),
  go,
  entered,
};
let down = null; // takes the shown section down
let turn = 0; // only the last section that was asked for is shown

/** Show the section of an address of this page. */
function go(url, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", url);
  return show();
}

async function show() {
  const mine = ++turn;
  const path = location.pathname;
  if (app.trouble) return root.replaceChildren(failed(app.trouble, () => location.reload()));
  if (!app.session && path !== LOGIN) return go(`${LOGIN}?${new URLSearchParams({ next: path + location.search, lang: currentLanguage() })}`, { replace: true });
  const section = path === LOGIN ? { name: "login" } : (SECTIONS.find((known) => known.path === path) ?? SECTIONS[0]);
  down?.();
  down = null;
  drawFrame();
  document.title = section.name === "login" ? `${say("login")} · Wegewart` : `${say(`section_${section.name}`)} · Wegewart`;
  root.className = `section-${section.name}`;
  root.replaceChildren();
  const { mount } = await import(`./${section.name === "review" ? "review/review" : section.name}.js`);
  if (mine !== turn) return;
  const taken = await mount(root, app);
  if (mine === turn) down = taken ?? null;
  else taken?.();
}

/** After a login: who it is, and on to where they wanted to go. */
async function entered() {
  await knowPerson();
  const next = new URLSearchParams(location.search).get("next") ?? "/";
  // Only a path of ours: nobody sends people elsewhere through our login.
  return go(new URL(next, location.origin).origin === location.origin && next.startsWith("/") ? next : "/", { replace: true });
}

async function knowPerson() {
  try {
    app.session = await getJson("/api/session");
  } catch (error) {
    app.session = null;
    app.trouble = error.status === 401 ? null : error;
    return;
  }
  app.trouble = null;
  useCsrf(app.session.csrf);
  const wanted = new URLSearchParams(location.search).get("lang") ?? app.session.language;
  if (wanted) setLanguage(wanted);
  app.settings = await getJson("/api/settings").catch(() => ({}));
  app.live.start();
}

function drawFrame() {
  for (const part of document.querySelectorAll("[data-t]")) part.textContent = say(part.dataset.t);
  for (const part of document.querySelectorAll("[data-t-label]")) part.setAttribute("aria-label", say(part.dataset.tLabel));
  const here = location.pathname;
  const links = SECTIONS.filter(({ needs }) => app.may(needs)).map(({ path, name, drawing }) =>
    element("a", { href: path, "aria-current": here === path ? "page" : null, "data-section": name }, icon(drawing, 21), element("span", {}, say(`section_${name}`))),
  );
  nav.replaceChildren(...links);
  const help = document.getElementById("help");
  help.hidden = !(app.session && here === "/");
  help.setAttribute("aria-label", say("keys"));
  help.title = `${say("keys")} (?)`;
  help.textContent = "?";
  const language = document.getElementById("language");
  language.lang = currentLanguage() === "de" ? "en" : "de";
  language.replaceChildren(element("span", { class: "wide" }, say("other_language")), element("span", { class: "narrow" }, language.lang.toUpperCase()));
  language.title = say("other_language");
  drawPerson();
  drawLive();
}

function drawPerson() {
  const menu = document.getElementById("person");
  menu.hidden = !app.session;
  menu.open = false;
  if (!app.session) return;
  const { name, title, role, login } = app.session;
  const local = login === "off";
  menu.replaceChildren(
    element("summary", { "aria-label": say("signed_in", { name: title || name }) }, icon("person", 19), element("span", { class: "wide" }, title || name)),
    element(
      "div", { class: "menu" },
      element("p", {}, element("strong", {}, title || name), element("br"), element("span", { class: "soft" }, say(`role_${role}`))),
      login === "password" ? element("button", { type: "button", onclick: () => askPassword() }, say("change_password")) : null,
      local ? null : element("button", { type: "button", id: "logout", onclick: logout }, say("logout")),
    ),
  );
}

function drawLive() {
  const live = document.getElementById("live");
  live.hidden = !app.session;
  live.dataset.live = app.live.connected;
  live.textContent = say(app.live.connected ? "live" : "away");
}

async function logout() {
  await send("POST", "/api/logout").catch(() => null);
  leave();
  await go(LOGIN);
}

function leave() {
  app.session = null;
  useCsrf(null);
  app.live.stop();
}

document.addEventListener("click", (event) => {
  const person = document.getElementById("person");
  if (!person.contains(event.target)) person.open = false;
  const link = event.target.closest("a[href]");
  if (!link || link.target || link.hasAttribute("download") || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const url = new URL(link.href.baseVal ?? link.href, location.href);
  if (url.origin !== location.origin || !SECTIONS.some(({ path }) => path === url.pathname) || url.hash) return;
  event.preventDefault();
  go(url);
});

document.getElementById("language").addEventListener("click", () => {
  setLanguage(currentLanguage() === "de" ? "en" : "de");
  const url = new URL(location.href);
  url.searchParams.set("lang", currentLanguage());
  if (app.session && app.session.login !== "off") {
    send("PATCH", "/api/session", { language: currentLanguage() }).catch((error) => toast(trouble(error), { bad: true }));
  }
  go(url, { replace: true });
});

addEventListener("popstate", show);
addEventListener("logged-out", () => {
  if (!app.session) return; // the login itself was refused
  leave();
  toast(say("ended"));
  show();
});
app.live.addEventListener("live", drawLive);

setLanguage(document.documentElement.lang);
await knowPerson();
await show();
