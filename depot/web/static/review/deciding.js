// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Decisions on cases: the bar with its buttons, the choice of a reason or an office, what is sent, what is taken back.
// A decision shows its effect at once; where the depot refuses it, the case comes back with the reason.

import { getJson, send } from "../api.js";
import { button, element, icon, iconButton, keycap } from "../dom.js";
import { clearToasts, toast } from "../toast.js";
import { className, number, say, trouble } from "../words.js";
import { capOf, keyOf } from "./keys.js";
import { merging, splitting } from "./joining.js";

/** What a defect can be, by where it is: what the models tell apart. */
const KINDS = {
  road: ["pothole", "alligator_crack", "longitudinal_crack", "transverse_crack", "crack"],
  lining: ["crack", "spalling", "water_leakage", "efflorescence", "exposed_rebar", "corrosion"],
};
export const REASONS = ["not_a_defect", "not_ours", "duplicate", "already_repaired", "bad_picture", "other"];
const ORDER = ["confirm", "order", "repaired", "reopen", "reject"];
const LEADS_TO = { confirm: "confirmed", reject: "rejected", order: "ordered", repaired: "repaired", reopen: "reopened" };
const MOST_AT_ONCE = 500;
const DIGITS = 9;

export class Deciding {
  #cases;
  #filter;
  #review; // { open, go(number), after(number), changed(detail) }
  #offices = [];
  #asked = null;
  #undoable = [];
  #choice = null; // an open choice of reason, office or note
  #mayPicture;

  constructor(cases, filter, review, { mayPicture }) {
    this.#cases = cases;
    this.#filter = filter;
    this.#review = review;
    this.#mayPicture = mayPicture;
    this.bar = element("div", { class: "decide", role: "group", "aria-label": say("queue_open") });
  }

  /** The buttons for what this person may do with this case now. */
  draw(found) {
    this.#choice = null;
    const can = new Set(found.actions ?? []);
    const main = ORDER.filter((action) => can.has(action));
    const more = ["note", "merge", "split"].filter((action) => can.has(action));
    this.bar.replaceChildren(
      element("div", { class: "decide-main" }, ...main.map((action, place) => this.#button(action, found, place === 0 ? "primary" : action === "reject" ? "danger" : ""))),
      element(
        "div", { class: "decide-more" },
        ...more.map((action) => this.#button(action, found, "small")),
        this.#mayPicture && ["ordered", "repaired"].includes(found.state) ? this.#pictureButton(found) : null,
        can.has("undo") ? this.#button("undo", found, "small") : null,
      ),
    );
  }

  /** Whether a choice is open; it then takes the digits. */
  get isChoosing() {
    return this.#choice !== null;
  }

  /** A digit of an open choice. */
  digit(key) {
    const chosen = this.#choice?.querySelector(`[data-digit="${CSS.escape(key)}"]`);
    chosen?.click();
    return Boolean(chosen);
  }

  /** Close an open choice; false where none was open. */
  cancel() {
    if (!this.#choice) return false;
    this.#choice.remove();
    this.#choice = null;
    this.bar.classList.remove("choosing");
    return true;
  }

  /** Do what a button or a key asks for. */
  async start(action, found) {
    if (action === "undo") return this.undo(found);
    if (!found) return undefined;
    if (!(found.actions ?? []).includes(action)) return toast(say("not_now", { state: say(`state_${found.state}`) }));
    if (action === "reject") return this.#chooseReason((reason) => this.#decide(found, { action, reason }));
    if (action === "classify") return this.#chooseKind(found);
    if (action === "assign") return this.#chooseOffice(found, (office) => this.#decide(found, { action, office }));
    if (action === "note") return this.#writeNote(found);
    if (action === "merge") return merging(found, this.#cases, (into) => this.#merge(found, into));
    if (action === "split") return splitting(found, (sightings) => this.#split(found, sightings));
    const picture = action === "repaired" && found.proposes === "repaired" ? { picture: found.after[0].picture } : {};
    return this.#decide(found, { action, ...picture });
  }

  /** The same decision for all marked cases. */
  async many(numbers, action) {
    if (action === "reject") return this.#chooseReason((reason) => this.#sendMany(numbers, { action, reason }));
    if (action === "assign") return this.#chooseOffice(null, (office) => this.#sendMany(numbers, { action, office }));
    return this.#sendMany(numbers, { action });
  }

  /** Take back the last decision of this person: that of the last case decided, or of the open one. */
  async undo(found) {
    const last = this.#undoable.pop() ?? (found?.actions?.includes("undo") ? found.number : null);
    if (last === null) return toast(say("nothing_to_undo"));
    clearToasts();
    try {
      const detail = await send("POST", `/api/cases/${last}/undo`);
      toast(say("done_undo", { case: say("case", { n: last }) }));
      this.#cases.update(detail);
      await this.#cases.again([]);
      this.#review.go(last);
    } catch (error) {
      this.#failed(last, error);
    }
    return undefined;
  }

  async #decide(found, decision) {
    this.cancel();
    const { number: n } = found;
    const state = LEADS_TO[decision.action] ?? found.state;
    const leaves = this.#leaves(state);
    if (leaves) {
      const next = this.#review.after(n);
      this.#cases.remove(n);
      this.#review.go(next); // at once; the depot's answer is awaited behind it
    }
    try {
      const detail = await send("POST", `/api/cases/${n}/actions`, { changed: found.changed, ...decision });
      this.#undoable.push(n);
      this.#told(decision, n);
      if (!leaves) this.#review.changed(detail);
    } catch (error) {
      this.#failed(n, error);
    }
  }

  /** Whether a case in this state is no longer in the queue that is shown. */
  #leaves(state) {
    const asked = this.#filter.query().getAll("state");
    return asked.length > 0 && !asked.includes(state);
  }

  #told(decision, n) {
    const office = this.officeName(decision.office);
    const kind = decision.class === null ? say("as_seen") : className(decision.class);
    toast(say(`done_${decision.action}`, { case: say("case", { n }), office, kind }), {
      action: { text: say("do_undo"), key: keyOf("undo").toUpperCase(), run: () => this.undo(null) },
    });
  }

  #failed(n, error) {
    toast(say("went_wrong", { case: say("case", { n }), why: trouble(error) }), { bad: true, action: { text: say("to_case"), run: () => this.#review.go(n) } });
    this.#cases.again([n]).then(() => { if (this.#review.open === n) this.#review.go(n); });
  }

  async #sendMany(numbers, decision) {
    this.cancel();
    try {
      const { results } = await send("POST", "/api/actions", { numbers: numbers.slice(0, MOST_AT_ONCE), ...decision });
      const failed = results.filter(({ ok }) => !ok);
      const done = results.length - failed.length;
      const why = failed[0]?.detail;
      toast([say("done_many", { n: number(done) }), failed.length && say("failed_many", { n: number(failed.length), why })].filter(Boolean).join("; "), { bad: failed.length > 0 });
      this.#review.unmark();
    } catch (error) {
      toast(trouble(error), { bad: true });
    }
    await this.#cases.again(numbers);
    this.#review.refresh();
  }

  async #merge(found, into) {
    try {
      await send("POST", `/api/cases/${found.number}/merge`, { into });
      toast(say("done_merge", { case: say("case", { n: found.number }), into: say("case", { n: into }) }));
      this.#cases.remove(found.number);
      await this.#cases.again([found.number, into]);
      this.#review.go(into);
    } catch (error) {
      this.#failed(found.number, error);
    }
  }

  async #split(found, sightings) {
    try {
      const { new: made } = await send("POST", `/api/cases/${found.number}/split`, { sightings });
      toast(say("done_split", { case: say("case", { n: found.number }), made: say("case", { n: made }) }));
      await this.#cases.again([found.number, made]);
      this.#review.go(found.number);
    } catch (error) {
      this.#failed(found.number, error);
    }
  }

  #chooseReason(then) {
    this.#choose(say("why_reject"), REASONS.map((reason) => ({ text: say(`reject_${reason}`), run: () => then(reason) })));
  }

  /** What it is called by vehicles takes a person's word back. */
  #chooseKind(found) {
    const seen = found.class_by ? found.class_seen : found.class;
    this.#choose(say("which_kind"), KINDS[found.surface].map((kind) => ({
      text: className(kind), hint: kind === seen ? say("as_seen") : null, pressed: kind === found.class,
      run: () => this.#decide(found, { action: "classify", class: kind === seen ? null : kind }),
    })));
  }

  async #chooseOffice(found, then) {
    const offices = await this.offices();
    if (!offices.length) return toast(say("no_offices"), { bad: true });
    this.#choose(say("which_office"), offices.filter(({ active }) => active).map(({ id, name }) => ({
      text: name, hint: found?.office_proposed === id ? say("proposed") : null, pressed: found?.office === id, run: () => then(id),
    })));
    return undefined;
  }

  #choose(title, entries) {
    this.cancel();
    const list = entries.map(({ text, hint, pressed, run }, place) => element(
      "button", { type: "button", class: "choice", "data-digit": place < DIGITS ? String(place + 1) : null, "aria-pressed": pressed === undefined ? null : String(pressed), onclick: run },
      place < DIGITS ? keycap(String(place + 1)) : element("span", { class: "no-key" }), element("span", {}, text), hint ? element("span", { class: "soft" }, hint) : null,
    ));
    this.#choice = element("div", { class: "choosing-list", role: "group", "aria-label": title }, this.#choiceHead(title), element("div", { class: "choice-list" }, ...list));
    this.#choice.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      list[(list.indexOf(document.activeElement) + step + list.length) % list.length].focus();
      event.preventDefault();
      event.stopPropagation();
    });
    this.bar.append(this.#choice);
    this.bar.classList.add("choosing");
    list[0]?.focus({ preventScroll: true });
  }

  #choiceHead(title) {
    return element("div", { class: "choice-head" }, element("h3", {}, title), iconButton("close", say("cancel"), () => this.cancel()));
  }

  #writeNote(found) {
    this.cancel();
    const field = element("textarea", { rows: "3", maxlength: "2000", "aria-label": say("write_note") });
    field.value = found.note ?? "";
    const save = () => this.#decide(found, { action: "note", note: field.value.trim() });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
      if (event.key === "Escape") {
        this.cancel();
        event.stopPropagation();
      }
    });
    this.#choice = element(
      "div", { class: "choosing-list", role: "group", "aria-label": say("write_note") }, this.#choiceHead(say("write_note")), field,
      element("div", { class: "choice-foot" }, element("button", { type: "button", class: "button primary", onclick: save }, say("save"), element("kbd", { "aria-hidden": "true" }, "Ctrl ↵"))),
    );
    this.bar.append(this.#choice);
    this.bar.classList.add("choosing");
    field.focus();
  }

  #button(action, found, kind) {
    return element("button", { type: "button", class: `button ${kind}`, "data-action": action, onclick: () => this.start(action, found) }, say(`do_${action}`), capOf(action));
  }

  #pictureButton(found) {
    const file = element("input", { type: "file", accept: "image/jpeg,image/png", capture: "environment", hidden: true });
    file.addEventListener("change", async () => {
      if (!file.files.length) return;
      const form = new FormData();
      form.append("picture", file.files[0]);
      try {
        await send("POST", `/api/cases/${found.number}/picture`, form, { timeoutMs: 60_000 });
        toast(say("done_picture", { case: say("case", { n: found.number }) }));
        this.#review.go(found.number, { again: true });
      } catch (error) {
        toast(trouble(error), { bad: true });
      }
    });
    return element("span", {}, file, button([icon("camera", 16), say("do_picture")], () => file.click(), { class: "button small" }));
  }

  /** Hand a case that the city's system refused over once more. */
  async handOver(number) {
    try {
      await send("POST", `/api/cases/${number}/handover`);
      this.#review.go(number, { again: true });
    } catch (error) {
      toast(trouble(error), { bad: true });
    }
  }

  /** The offices: asked once. */
  async offices() {
    this.#asked ??= getJson("/api/offices").then(({ offices }) => offices, () => []);
    this.#offices = await this.#asked;
    if (!this.#offices.length) this.#asked = null;
    return this.#offices;
  }

  officeName(id) {
    return this.#offices.find((office) => office.id === id)?.name ?? id;
  }
}
