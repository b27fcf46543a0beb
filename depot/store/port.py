# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The store's Protocol and the records that come out of it. Nothing here knows a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from depot.intake import Chunk, Intake
from messages.types import Coverage, Health, ModelRef, Observation, Position, Roughness

#: The states that a case can have; review adds to them.
CaseState = Literal["new"]


class Bbox(NamedTuple):
    """A box on the map, WGS 84 degrees; west may exceed east where it crosses the date line."""

    west: float
    south: float
    east: float
    north: float


class CaseQuery(Struct, frozen=True, kw_only=True):
    """Which cases. `after`: only those changed since that `sequence`; they come oldest change first."""

    bbox: Bbox | None = None
    classes: tuple[str, ...] = ()
    after: int | None = None
    limit: int = 1000


class Case(Struct, frozen=True, kw_only=True):
    """One physical defect with the observation that shows it best, where it lies by its newest revision.

    `revision`: the number of that, 0 where there is none. `first_position`: as the observation came.
    `shock_mps2`: the hardest blow that the wheels felt there; None: none was reported.
    """

    number: int
    changed: int
    state: CaseState
    sightings: int
    vehicle: str
    event: str
    received_utc: str
    observation: Observation
    #: Whether the picture's bytes have arrived.
    picture_stored: bool
    revision: int = 0
    first_position: Position | None = None
    shock_mps2: float | None = None


class Stretch(Struct, frozen=True, kw_only=True):
    """One stretch that a vehicle looked at."""

    number: int
    changed: int
    vehicle: str
    coverage: Coverage


class Ride(Struct, frozen=True, kw_only=True):
    """How some stretch felt to one vehicle."""

    number: int
    changed: int
    vehicle: str
    roughness: Roughness


class Vehicle(Struct, frozen=True, kw_only=True):
    """What is known of one vehicle. `seen_utc` is the depot's clock when it last heard from it."""

    name: str
    state: Literal["online", "stopped", "offline", "unknown"]
    seen_utc: str | None = None
    software: str | None = None
    calibration: str | None = None
    models: tuple[ModelRef, ...] = ()
    health: Health | None = None
    lon: float | None = None
    lat: float | None = None
    position_utc: str | None = None


class Summary(Struct, frozen=True, kw_only=True):
    """Counts of everything. `sequence` grows by each commit that changed something.

    `revisions_waiting`: those whose observation has not come from the same vehicle.
    """

    sequence: int
    events: int
    observations: int
    cases: int
    cases_without_position: int
    pictures: int
    pictures_awaited: int
    coverage: int
    revisions: int
    revisions_waiting: int
    roughness: int
    vehicles: int
    classes: dict[str, int]
    refused: dict[str, int]


class Store(Protocol):
    """A place that keeps everything once. Every method may be called from any thread."""

    def save(self, batch: Sequence[Intake]) -> None:
        """Store a batch in one transaction; when it returns, all of it would survive a power cut.

        What is there already stays as it is. Refusals are counted by reason.

        Raises:
            StoreError: nothing of the batch counts as stored; it may be tried again.
        """

    def held(self, chunk: Chunk) -> tuple[int, ...] | None:
        """Numbers of the chunks that are here of the same picture; None where the whole picture is.

        Raises:
            StoreError: cannot be read now.
        """

    def assembled(self, chunk: Chunk) -> bytes:
        """What is here of the picture that a chunk belongs to, in order. Raises StoreError."""

    def sequence(self) -> int:
        """A number that has grown whenever something changed."""

    def cases(self, query: CaseQuery) -> list[Case]:
        """Cases, newest first (or oldest change first, see `CaseQuery.after`)."""

    def case(self, number: int) -> Case | None:
        """One case."""

    def coverage(self, *, after: int, limit: int) -> list[Stretch]:
        """Stretches changed since `after`, oldest change first."""

    def roughness(self, *, after: int, limit: int) -> list[Ride]:
        """How stretches felt, changed since `after`, oldest change first; none is without a section or a shock."""

    def vehicles(self) -> list[Vehicle]:
        """All vehicles by name."""

    def summary(self) -> Summary:
        """Counts of everything."""

    def picture(self, sha256: str) -> bytes | None:
        """A picture's bytes."""

    def close(self) -> None:
        """Release the database. May be called twice."""
