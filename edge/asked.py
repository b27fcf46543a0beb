# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Places of which the depot has asked for a picture: kept until one was taken, their time is over, or withdrawn.

Nothing else ever makes the vehicle send a picture of a road without a defect. Written down before the command is
answered, so that a restart forgets none; few, so that nobody can have a street filmed by asking for all of it.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec
from msgspec import Struct

from edge.delivery.utc import parse_utc
from edge.durable import write_durably
from messages.types import AskedPlace, Command

_log = logging.getLogger(__name__)

#: Places that are kept at most.
MOST = 64


class Asked(Struct, frozen=True):
    """One place. `id`: the command's; `case`: the depot's name for what is there; `until`: UTC."""

    id: str
    case: str
    until: str
    place: AskedPlace


class AskedPlaces:
    """The list, in a file. `path` None: a run that nobody can ask for anything (a replay into a file)."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._open: dict[str, Asked] = {}
        if path is not None:
            self._open = _read(path)

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, identity: str) -> bool:
        return identity in self._open

    def ask(self, identity: str, command: Command) -> str:
        """Keep the place of a command, or withdraw that of its case; one line for whoever sent it.

        Raises:
            ValueError: one line: something is missing, there are too many, or the disk does not take it.
        """
        if command.case is None:
            raise ValueError("look without a case is not carried out")
        others = {key: asked for key, asked in self._open.items() if asked.case != command.case}
        if command.place is None:
            self._replace(others)
            return f"no picture is taken for case {command.case} any more"
        _check(command.place)
        if command.until is None or not _is_date(command.until):
            raise ValueError("look without a date of its end (until) is not carried out")
        if len(others) >= MOST:
            raise ValueError(f"{MOST} places are asked for already; try again when some have been seen")
        self._replace(others | {identity: Asked(identity, command.case, command.until, command.place)})
        return f"a picture for case {command.case} is taken at the next good look, until {command.until}"

    def now(self, utc: str | None) -> tuple[Asked, ...]:
        """Those that may be looked for now; none while the time is not known. Forgets those whose time is over."""
        if utc is None or not self._open:
            return ()
        now = parse_utc(utc)
        left = {key: asked for key, asked in self._open.items() if parse_utc(asked.until) > now}
        if len(left) < len(self._open):
            self._forget(left)
        return tuple(left.values())

    def answered(self, identity: str) -> None:
        """Its picture is on its way, durably."""
        self._forget({key: asked for key, asked in self._open.items() if key != identity})

    def _forget(self, left: dict[str, Asked]) -> None:
        self._open = left
        try:
            self._write(left)
        except OSError as error:  # after a restart it would be looked for again: a picture twice, none lost
            _log.warning("%s cannot be written: %s", self._path, error.strerror)

    def _replace(self, new: dict[str, Asked]) -> None:
        if new == self._open:
            return
        try:
            self._write(new)
        except OSError as error:
            raise ValueError(f"it cannot be written down, so it is not carried out: {error.strerror}") from None
        self._open = new

    def _write(self, asked: dict[str, Asked]) -> None:
        if self._path is not None:
            write_durably(self._path, msgspec.json.encode(list(asked.values())))


def _check(place: AskedPlace) -> None:
    """Raises ValueError where nobody could find the place."""
    on_earth = place.lon is not None and place.lat is not None
    if not on_earth and place.line is None:
        raise ValueError("look: the place has neither coordinates nor a line")
    if place.surface == "lining" and (place.line is None or place.clock is None):
        raise ValueError("look: a place on a lining needs its line and its hour (clock)")


def _is_date(utc: str) -> bool:
    try:
        return bool(parse_utc(utc))
    except ValueError:  # 30 February has the right form, too
        return False


def _read(path: Path) -> dict[str, Asked]:
    """What was written; nothing where it cannot be read: the depot asks again."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=list[Asked])
        return {asked.id: asked for asked in kept if parse_utc(asked.until)}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:  # msgspec's and Unicode's are ValueErrors
        _log.warning("%s cannot be read, what was asked for is forgotten: %s", path, error)
        return {}
