# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Lines as CSV. The format is described in `line_file`."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from edge.positioning.line_raw import MAX_LINES, MAX_POINTS, RawFile, RawLandmark, RawLine, RawPoint, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_COLUMNS = ("line", "track", "chainage_m", "lon", "lat", "tunnel", "landmark")
_NEEDED = ("line", "lon", "lat")
_DECIMAL_COMMA = re.compile(r"^(-?\d+),(\d+)$")
_YES, _NO = ("1", "yes", "true", "ja", "x"), ("", "0", "no", "false", "nein")
_KINDS = ("station", "portal", "tag")


def parse_csv(path: Path, text: str) -> RawFile:
    """What a CSV file says.

    Raises:
        InputError: it lacks a column or a row cannot be read.
    """
    raw = RawFile(path)
    rows = text.replace("\0", "").splitlines()
    delimiter = max(",;\t", key=rows[0].count) if rows else ","
    names = [name.strip().strip('"').lower() for name in rows[0].split(delimiter)] if rows else []
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise raw.refused(
            "row 1", f"no column {missing[0]}", f"name the columns in the first row: {','.join(_COLUMNS)}"
        )
    columns = {name: names.index(name) for name in _COLUMNS if name in names}
    lines: dict[tuple[str, str | None], RawLine] = {}
    for number, row in enumerate(rows[1:], start=2):
        if row.strip():
            _row(raw, lines, f"row {number}", _cells(raw, f"row {number}", row, delimiter, columns))
    raw.lines.extend(lines.values())
    return raw


def _cells(raw: RawFile, where: str, row: str, delimiter: str, columns: Mapping[str, int]) -> dict[str, str]:
    try:
        cells = [cell.strip() for cell in next(csv.reader([row], delimiter=delimiter), [])]
    except csv.Error as error:
        raise raw.refused(where, f"cannot be read ({error})", "save it anew as CSV") from None
    if len(cells) <= max(columns.values()):
        raise raw.refused(where, f"has {len(cells)} cells, {max(columns.values()) + 1} are needed", "complete the row")
    if delimiter != ",":
        cells = [_DECIMAL_COMMA.sub(r"\1.\2", cell) for cell in cells]
    return {name: cells[index] for name, index in columns.items()}


def _row(raw: RawFile, lines: dict[tuple[str, str | None], RawLine], where: str, cells: Mapping[str, str]) -> None:
    name, track = raw.name(where, "line", cells["line"]), raw.name(where, "track", cells.get("track"))
    if name is None:
        raise raw.refused(where, "names no line", "fill the column line")
    line = lines.setdefault((name, track), RawLine(where, name, track, []))
    if len(lines) > MAX_LINES or len(line.points) >= MAX_POINTS:
        raise raw.refused(where, f"more than {MAX_LINES} lines or {MAX_POINTS} points a line", "cut it into files")
    place = raw.place(where, cells["lon"], cells["lat"])
    chainage = raw.number(where, "chainage_m", cells.get("chainage_m"))
    flag = cells.get("tunnel", "").lower()
    if flag not in (*_YES, *_NO):
        raise raw.refused(where, f"tunnel {shown(flag)} is neither yes nor no", "write 1 where a tunnel goes on")
    line.points.append(RawPoint(where, place, chainage, flag in _YES))
    if mark := cells.get("landmark"):
        kind, _, rest = mark.partition(":")
        if kind.strip().lower() not in _KINDS or not rest.strip():
            kind, rest = "station", mark
        landmark = raw.name(where, "landmark", rest.strip()) or ""
        raw.landmarks.append(RawLandmark(where, landmark, kind.strip().lower(), name, track, chainage, place))
