# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Read known lines (track axes, road axes) from a file. All coordinates are WGS 84, longitude first; metres elsewhere.

**GeoJSON** (`.geojson`, `.json`): a FeatureCollection of

* an axis: LineString, in the order of growing chainage. Properties: `name` (needed, such as "U79"); `track` (such as
  "1" or "east") where the line has several, each its own LineString; `chainage_start_m` (0); `tunnel: true` where all
  of it is in a tunnel, or `tunnels: [[from_m, to_m], ...]`.
* a stretch of tunnel: LineString with `tunnel: true` and `line`, on all tracks of that line or on `track`. Only its
  ends count; they lie within 50 m of the axis.
* a landmark: Point with `name`, `kind` (station, portal, tag) and, where they need telling, `line` and `track`;
  `chainage_m` where it is known; `error_m` (one standard deviation along the line) where it is other than usual.
  Without `chainage_m` it counts where it lies beside the axis (within 50 m); without geometry, at its `chainage_m`.

**CSV** (`.csv`, `.tsv`; comma, semicolon or tab): the first row names the columns
`line,track,chainage_m,lon,lat,tunnel,landmark`, of which `line`, `lon` and `lat` are needed. Each further row is one
point of the axis, in order. `tunnel`: 1 (or yes) where the way to the next row is in a tunnel. `landmark`:
`station:Name`, `portal:Name` or `tag:Name`; a name alone is a station.

**Chainage** is what the signs in the tunnel say. It need not be the length of the polyline: wherever a landmark or a
row gives chainage and place, both are tied together, and the way between two such points is stretched evenly. Where
chainage jumps, one line ends and another begins.

A line must not cross, touch or close on itself: one place would have two chainages. Nothing of a file is taken where
something in it cannot be true; the error is one line that says what, where, why and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.positioning.line_check import checked
from edge.positioning.line_csv import parse_csv
from edge.positioning.line_geojson import parse_geojson
from edge.positioning.line_raw import MAX_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from edge.positioning.line import Line


def read_lines(path: Path) -> tuple[Line, ...]:
    """Read the lines of a file; the suffix does not matter: JSON begins with a brace.

    Raises:
        InputError: it cannot be read, or something in it cannot be true.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be read"
        raise InputError(f"{path}: {reason}; give a GeoJSON or CSV file of lines") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{path}: is larger than {MAX_BYTES // 1_000_000} MB; cut it into several files")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start}: is not UTF-8; save it as UTF-8") from None
    if not text.strip():
        raise InputError(f"{path}: is empty; give a GeoJSON or CSV file of lines")
    parse = parse_geojson if text.lstrip().startswith(("{", "[")) else parse_csv
    return checked(parse(path, text))
