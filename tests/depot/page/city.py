# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A made-up quarter of a city with its roads, its defects and weeks of drives, as the messages that vehicles send.

The streets are invented and lie where Duisburg does. The same seed gives the same messages.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from depot.intake import Accepted, Intake, Picture
from messages import envelope
from messages.types import (
    Anonymised,
    Coverage,
    Health,
    LinePosition,
    LineStretch,
    LiningPlace,
    Look,
    ModelRef,
    Observation,
    PictureRef,
    Position,
    Roughness,
    RoughSection,
    Severity,
    Size,
    Status,
    Time,
)
from tests.depot.page.photos import Photos, drawn

ORIGIN = (6.7623, 51.4344)
_METRES_PER_DEGREE = math.pi * 6_371_008.8 / 180
_PER_LON = _METRES_PER_DEGREE * math.cos(math.radians(ORIGIN[1]))
SOFTWARE = "0.9.0"

#: Name, class as OpenStreetMap has it, and the street's line in metres east and north of ORIGIN.
STREETS: tuple[tuple[str, str, tuple[tuple[float, float], ...]], ...] = (
    ("Hafenstraße", "primary", ((-900, -420), (-500, -330), (-80, -300), (340, -330), (900, -240))),
    ("Kantstraße", "secondary", ((-860, 120), (-420, 90), (0, 130), (420, 90), (880, 170))),
    ("Am Rathaus", "tertiary", ((-620, 480), (-200, 430), (260, 470), (760, 420))),
    ("Lindenallee", "secondary", ((-560, -760), (-520, -330), (-420, 90), (-380, 440), (-420, 800))),
    ("Brückenstraße", "tertiary", ((0, -720), (-80, -300), (0, 130), (20, 450), (-40, 820))),
    ("Ruhrorter Weg", "tertiary", ((480, -740), (440, -322), (420, 90), (470, 448), (560, 780))),
    ("Schulstraße", "residential", ((-240, -316), (-230, 110), (-210, 432))),
    ("Gartenweg", "residential", ((210, -320), (215, 110), (240, 468))),
    ("Mühlenstraße", "residential", ((-540, -120), (-260, -100), (-60, -90))),
    ("Nordring", "residential", ((-400, 640), (-60, 660), (220, 640), (520, 650))),
    ("Uferstraße", "residential", ((-520, -560), (-220, -540), (-40, -520), (240, -560), (460, -540))),
    ("Marktgasse", "residential", ((20, 280), (240, 290), (440, 270))),
)
DISTRICTS = {"Mitte": (-1000, -200, 1000, 380), "Süd": (-1000, -900, 1000, -200), "Nord": (-1000, 380, 1000, 1000)}
#: Streets that nobody has passed for so many days; more than the story has: never.
_QUIET_DAYS = {6: 9, 8: 35, 9: 15, 11: 1000}
VEHICLES = ("kehr-3", "muell-12", "bus-7")
TUNNEL = "U79"


@dataclass(frozen=True)
class Defect:
    """A true defect: what each pass sees, more or less well."""

    number: int
    label: str
    street: int
    along: float
    beside_m: float
    length_m: float
    width_m: float
    grade: int
    growing: bool = False
    seen_until: int = 0  # days ago; 0: still there
    chainage_m: float | None = None
    clock: float = 0.0


def place(east: float, north: float) -> tuple[float, float]:
    """Degrees of metres."""
    return ORIGIN[0] + east / _PER_LON, ORIGIN[1] + north / _METRES_PER_DEGREE


def point_on(line: tuple[tuple[float, float], ...], share: float) -> tuple[float, float, float]:
    """East, north and heading (degrees) at a share of the line's length."""
    legs = [math.dist(a, b) for a, b in itertools.pairwise(line)]
    left = share * sum(legs)
    for (a, b), leg in zip(itertools.pairwise(line), legs, strict=True):
        if left <= leg:
            part = left / leg
            heading = math.degrees(math.atan2(b[0] - a[0], b[1] - a[1])) % 360
            return a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1]), heading
        left -= leg
    return *line[-1], 0.0


def roads_geojson() -> dict[str, Any]:
    """The network as an extract of OpenStreetMap would have it."""

    def district(line: tuple[tuple[float, float], ...]) -> str:
        east, north, _ = point_on(line, 0.5)
        return next(name for name, (w, s, e, n) in DISTRICTS.items() if w <= east <= e and s <= north <= n)

    return {"type": "FeatureCollection", "features": [
        {"type": "Feature", "id": f"way/{1000 + at}",
         "properties": {"name": name, "highway": kind, "district": district(line)},
         "geometry": {"type": "LineString", "coordinates": [place(*point) for point in line]}}
        for at, (name, kind, line) in enumerate(STREETS)
    ]}  # fmt: skip


def areas_geojson() -> dict[str, Any]:
    """The districts."""
    return {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Polygon", "coordinates": [
            [place(w, s), place(e, s), place(e, n), place(w, n), place(w, s)]]}}
        for name, (w, s, e, n) in DISTRICTS.items()
    ]}  # fmt: skip


class City:
    """Makes the messages. `now`: the last moment of the story."""

    def __init__(self, *, seed: int = 7, defects: int = 48, days: int = 40, photos: Photos = drawn,
                 now: datetime = datetime(2026, 10, 12, 9, 30, tzinfo=timezone.utc)) -> None:  # fmt: skip
        self._rng = random.Random(seed)
        self.now = now
        self._days = days
        self._photos = photos
        self._next = 0
        self.defects = [self._defect(number) for number in range(defects)]

    def moment(self, days_ago: int = 0) -> datetime:
        """A moment of the story, later at each call."""
        self._next += 1
        return self.now - timedelta(days=days_ago) + timedelta(seconds=self._next)

    def intakes(self) -> Iterator[Intake]:
        """Everything, in the order in which it happened."""
        for days_ago in range(self._days, -1, -1):
            for at, vehicle in enumerate(VEHICLES):
                if (days_ago + at) % 3 == 0 or days_ago == 0:
                    yield from self.drive(vehicle, days_ago, at)
        yield from self.tunnel_rides()
        yield from self.vehicles()

    def drive(self, vehicle: str, days_ago: int, at: int) -> Iterator[Intake]:
        """One tour of a vehicle over half of the streets."""
        start = self.now - timedelta(days=days_ago, hours=3 - at)
        boot = f"{vehicle}-{days_ago}"
        streets = [
            number
            for number in range(len(STREETS))
            if ((number + days_ago + at) % 2 == 0 or number < 3) and days_ago >= _QUIET_DAYS.get(number, 0)
        ]
        for turn, street in enumerate(streets):
            moment = start + timedelta(minutes=4 * turn)
            yield from self._coverage(vehicle, boot, street, moment)
            for defect in self.defects:
                gone = defect.seen_until and days_ago < defect.seen_until
                if defect.street == street and defect.chainage_m is None and not gone and self._rng.random() < 0.8:
                    yield from self.sighting(defect, vehicle, boot, moment + timedelta(seconds=30), days_ago)

    def sighting(
        self, defect: Defect, vehicle: str, boot: str, moment: datetime, days_ago: int, *, photo: bool = True
    ) -> Iterator[Intake]:
        """A defect as a vehicle saw it, with its picture."""
        rng = self._rng
        east, north, heading = point_on(STREETS[defect.street][2], defect.along)
        error = rng.choice((0.8, 1.2, 1.8, 2.4))
        lon, lat = place(east + defect.beside_m + rng.gauss(0, error / 3), north + rng.gauss(0, error / 3))
        grown = 1 - 0.5 * days_ago / max(self._days, 1) if defect.growing else 1.0
        length, width = (max(0.05, side * grown * rng.gauss(1, 0.05)) for side in (defect.length_m, defect.width_m))
        picture = self._photos(defect.label, defect.number, self._next) if photo else None
        observation = Observation(
            defect_class=defect.label, score=round(rng.uniform(0.55, 0.97), 2), frames_seen=rng.randint(3, 14),
            time=timed(boot, moment), model=_MODEL, software=SOFTWARE, calibration=f"{vehicle}-front",
            position=Position(lon=lon, lat=lat, error_m=error, method="gnss", quality="differential"),
            heading_deg=round(heading, 1), speed_mps=round(rng.uniform(5, 12), 1),
            size=Size(length_m=round(length, 2), width_m=round(width, 2), error_m=0.07),
            severity=Severity(grade=defect.grade, rule="pothole-by-area"),
        )  # fmt: skip
        yield from self._with_picture(vehicle, boot, observation, picture)

    def look(
        self, defect: Defect, asked: str, vehicle: str, moment: datetime, *, found: tuple[str, ...] = ()
    ) -> Iterator[Intake]:
        """What a vehicle sends that was asked for a picture of the defect's place."""
        east, north, heading = point_on(STREETS[defect.street][2], defect.along)
        lon, lat = place(east + defect.beside_m, north)
        photo = self._photos(defect.label if found else "patch", defect.number, self._next) or drawn("patch", 0, 0)
        boot = f"{vehicle}-later"
        sha256 = hashlib.sha256(photo.content).hexdigest()
        yield self.event(vehicle, boot, Look(
            asked=asked, found=found, frames_judged=4, time=timed(boot, moment), model=_MODEL, software=SOFTWARE,
            calibration=f"{vehicle}-front", heading_deg=round(heading, 1), speed_mps=8.0,
            position=Position(lon=lon, lat=lat, error_m=1.2, method="gnss"),
            picture=PictureRef(
                sha256=sha256, bytes=len(photo.content), width=photo.width, height=photo.height, box=photo.box,
                anonymised=Anonymised(method="mosaic-outside-place-1", area_share=0.7),
            ),
        ))  # fmt: skip
        yield Picture(vehicle, sha256, photo.content, photo.width, photo.height)

    def tunnel_rides(self) -> Iterator[Intake]:
        """A tram line's tunnel: three rides along 600 m of it."""
        rng = random.Random(5)
        kinds = ("spalling", "water_leakage", "crack", "efflorescence", "crack", "water_leakage", "exposed_rebar")
        found = [
            (rng.choice(kinds), 3000 + rng.uniform(0, 600), rng.uniform(0, 12), rng.randint(1, 4)) for _ in range(22)
        ]
        for ride in range(3):
            moment = self.now - timedelta(days=2 + 9 * ride, hours=8)
            boot = f"bus-7-tunnel-{ride}"
            stretch = LineStretch(line=TUNNEL, from_m=2980, to_m=3640, error_m=3.0, track="1")
            yield self.event("bus-7", boot, Coverage(
                path=(), length_m=660, frames_judged=330, valid=True, time=timed(boot, moment), line=stretch,
                surface="lining",
            ))  # fmt: skip
            for at, (label, chainage, true_clock, grade) in enumerate(found):
                clock = (true_clock + rng.gauss(0, 0.05)) % 12
                side = "crown" if clock > 11 or clock < 1 else "right" if clock < 6 else "left"
                photo = self._photos(label, at, ride)
                observation = Observation(
                    defect_class=label, score=round(rng.uniform(0.6, 0.95), 2), frames_seen=rng.randint(3, 9),
                    time=timed(boot, moment + timedelta(seconds=at)), model=_TUNNEL_MODEL, software=SOFTWARE,
                    calibration="bus-7-front", surface="lining", heading_deg=12.0, speed_mps=11.0,
                    line=LinePosition(
                        line=TUNNEL, chainage_m=round(chainage + rng.gauss(0, 0.6), 1), error_m=2.0, track="1",
                        side=None if side == "crown" else side,
                    ),
                    lining=LiningPlace(
                        clock=round(clock, 2), side=side,
                        height_m=round(2.2 + 2.2 * math.cos(math.radians(30 * clock)), 2),
                    ),
                    size=Size(
                        length_m=round(rng.uniform(0.2, 1.6), 2), width_m=round(rng.uniform(0.05, 0.8), 2), error_m=0.09
                    ),
                    severity=Severity(grade=grade, rule="lining-by-area"),
                )  # fmt: skip
                yield from self._with_picture("bus-7", boot, observation, photo)

    def vehicles(self) -> Iterator[Intake]:
        """How the vehicles are now."""
        states = (
            ("kehr-3", "online", 61.0, ()),
            ("muell-12", "online", 84.5, ("camera front: no frame for 12 s",)),
            ("bus-7", "stopped", 47.0, ()),
        )
        for vehicle, state, hot, faults in states:
            boot = f"{vehicle}-0"
            yield self.event(
                vehicle, boot, Status(state=state, boot=boot, session=1, software=SOFTWARE, models=(_MODEL,))
            )
            yield self.event(vehicle, boot, Health(
                time=timed(boot, self.now), faults=faults,
                counters={"frames_seen": 24_180, "frames_judged": 18_231, "events_pending": 3},
                gauges={"temperature_c": hot, "disk_free_mb": 9120.0, "position_error_m": 1.4, "speed_mps": 7.8},
            ))  # fmt: skip

    def _coverage(self, vehicle: str, boot: str, street: int, moment: datetime) -> Iterator[Intake]:
        line = STREETS[street][2]
        reason = self._rng.choices((None, "dark", "blocked", "too_fast"), (20, 1, 1, 1))[0]
        parts = ((0.0, 0.7, None), (0.7, 1.0, reason))
        for turn, (start, end, why) in enumerate(parts):
            path = tuple(place(*point_on(line, start + (end - start) * step / 12)[:2]) for step in range(13))
            metres = (end - start) * sum(math.dist(a, b) for a, b in itertools.pairwise(line))
            yield self.event(vehicle, boot, Coverage(
                path=path, length_m=round(metres, 1), frames_judged=int(metres / 2), valid=why is None, reason=why,
                time=timed(boot, moment + timedelta(seconds=20 * turn)),
            ))  # fmt: skip
            if STREETS[street][1] == "residential":
                felt = RoughSection(
                    path=path, length_m=min(metres, 1e4), speed_mps=8.0, rms_mps2=round(self._rng.uniform(0.4, 3.5), 2)
                )
                yield self.event(vehicle, boot, Roughness(
                    rule="rms-10m", reference_speed_mps=13.9, time=timed(boot, moment), sections=(felt,), shocks=()
                ))  # fmt: skip

    def _defect(self, number: int) -> Defect:
        rng = self._rng
        label = rng.choices(("pothole", "alligator_crack", "longitudinal_crack", "transverse_crack"), (10, 5, 6, 4))[0]
        length, width = {"pothole": (0.6, 0.45), "alligator_crack": (2.4, 1.1), "longitudinal_crack": (3.2, 0.12)}.get(
            label, (2.0, 0.1)
        )
        scale = rng.uniform(0.6, 1.7)
        return Defect(
            number, label, rng.randrange(len(STREETS)), rng.uniform(0.03, 0.97), rng.uniform(-2.5, 2.5),
            length * scale, width * scale, min(5, 1 + int(scale * 2.6)), growing=rng.random() < 0.3,
            seen_until=rng.choice((0, 0, 0, 0, 0, 12)),
        )  # fmt: skip

    def _with_picture(self, vehicle: str, boot: str, observation: Observation, photo: Any) -> Iterator[Intake]:
        if photo is None:
            yield self.event(vehicle, boot, observation)
            return
        sha256 = hashlib.sha256(photo.content).hexdigest()
        told = PictureRef(
            sha256=sha256, bytes=len(photo.content), width=photo.width, height=photo.height, box=photo.box,
            anonymised=Anonymised(method="mosaic-1", people=0, vehicles=1, area_share=0.02),
        )  # fmt: skip
        yield self.event(vehicle, boot, _replace(observation, picture=told))
        yield Picture(vehicle, sha256, photo.content, photo.width, photo.height)

    def event(self, vehicle: str, boot: str, data: Any) -> Accepted:
        self._next += 1
        event = envelope.Event(id=envelope.event_id(boot, self._next), source=envelope.source_of(vehicle), data=data)
        return Accepted(event, envelope.encode(event))


def timed(boot: str, moment: datetime) -> Time:
    text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Time(boot=boot, monotonic_s=moment.timestamp() % 100_000, quality="gnss", utc=text)


def _replace(observation: Observation, **changes: Any) -> Observation:
    import msgspec

    return msgspec.structs.replace(observation, **changes)


_MODEL = ModelRef(name="street", version="0.3.0", sha256="3f" * 32)
_TUNNEL_MODEL = ModelRef(name="tunnel", version="0.1.0", sha256="9c" * 32)
__all__ = ["City", "Defect", "areas_geojson", "replace", "roads_geojson"]
