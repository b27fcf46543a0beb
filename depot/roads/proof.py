# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The proof of inspection as a file in which no row can be changed, left out or slipped in unseen.

Each row is a line of CSV and a digest: SHA-256 of the digest before, a line feed, and the line itself (UTF-8). Who
keeps any one digest elsewhere (each sealing writes its last into the record of changes) can show that all rows up to
it are as they were. Nothing here needs the depot: docs/condition.md says how to check a file with a dozen lines.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator

from msgspec import Struct

from depot.roads.looked import REASONS

RULE = "wegewart-proof-1"
#: The digest before the first row.
START = "0" * 64
COLUMNS = (
    "number", "day", "road", "name", "district", "revision", "length_m", "looked_at_m", "looked_at_share",
    *(f"{reason}_m" for reason in REASONS), "vehicles", "looks", "first_utc", "last_utc", "sealed_utc", "rule",
)  # fmt: skip
#: A spreadsheet takes what begins so for a formula.
_FORMULA = ("=", "+", "-", "@")


class Inspection(Struct, frozen=True, kw_only=True):
    """What one day brought for a road. `looks`: stretches that vehicles told of it."""

    road: str
    name: str | None
    district: str | None
    day: str
    length_m: float
    looked_at_m: float
    not_judged_m: dict[str, float]
    vehicles: tuple[str, ...]
    looks: int
    first_utc: str | None
    last_utc: str | None

    @property
    def content(self) -> str:
        """A digest of all it says."""
        return hashlib.sha256("\n".join(self._fields()).encode()).hexdigest()

    def line(self, number: int, revision: int, sealed_utc: str) -> str:
        """The row of the file, without its digest."""
        day, road, name, district, *rest = self._fields()
        return _csv((str(number), day, road, name, district, str(revision), *rest, sealed_utc, RULE))

    def _fields(self) -> tuple[str, ...]:
        share = self.looked_at_m / self.length_m if self.length_m > 0 else 0.0
        return (
            self.day,
            cell(self.road),
            cell(self.name or ""),
            cell(self.district or ""),
            f"{self.length_m:.1f}",
            f"{self.looked_at_m:.1f}",
            f"{share:.3f}",
            *(f"{self.not_judged_m.get(reason, 0.0):.1f}" for reason in REASONS),
            " ".join(self.vehicles),
            str(self.looks),
            self.first_utc or "",
            self.last_utc or "",
        )


def next_digest(before: str, line: str) -> str:
    """The digest of a line after the one before."""
    return hashlib.sha256(f"{before}\n{line}".encode()).hexdigest()


HEAD = ",".join((*COLUMNS, "digest"))


def write(rows: Iterable[tuple[str, str]], before: str = START) -> Iterator[str]:
    """The file, line by line, of (line, digest). The first line of data says which digest came before."""
    yield f"{HEAD}\r\n"
    yield f"# {json.dumps({'rule': RULE, 'before': before})}\r\n"
    for line, digest in rows:
        yield f"{line},{digest}\r\n"


class Checked(Struct, frozen=True, kw_only=True):
    """What a check found: the rows, the digest of the last good one, and the first that is wrong."""

    rows: int
    first: int | None
    last: int | None
    digest: str
    problem: str | None = None


def check(lines: Iterable[str]) -> Checked:
    """Check a file as `write` gives it."""
    lines = iter(lines)
    if next(lines, "").rstrip("\r\n") != HEAD:
        return Checked(rows=0, first=None, last=None, digest=START, problem="line 1: this is no proof of inspection")
    digest = _before(next(lines, ""))
    if digest is None:
        return Checked(rows=0, first=None, last=None, digest=START, problem="line 2: does not say what came before")
    rows, first, last = 0, None, None
    for number, text in enumerate(lines, start=3):
        line, _, told = text.rstrip("\r\n").rpartition(",")
        head = line.partition(",")[0]
        found = int(head) if head.isascii() and head.isdigit() and len(head) < 19 else None
        problem = None
        if next_digest(digest, line) != told:
            problem = f"line {number} (row {head[:20]}): was changed, or a row before it is missing"
        elif found is None or (last is not None and found != last + 1):
            problem = f"line {number}: its number {head[:20]!r} does not follow {last}"
        if problem is not None:
            return Checked(rows=rows, first=first, last=last, digest=digest, problem=problem)
        rows, first, last, digest = rows + 1, found if first is None else first, found, told
    return Checked(rows=rows, first=first, last=last, digest=digest)


def _before(text: str) -> str | None:
    try:
        before = json.loads(text.removeprefix("#"))["before"]
    except (ValueError, KeyError, TypeError):
        return None
    return before if isinstance(before, str) and len(before) == len(START) else None


def cell(text: str) -> str:
    """One line that no spreadsheet computes."""
    plain = " ".join(text.split())
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def _csv(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()
