// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// The colours of grades for maps and drawings; those of base.css.

export const GRADES = ["#b9d7c6", "#efe3a4", "#f5bf5f", "#df7a4a", "#a3261d"];
export const NO_GRADE = "#dfe5e3";
export const INK = "#12343b";

export function gradeColour(grade) {
  return GRADES[grade - 1] ?? NO_GRADE;
}

/** As a map's expression over the property that holds the grade. */
export function gradeExpression(property) {
  return ["match", ["to-number", ["get", property], 0], ...GRADES.flatMap((colour, place) => [place + 1, colour]), NO_GRADE];
}
