# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Lines as GeoJSON (RFC 7946). The format is described in `line_file`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edge.positioning.line_raw import (
    MAX_LANDMARKS,
    MAX_LINES,
    MAX_POINTS,
    RawFile,
    RawLandmark,
    RawLine,
    RawPoint,
    RawTunnel,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_CRS_GOOD = ("CRS84", "4326")


def parse_geojson(path: Path, text: str) -> RawFile:
    """What a GeoJSON file says.

    Raises:
        InputError: it is no GeoJSON FeatureCollection of lines.
    """
    raw = RawFile(path)
    try:
        root = json.loads(text)
    except RecursionError:
        raise raw.refused("whole file", "is nested too deeply", "export it anew as GeoJSON") from None
    except ValueError as error:
        raise raw.refused("whole file", f"is not JSON ({str(error)[:80]})", "export it anew as GeoJSON") from None
    features = root.get("features") if isinstance(root, dict) else None
    if not isinstance(features, list) or root.get("type") != "FeatureCollection":
        raise raw.refused("whole file", "is no FeatureCollection", "export it as GeoJSON FeatureCollection")
    _check_crs(raw, root.get("crs"))
    if len(features) > MAX_LINES + MAX_LANDMARKS:
        raise raw.refused("whole file", f"has {len(features)} features", "cut it into several files")
    for number, feature in enumerate(features, start=1):
        _feature(raw, f"feature {number}", feature)
    return raw


def _check_crs(raw: RawFile, crs: Any) -> None:
    """GeoJSON of 2008 could name another coordinate system."""
    name = crs.get("properties", {}) if isinstance(crs, dict) else {}
    name = name.get("name") if isinstance(name, dict) else None
    if name is not None and not str(name).endswith(_CRS_GOOD):
        raise raw.refused("crs", f"coordinates are in {shown(name)}", "export it in WGS 84 (EPSG:4326)")


def _feature(raw: RawFile, where: str, feature: Any) -> None:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise raw.refused(where, f"is {shown(feature)} and no Feature", "export it anew as GeoJSON")
    properties, geometry = feature.get("properties") or {}, feature.get("geometry") or {"type": None}
    if not isinstance(properties, dict) or not isinstance(geometry, dict):
        raise raw.refused(where, "properties or geometry are no object", "export it anew as GeoJSON")
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point" or (kind is None and "kind" in properties):
        raw.landmarks.append(_landmark(raw, where, properties, coordinates if kind else None))
    elif kind != "LineString":
        raise raw.refused(where, f"geometry {shown(kind)} is not known here", "give LineString and Point features only")
    elif properties.get("line") is not None and _flag(raw, where, properties.get("tunnel")):
        raw.tunnels.append(_tunnel(raw, where, properties, coordinates))
    else:
        raw.lines.append(_line(raw, where, properties, coordinates))


def _line(raw: RawFile, where: str, properties: Mapping[str, Any], coordinates: Any) -> RawLine:
    name = raw.name(where, "name", properties.get("name"))
    if name is None:
        raise raw.refused(where, "has no property name", "name the line, such as U79")
    places = _places(raw, where, coordinates)
    tunnel = _flag(raw, where, properties.get("tunnel"))
    line = RawLine(
        where,
        name,
        raw.name(where, "track", properties.get("track")),
        [RawPoint(f"{where}, point {index}", place, tunnel=tunnel) for index, place in enumerate(places, start=1)],
        raw.number(where, "chainage_start_m", properties.get("chainage_start_m")),
    )
    tunnels = properties.get("tunnels") or []
    if not isinstance(tunnels, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in tunnels):
        raise raw.refused(where, f"tunnels {shown(tunnels)} is no list of pairs", "write [[from_m, to_m], ...]")
    for pair in tunnels:
        start, end = (raw.number(where, "tunnel end", value) for value in pair)
        if start is None or end is None:
            raise raw.refused(where, "a tunnel lacks an end", "write [[from_m, to_m], ...]")
        line.tunnels.append((start, end))
    return line


def _landmark(raw: RawFile, where: str, properties: Mapping[str, Any], coordinates: Any) -> RawLandmark:
    name, kind = raw.name(where, "name", properties.get("name")), raw.name(where, "kind", properties.get("kind"))
    if name is None or kind is None:
        raise raw.refused(where, "a point lacks its name or kind", "give name, line and kind (station, portal or tag)")
    return RawLandmark(
        where,
        name,
        kind,
        raw.name(where, "line", properties.get("line")),
        raw.name(where, "track", properties.get("track")),
        raw.number(where, "chainage_m", properties.get("chainage_m")),
        None if coordinates is None else _place(raw, where, coordinates),
        raw.number(where, "error_m", properties.get("error_m")),
    )


def _tunnel(raw: RawFile, where: str, properties: Mapping[str, Any], coordinates: Any) -> RawTunnel:
    line = raw.name(where, "line", properties.get("line"))
    places = _places(raw, where, coordinates)
    return RawTunnel(where, line or "", raw.name(where, "track", properties.get("track")), (places[0], places[-1]))


def _places(raw: RawFile, where: str, coordinates: Any) -> list[tuple[float, float]]:
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        raise raw.refused(where, "a LineString needs at least two points", "draw it anew")
    if len(coordinates) > MAX_POINTS:
        raise raw.refused(where, f"has {len(coordinates)} points", f"cut it into lines of at most {MAX_POINTS}")
    return [_place(raw, f"{where}, point {n}", position) for n, position in enumerate(coordinates, start=1)]


def _place(raw: RawFile, where: str, position: Any) -> tuple[float, float]:
    if not isinstance(position, list) or not 2 <= len(position) <= 4:
        raise raw.refused(where, f"{shown(position)} is no position", "write [lon, lat]")
    return raw.place(where, position[0], position[1])


def _flag(raw: RawFile, where: str, value: Any) -> bool:
    if value in (None, False, 0, "", "no"):
        return False
    if value in (True, 1, "yes", "true"):
        return True
    raise raw.refused(where, f"tunnel {shown(value)} is neither true nor false", "write true or leave it out")
