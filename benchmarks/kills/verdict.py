# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the witness saw confirmed against what the depot has and shows."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import Depot, wait_for


@dataclass(frozen=True)
class Confirmed:
    """One line of the witness: hashes of the event and of its picture."""

    id: str
    kind: str
    event: str
    picture: str | None


@dataclass(frozen=True)
class Verdict:
    """Records of all kinds, and of these the observations as the page shows them.

    `lost`: confirmed, but not at the depot, or with another content. `twice`: an id that was given twice, or is stored
    or shown more than once. `unseen`: stored, but killed before `confirm` had returned: at most one for each kill.
    """

    confirmed: int
    stored: int
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    unseen: int
    observations: int
    shown: int
    not_shown: tuple[str, ...]
    pictures: int
    pictures_lost: tuple[str, ...]

    def is_good(self, kills: int) -> bool:
        """Whether the promise held."""
        return (
            self.confirmed > 0
            and not (self.lost or self.twice or self.not_shown or self.pictures_lost)
            and self.shown == self.observations
            and self.unseen <= kills
        )

    def figures(self) -> dict[str, int]:
        """For a table."""
        return {
            "confirmed": self.confirmed,
            "shown": self.confirmed - len({*self.lost, *self.not_shown}),
            "lost": len({*self.lost, *self.not_shown}) + len(self.pictures_lost),
            "twice": len(self.twice),
        }


def table(verdict: Verdict) -> list[str]:
    """The figures, one line each; names of what is wrong below."""
    lines = [
        f"records confirmed (witness)            {verdict.confirmed}",
        f"records stored by the depot            {verdict.stored}, {verdict.unseen} of them before confirm returned",
        f"observations stored, shown             {verdict.observations}, {verdict.shown}",
        f"pictures confirmed                     {verdict.pictures}",
        f"lost                                   {len(verdict.lost) + len(verdict.not_shown)}",
        f"twice                                  {len(verdict.twice)}",
        f"pictures lost                          {len(verdict.pictures_lost)}",
    ]
    named = (
        ("lost", verdict.lost),
        ("not shown", verdict.not_shown),
        ("twice", verdict.twice),
        ("picture lost", verdict.pictures_lost),
    )
    return lines + [f"{what}: {key}" for what, keys in named for key in keys[:10]]


def read_journal(path: Path) -> list[Confirmed]:
    """All lines of the witness, in order."""
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return [Confirmed(key, kind, event, None if shown == "-" else shown) for _, key, kind, event, shown in lines]


def judge(journal: Path, depot: Depot) -> Verdict:
    """Compare; the depot runs and has nothing more to come."""
    confirmed = read_journal(journal)
    wait_for(lambda: depot.rows("SELECT count(*) FROM pending") == [(0,)], 300.0, "all events have become cases")
    stored = Counter[str]()
    contents: dict[str, str] = {}
    for key, payload in depot.rows("SELECT id, payload FROM events"):
        stored[key] += 1
        contents[key] = hashlib.sha256(payload).hexdigest()
    shown = _shown(depot)
    known = {record.id for record in confirmed}
    given = Counter(record.id for record in confirmed)
    observed = _observed(depot)
    pictures = {record.picture for record in confirmed if record.picture is not None}
    double = {key for counts in (given, stored, observed) for key, many in counts.items() if many > 1}
    return Verdict(
        confirmed=len(confirmed),
        stored=sum(stored.values()),
        lost=tuple(record.id for record in confirmed if contents.get(record.id) != record.event),
        twice=tuple(sorted(double)),
        unseen=len(set(stored) - known),
        observations=sum(observed.values()),
        shown=shown,
        not_shown=tuple(r.id for r in confirmed if r.kind == "observation" and not observed[r.id]),
        pictures=len(pictures),
        pictures_lost=tuple(sorted(picture for picture in pictures if not _opens(depot, picture))),
    )


def _observed(depot: Depot) -> Counter[str]:
    """How often each observation belongs to a case."""
    found = (
        "SELECT events.id FROM sightings JOIN events ON events.received = sightings.received"
        " JOIN cases ON cases.number = sightings.\"case\" WHERE cases.state <> 'merged'"
    )
    return Counter(key for (key,) in depot.rows(found))


def _shown(depot: Depot) -> int:
    """Sightings of all cases, as the page's own interface tells them."""
    features = depot.get("api/cases.geojson")["features"]
    return sum(int(feature["properties"]["sightings"]) for feature in features)


def _opens(depot: Depot, sha256: str) -> bool:
    with suppress(OSError):
        return hashlib.sha256(depot.read(f"pictures/{sha256}.jpg")).hexdigest() == sha256
    return False
