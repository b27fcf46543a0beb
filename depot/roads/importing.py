# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The city's roads from GeoJSON or GeoPackage into the table `roads`.

An extract of OpenStreetMap cuts a street into many ways: lines of one name, class and district that lie near each
other become one road. Where the city's data has an identifier of its own, lines of the same one become one road. What
cannot be used is counted by reason; the import says so and goes on.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct
from shapely import MultiLineString, STRtree
from sqlalchemy import delete, insert, select, update

from depot.errors import ConfigError
from depot.people import audit
from depot.roads.network import Lines, Road, length_m, metres_per_degree, version_of
from depot.roads.tables import NETWORK, WAITS, road_days, road_states, roads, stretches
from depot.store.database import Change
from depot.store.tables import meta

#: Ways of OpenStreetMap that our vehicles do not drive on, or that are not there.
_NOT_FOR_VEHICLES = frozenset(
    ("footway", "path", "steps", "bridleway", "corridor", "elevator", "platform", "construction", "proposed", "razed",
     "abandoned", "raceway", "bus_stop", "rest_area", "services")
)  # fmt: skip
#: Lines of one name within this belong to one road.
_NEAR_M = 30.0
_MOST_ROADS = 500_000
_MOST_POINTS = 20_000
_SHORTEST_M = 1.0

Field = Annotated[str, Meta(min_length=1, max_length=100)]


class Mapping(Struct, frozen=True, kw_only=True):
    """Which field of a feature says what. `id` None: lines become roads by their name, see above."""

    name: Field = "name"
    road_class: Field = "highway"
    district: Field = "district"
    id: Field | None = None


class Feature(Struct, frozen=True):
    """A feature of a file: its identifier there, its fields and its lines in degrees."""

    id: str | None
    fields: dict[str, Any]
    lines: list[list[list[float]]]


class Imported(Struct, frozen=True, kw_only=True):
    """Roads, and how many features were left out for what reason."""

    roads: tuple[Road, ...]
    left_out: dict[str, int]


class Replaced(Struct, frozen=True, kw_only=True):
    """What an import changed."""

    roads: int
    added: int
    removed: int
    altered: int
    length_km: float
    left_out: dict[str, int] = {}


def build(features: Iterable[Feature], mapping: Mapping) -> Imported:
    """Roads of features.

    Raises:
        ConfigError: there is not one road in it, or more than we keep.
    """
    left_out: Counter[str] = Counter()
    groups: dict[tuple[str | None, ...], list[tuple[Feature, Lines]]] = defaultdict(list)
    for number, feature in enumerate(features):
        lines, problem = _usable(feature, mapping)
        if problem is not None:
            left_out[problem] += 1
            continue
        groups[_group(feature, mapping, number)].append((feature, lines))
    found: dict[str, Road] = {}
    for members in groups.values():
        for part in [members] if mapping.id is not None else _connected(members):
            road = _road(part, mapping)
            if road.id in found:  # two lines of one identifier and different names
                left_out["id_twice"] += 1
            else:
                found[road.id] = road
    if not found:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out.items())) or "it has no features"
        raise ConfigError(f"roads: no road in it ({reasons}); name the fields of your data, see `roads import --help`")
    if len(found) > _MOST_ROADS:
        raise ConfigError(f"roads: {len(found)} roads, at most {_MOST_ROADS} are kept; cut out the city's own")
    return Imported(roads=tuple(found[key] for key in sorted(found)), left_out=dict(sorted(left_out.items())))


def replace_roads(change: Change, imported: Imported, who: str) -> Replaced:
    """Put these roads in the place of all there are; what was looked at is laid on them anew, see `matching`."""
    connection = change.connection
    before = {row.id: row.lines for row in connection.execute(select(roads.c.id, roads.c.lines))}
    rows = [_row(road) for road in imported.roads]
    connection.execute(delete(roads))
    for start in range(0, len(rows), 5000):
        connection.execute(insert(roads), rows[start : start + 5000])
    after = {row["id"]: row["lines"] for row in rows}
    replaced = Replaced(
        roads=len(after),
        added=len(after.keys() - before.keys()),
        removed=len(before.keys() - after.keys()),
        altered=sum(before[key] != lines for key, lines in after.items() if key in before),
        length_km=round(sum(road.length_m for road in imported.roads) / 1000, 1),
        left_out=imported.left_out,
    )
    lay_anew(change)
    audit.record(
        connection, utc=change.now_utc, who=who, action="import", kind="roads", subject="network", after=replaced
    )
    return replaced


def lay_anew(change: Change) -> None:
    """Forget what was laid on the roads; the worker lays every stretch on them again."""
    connection = change.connection
    version = version_of(connection) + 1
    connection.execute(delete(meta).where(meta.c.name == NETWORK))
    connection.execute(insert(meta).values(name=NETWORK, value=version))
    connection.execute(delete(road_states))
    connection.execute(delete(road_days))
    connection.execute(update(stretches).where(stretches.c.matched.is_not(None)).values(matched=WAITS))
    change.next()


def _row(road: Road) -> dict[str, Any]:
    return {
        "id": road.id,
        "name": road.name,
        "class": road.road_class,
        "district": road.district,
        "length_m": road.length_m,
        "lines": json.dumps(road.lines, separators=(",", ":")),
    }


def _group(feature: Feature, mapping: Mapping, number: int) -> tuple[str | None, ...]:
    if mapping.id is not None:
        return (_word(feature.fields.get(mapping.id)) or feature.id or f"#{number}",)
    name = _word(feature.fields.get(mapping.name))
    if name is None:
        return (None, str(number))
    return (name, _word(feature.fields.get(mapping.road_class)), _word(feature.fields.get(mapping.district)))


def _usable(feature: Feature, mapping: Mapping) -> tuple[Lines, str | None]:
    """The lines without points that stand twice, or why the feature cannot be used."""
    if _word(feature.fields.get(mapping.road_class)) in _NOT_FOR_VEHICLES:
        return (), "not_for_vehicles"
    if not feature.lines:
        return (), "no_line"
    lines = []
    for line in feature.lines:
        if not all(_on_earth(point) for point in line):
            return (), "not_in_degrees"
        places = [(round(point[0], 8), round(point[1], 8)) for point in line]
        kept = [place for place, before in zip(places, [None, *places], strict=False) if place != before]
        if len(kept) > 1:
            lines.append(tuple(kept))
    if sum(map(len, lines)) > _MOST_POINTS:
        return (), "too_many_points"
    return (tuple(lines), None) if length_m(tuple(lines)) >= _SHORTEST_M else ((), "too_short")


def _on_earth(point: Sequence[float]) -> bool:
    try:
        lon, lat = float(point[0]), float(point[1])
    except (TypeError, ValueError, IndexError):
        return False
    return -180 <= lon <= 180 and -85 <= lat <= 85  # NaN is not


def _connected(members: list[tuple[Feature, Lines]]) -> Iterator[list[tuple[Feature, Lines]]]:
    """Members of one name, apart where they lie apart: many a city has its main street twice."""
    if len(members) == 1:
        yield members
        return
    scale = np.array(metres_per_degree(members[0][1][0][0][1]))
    shapes = [MultiLineString([np.array(line) * scale for line in lines]) for _, lines in members]
    owner = list(range(len(members)))

    def head(number: int) -> int:
        while owner[number] != number:
            owner[number] = owner[owner[number]]
            number = owner[number]
        return number

    for one, other in STRtree(shapes).query(shapes, predicate="dwithin", distance=_NEAR_M).T:
        owner[head(int(one))] = head(int(other))
    parts: dict[int, list[tuple[Feature, Lines]]] = defaultdict(list)
    for number, member in enumerate(members):
        parts[head(number)].append(member)
    yield from parts.values()


def _road(members: list[tuple[Feature, Lines]], mapping: Mapping) -> Road:
    first = members[0][0].fields
    lines = tuple(line for _, part in members for line in part)
    name = _word(first.get(mapping.name))
    own = _word(first.get(mapping.id)) if mapping.id is not None else None
    given = [feature.id for feature, _ in members if feature.id]
    return Road(
        id=own or (min(given, key=lambda text: (len(text), text)) if given else _made_id(name, lines)),
        name=name,
        road_class=_word(first.get(mapping.road_class)),
        district=_word(first.get(mapping.district)),
        length_m=round(length_m(lines), 2),
        lines=lines,
    )


def _made_id(name: str | None, lines: Lines) -> str:
    """The same for the same road of the next import, as long as its first corner stays."""
    lon, lat = min(line[0] for line in lines)
    return hashlib.sha256(f"{name}|{lon:.5f}|{lat:.5f}".encode()).hexdigest()[:16]


def _word(value: Any) -> str | None:
    """A field as one line of text; None where it says nothing. Numbers without a fraction are written without."""
    if value is None or isinstance(value, (dict, list, bool)):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() else value
    text = " ".join("".join(char if char.isprintable() else " " for char in str(value)).split())
    return text[:200] or None
