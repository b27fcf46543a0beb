# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What was looked at: stretches as they came, and each road of the network with when and how much of it."""

from __future__ import annotations

import csv
import io
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from threading import Lock
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct
from sqlalchemy import Connection, Row, Table, func, select

from depot.roads import looked
from depot.roads.looked import Bytes
from depot.roads.network import Integers, Road, RoadNetwork
from depot.roads.proof import cell
from depot.roads.sections import DAY_S, utc_text
from depot.roads.tables import rides, road_days, road_states, stretches
from depot.store.tables import events
from messages import envelope
from messages.types import Coverage, Roughness

Order = Literal["age", "share", "name"]


class RoadCoverage(Struct, frozen=True, kw_only=True):
    """A road in a time. `last_looked_utc`, `age_days`: any part of it, ever; `valid_share`: of its length, in the time.

    `not_judged_m`: passed in the time but not judged, metres by reason; the rest nobody passed.
    """

    road: str
    name: str | None
    road_class: str | None
    district: str | None
    length_m: float
    looked_at_m: float
    valid_share: float
    not_judged_m: dict[str, float]
    last_looked_utc: str | None
    age_days: float | None


class Period(Struct, frozen=True, kw_only=True):
    """Days of the city's calendar, both included; `to_day` None: until now."""

    from_day: str
    to_day: str | None


def stretch_rows(connection: Connection, after: int, limit: int) -> list[tuple[Row[Any], Coverage]]:
    """Stretches that changed after this number, oldest change first."""
    return [(row, data) for row, data in _told(connection, stretches, after, limit) if isinstance(data, Coverage)]


def ride_rows(connection: Connection, after: int, limit: int) -> list[tuple[Row[Any], Roughness]]:
    """Rides that changed after this number, oldest change first."""
    return [(row, data) for row, data in _told(connection, rides, after, limit) if isinstance(data, Roughness)]


def _told(connection: Connection, table: Table, after: int, limit: int) -> Iterator[tuple[Row[Any], Any]]:
    joined = select(table, events.c.payload).join(events, events.c.received == table.c.received)
    for row in connection.execute(joined.where(table.c.changed > after).order_by(table.c.changed).limit(limit)):
        yield row, envelope.decode(row.payload).data


def start_of(day: str, zone: ZoneInfo) -> int:
    """The first second of a day of the calendar, since 1970."""
    return int(datetime.combine(datetime.fromisoformat(day).date(), time(), zone).timestamp())


def day_before(now_utc: str, zone: ZoneInfo, days: int) -> str:
    """The day that was so many days ago."""
    now = datetime.fromisoformat(now_utc.replace("Z", "+00:00")).astimezone(zone)
    return (now.date() - timedelta(days=days)).isoformat()


def roads_covered(
    connection: Connection, network: RoadNetwork, period: Period, now_utc: str, zone: ZoneInfo
) -> list[RoadCoverage]:
    """Every road of the network, in the network's order."""
    if not network.roads:
        return []
    first = looked.first_sections(network)
    counts = np.diff(first)
    states = {row.road: row.state for row in connection.execute(select(road_states.c.road, road_states.c.state))}
    ever = b"".join(
        looked.sized(states.get(road.id), count) for road, count in zip(network.roads, counts.tolist(), strict=True)
    )
    if period.to_day is None:
        codes = looked.since(ever, start_of(period.from_day, zone))
    else:
        codes = _in_days(connection, network, period, first)
    valid, reasons = looked.by_road(codes, first)
    last = np.maximum.reduceat(looked.valid_times(ever), first[:-1])
    now_s = datetime.fromisoformat(now_utc.replace("Z", "+00:00")).timestamp()
    shares = valid / counts
    return [
        _covered(
            road, share, {name: n[number] / counts[number] for name, n in reasons.items() if n[number]}, last_s, now_s
        )
        for number, (road, share, last_s) in enumerate(zip(network.roads, shares.tolist(), last.tolist(), strict=True))
    ]


class Covered:
    """The last answers of `roads_covered`, as long as nothing was laid on a road since. May be asked from any thread.

    Of one page load the list and the map ask the same at once, and so do all who look at these days.
    """

    def __init__(self, zone: ZoneInfo, *, most: int = 8) -> None:
        self._zone = zone
        self._most = most
        self._lock = Lock()
        self._known: OrderedDict[tuple[object, ...], list[RoadCoverage]] = OrderedDict()

    def current(
        self, connection: Connection, network: RoadNetwork, period: Period, now_utc: str
    ) -> Sequence[RoadCoverage]:
        """See `roads_covered`; ages may be a minute old."""
        laid = connection.execute(select(func.max(road_states.c.changed), func.count())).one()
        minute = now_utc[:16]
        key = (period.from_day, period.to_day, network.version, *laid, minute)
        with self._lock:
            if key not in self._known:
                self._known[key] = roads_covered(connection, network, period, now_utc, self._zone)
                if len(self._known) > self._most:
                    self._known.popitem(last=False)
            return self._known[key]


def _in_days(connection: Connection, network: RoadNetwork, period: Period, first: Integers) -> Bytes:
    """Codes of all sections in these days."""
    found: dict[str, list[bytes]] = defaultdict(list)
    inside = road_days.c.day.between(period.from_day, period.to_day)
    for row in connection.execute(select(road_days.c.road, road_days.c.state).where(inside)):
        found[row.road].append(row.state)
    codes = np.zeros(int(first[-1]), dtype=np.uint8)
    for road, states in found.items():
        number, joined = network.number_of(road), looked.days(states)
        if number is not None and joined is not None and len(joined) == first[number + 1] - first[number]:
            codes[first[number] : first[number + 1]] = joined
    return codes


def _covered(road: Road, share: float, vain: dict[str, float], last_s: int, now_s: float) -> RoadCoverage:
    """`vain`: share of the road's length by reason; `last_s` 0: never."""
    return RoadCoverage(
        road=road.id,
        name=road.name,
        road_class=road.road_class,
        district=road.district,
        length_m=round(road.length_m, 1),
        looked_at_m=round(share * road.length_m, 1),
        valid_share=round(share, 3),
        not_judged_m={name: round(float(part) * road.length_m, 1) for name, part in vain.items()},
        last_looked_utc=utc_text(last_s) if last_s else None,
        age_days=round(max(now_s - last_s, 0.0) / DAY_S, 1) if last_s else None,
    )


def ordered(found: Sequence[RoadCoverage], order: Order) -> list[RoadCoverage]:
    """`age`: what was not looked at for longest first; `share`: the least of it first; `name`: by the alphabet."""
    never = float("inf")

    def key(road: RoadCoverage) -> tuple[Any, ...]:
        name = ((road.name or "\U0010ffff").casefold(), road.road)
        if order == "age":
            return (-(never if road.age_days is None else road.age_days), *name)
        return (road.valid_share, *name) if order == "share" else name

    return sorted(found, key=key)


def as_csv(found: Sequence[RoadCoverage], period: Period) -> Iterator[str]:
    """A table for spreadsheets: UTF-8 with its mark, and no cell that would be computed."""
    head = (
        "road",
        "name",
        "class",
        "district",
        "length_m",
        "looked_at_m",
        "valid_share",
        "last_looked_utc",
        "age_days",
    )
    span = (("from", period.from_day), ("to", period.to_day or ""))
    yield "\ufeff" + _csv((*head, *(f"not_judged_{reason}_m" for reason in looked.REASONS), *(n for n, _ in span)))
    for road in found:
        words = (road.road, road.name, road.road_class, road.district)
        numbers = (road.length_m, road.looked_at_m, road.valid_share, road.last_looked_utc or "")
        reasons = (road.not_judged_m.get(reason, 0.0) for reason in looked.REASONS)
        age = "" if road.age_days is None else road.age_days
        yield _csv((*(cell(word or "") for word in words), *numbers, age, *reasons, *(day for _, day in span)))


def _csv(cells: Sequence[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
