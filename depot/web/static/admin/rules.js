// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// Which office is proposed for what: rules in an order, tried before they are saved, and how often people change them.

import { getJson, send } from "../api.js";
import { button, element, iconButton } from "../dom.js";
import { field, select } from "../parts.js";
import { toast } from "../toast.js";
import { className, number, percent, say, trouble } from "../words.js";
import { formDialog, sheetHead, words } from "./forms.js";

export async function rules(app, again) {
  const [{ version, rules: found }, { offices }, { features: areas }, quality] = await Promise.all([
    getJson("/api/rules"), getJson("/api/offices"), getJson("/api/areas"), getJson("/api/routing/quality").catch(() => null),
  ]);
  const sheet = new Rules({ version, rules: [...found], offices, areas: areas.map(({ properties }) => properties), again });
  return [sheetHead(say("rules_about"), ...sheet.acts), quality ? element("p", { class: "quality" }, qualityOf(quality)) : "", sheet.effect, sheet.list];
}

function qualityOf({ checked, share }) {
  return checked ? say("quality", { checked: number(checked), share: percent(share, 1) }) : say("quality_none");
}

class Rules {
  #given;
  list = element("ol", { class: "rules" });
  effect = element("div", { class: "effect", role: "status", hidden: true });

  constructor(given) {
    this.#given = given;
    this.save = button(say("save"), () => this.#save(), { class: "button primary", disabled: true });
    this.acts = [button(say("add_rule"), () => this.#edit(null)), button(say("try_rules"), () => this.#try()), this.save];
    this.#draw();
  }

  #draw() {
    const { rules: all } = this.#given;
    this.list.replaceChildren(...all.map((rule, place) => element(
      "li", { class: "rule" },
      element("span", { class: "rule-number number", "aria-hidden": "true" }, String(place + 1)),
      element("div", { class: "rule-what" }, element("strong", {}, this.#officeName(rule.office)), element("span", {}, this.#conditions(rule)), rule.name ? element("span", { class: "minor soft" }, rule.name) : ""),
      element(
        "div", { class: "row-acts" },
        iconButton("up", `${say("move_up")}: ${say("rule_n", { n: place + 1 })}`, () => this.#move(place, -1), { disabled: place === 0 }),
        iconButton("down", `${say("move_down")}: ${say("rule_n", { n: place + 1 })}`, () => this.#move(place, 1), { disabled: place === all.length - 1 }),
        button(say("edit"), () => this.#edit(place), { class: "button small" }),
        iconButton("close", `${say("remove")}: ${say("rule_n", { n: place + 1 })}`, () => this.#change(all.toSpliced(place, 1))),
      ),
    )));
  }

  #conditions(rule) {
    const areaName = (id) => this.#given.areas.find((area) => area.id === id)?.name ?? id;
    const parts = [
      rule.classes.map(className).join(", "), rule.surface && say(`surface_${rule.surface}`), rule.grade_min && say("from_grade", { n: rule.grade_min }),
      rule.areas.map(areaName).join(", "), rule.road_classes.join(", "), rule.lines.join(", "),
    ].filter(Boolean);
    return parts.join(" · ") || say("any_of");
  }

  #officeName(id) {
    return this.#given.offices.find((office) => office.id === id)?.name ?? id;
  }

  #move(place, by) {
    const moved = this.#given.rules.toSpliced(place, 1);
    this.#change(moved.toSpliced(place + by, 0, this.#given.rules[place]));
  }

  #change(changed) {
    this.#given.rules = changed;
    this.save.disabled = false;
    this.effect.hidden = true;
    this.#draw();
  }

  #edit(place) {
    const rule = place === null ? { office: "", name: "", classes: [], surface: null, grade_min: null, areas: [], road_classes: [], lines: [] } : this.#given.rules[place];
    const text = (key) => element("input", { name: key, value: rule[key].join(", "), placeholder: say("comma") });
    formDialog(place === null ? say("add_rule") : say("rule_n", { n: place + 1 }), [
      field(say("proposes"), select(this.#given.offices.filter(({ active }) => active).map(({ id, name }) => [id, name]), rule.office, { name: "office" })),
      field(say("why"), element("input", { name: "name", value: rule.name, maxlength: 200 })),
      element("div", { class: "two" },
        field(say("filter_surface"), select([["", say("any_of")], ["road", say("surface_road")], ["lining", say("surface_lining")]], rule.surface ?? "", { name: "surface" })),
        field(say("grade_from"), select([["", say("any_of")], ...[1, 2, 3, 4, 5].map((n) => [String(n), String(n)])], String(rule.grade_min ?? ""), { name: "grade_min" }))),
      field(say("classes"), text("classes"), "pothole, crack, alligator_crack, longitudinal_crack, transverse_crack, spalling, water_leakage …"),
      field(say("areas"), text("areas"), this.#given.areas.map(({ id }) => id).slice(0, 12).join(", ")),
      field(say("road_classes"), text("road_classes"), "primary, secondary, tertiary, residential …"),
      field(say("lines"), text("lines")),
    ], (said) => {
      const made = {
        office: said.get("office"), name: said.get("name"), surface: said.get("surface") || null, grade_min: said.get("grade_min") ? Number(said.get("grade_min")) : null,
        classes: words(said.get("classes")), areas: words(said.get("areas")), road_classes: words(said.get("road_classes")), lines: words(said.get("lines")),
      };
      this.#change(place === null ? [...this.#given.rules, made] : this.#given.rules.toSpliced(place, 1, made));
    });
  }

  async #try() {
    try {
      const found = await send("POST", "/api/rules/try", { rules: this.#given.rules });
      this.effect.hidden = false;
      this.effect.replaceChildren(element("p", {}, found.changed ? say("would_change", { n: number(found.changed) }) : say("would_not")), element("ul", {}, ...(found.moves ?? []).map((move) =>
        element("li", {}, `${number(move.count)}: ${move.before ? this.#officeName(move.before) : say("no_office")} → ${move.after ? this.#officeName(move.after) : say("no_office")}`))));
    } catch (error) {
      toast(trouble(error), { bad: true });
    }
  }

  async #save() {
    try {
      await send("PUT", "/api/rules", { version: this.#given.version, rules: this.#given.rules }, { timeoutMs: 120_000 });
      toast(say("changed_placed"));
      await this.#given.again();
    } catch (error) {
      toast(trouble(error), { bad: true });
    }
  }
}
