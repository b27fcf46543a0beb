# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is known of the update over boots: one small file on the data partition, which both systems see.

Replaced whole and durably. One that is damaged is set aside and begun anew, and then nothing but the running system is
taken to be complete: so the worst is that an update has to be installed again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from edge.os_update.slots import SLOTS

FOLDER = Path("/data/wegewart-os")
_FILE = "state.json"

#: Nothing was ever updated; the other system is being written; written and verified; asked for, not yet kept; kept; not
#: kept, or not written.
STATES = ("none", "writing", "installed", "pending", "active", "failed")


@dataclass(frozen=True)
class Record:
    """`state` is of the update into `slot`; `reason`: one line, why it failed or what it waits for."""

    state: str = "none"
    slot: str = ""
    #: What is in the slot, as its bundle calls it; empty: unknown.
    version: str = ""
    reason: str = ""
    #: How often a trial was asked for since one was last seen healthy, and at all.
    attempts: int = 0
    trials: int = 0
    #: For how long the new system was seen healthy, over all its trials.
    healthy_s: float = 0.0
    #: The boot that asked for the trial, and the boot that is one.
    asked_in: str = ""
    trial_in: str = ""
    #: Systems known to be complete, besides the running one.
    complete: tuple[str, ...] = ()
    #: What an install that is about to begin will write; the version that was kept last.
    offered: str = ""
    kept: str = ""

    def failed(self, reason: str) -> Record:
        """The update is not kept, for this reason."""
        return replace(self, state="failed", reason=reason)

    def without(self, slot: str) -> Record:
        """A system that is no longer complete."""
        return replace(self, complete=tuple(name for name in self.complete if name != slot))

    def having(self, slot: str) -> Record:
        """A system that is complete."""
        return replace(self.without(slot), complete=tuple(sorted({*self.complete, slot})))


class Store:
    """The file, for several programs at once. `damaged`: one line if it could not be read."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._path = folder / _FILE
        self.damaged: str | None = None

    def load(self) -> Record:
        """What is known; a new record where there is none or it is damaged."""
        try:
            return decoded(self._path.read_bytes())
        except FileNotFoundError:
            return Record()
        except (OSError, ValueError, RecursionError) as error:
            self.damaged = f"{self._path}: {error}; it is begun anew"
            return Record(reason="the record was damaged")

    def save(self, record: Record) -> None:
        """Replace it, durably.

        Raises:
            OSError: it cannot be written; the old one stays.
        """
        if self.damaged is not None:
            self._path.replace(self._path.with_suffix(".bad"))
            self.damaged = None
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(json.dumps(asdict(record), indent=1).encode("utf-8"))
            file.flush()
            os.fchmod(file.fileno(), 0o644)  # the daemon reads it for the depot
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes it meanwhile."""
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def decoded(content: bytes) -> Record:
    """A record out of its file; fields of a newer version are ignored.

    Raises:
        ValueError: it is none.
    """
    found = json.loads(content)
    if not isinstance(found, dict):
        raise ValueError("no table")  # noqa: TRY004 - the file's content is wrong, not an argument's type
    default = asdict(Record())
    known = {field.name: found.get(field.name, default[field.name]) for field in fields(Record)}
    known["complete"] = tuple(known["complete"]) if isinstance(known["complete"], list) else known["complete"]
    known["healthy_s"] = float(known["healthy_s"]) if isinstance(known["healthy_s"], int) else known["healthy_s"]
    for name, value in known.items():
        if type(value) is not type(default[name]):
            raise ValueError(f"{name} is {value!r}")
    record = Record(**known)
    if record.state not in STATES or record.slot not in {"", *SLOTS} or not {*record.complete} <= {*SLOTS}:
        raise ValueError(f"state {record.state!r} of slot {record.slot!r}, complete {record.complete!r}")
    return record
