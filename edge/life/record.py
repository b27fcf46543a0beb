# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How the runs before this one ended: a small file that outlives the process, the computer's boot and a power cut.

It is written at the start, at an end that we see coming, when a run has gone well, and every ten minutes: so a few
hundred bytes some 6 times an hour. A file that cannot be read is begun anew; one that cannot be written is a fault.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge.durable import write_durably
from edge.life.ladder import DAY_S, History

_log = logging.getLogger(__name__)

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SAVE_EVERY_S = 600.0
#: Runs whose UTC nobody knows; more than that within one boot of the computer are not dated.
_MOST_UNDATED = 50
#: Without a record nobody knows how often the computer was booted lately: taken to be more often than anybody allows.
#: So a disk that forgets the record cannot make us boot for ever.
_UNKNOWN = [0.0] * 100


class _State(msgspec.Struct):
    """What the file holds; unknown fields of a newer version are ignored."""

    #: The kernel's name for this boot of the computer.
    computer: str = ""
    #: Set while a run goes on: whoever finds it set knows that the run did not end by itself.
    running: bool = False
    operating_s: float = 0.0
    row: int = 0
    reboots: list[float] = []
    reboots_asked: int = 0
    stalls: dict[str, int] = {}
    ends: dict[str, int] = {}
    last: str = ""
    undated: list[str] = []


def computer_boot_id(path: Path = _BOOT_ID) -> str:
    """The kernel's name for this boot; empty where it gives none."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


class Record:
    """The file, read and judged at the start of a run.

    `last`: why the run before ended, one line; empty where it ended well. `fault`: one line while the file cannot be
    written.
    """

    def __init__(self, path: Path, *, computer: str | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._state = self._read()
        self._base_s = self._state.operating_s - clock()
        self._saved_s = clock()
        self.fault: str | None = None
        self._judge(computer_boot_id() if computer is None else computer)
        self.last = self._state.last
        self._state.running = True
        self._save()

    @property
    def history(self) -> History:
        """What the ladder decides by."""
        return History(self._state.row, self._operating_s, tuple(self._state.reboots))

    def counters(self) -> dict[str, int]:
        """Over all runs ever: `stalls_*` by stage, `ends_*` by kind, `reboots_asked`."""
        state = self._state
        stalls = {f"stalls_{stage}": number for stage, number in state.stalls.items()}
        ends = {f"ends_{kind}": number for kind, number in state.ends.items()}
        return {**stalls, **ends, "reboots_asked": state.reboots_asked}

    def failed(self, kind: str, line: str, *, stage: str | None = None) -> None:
        """This run ends by a failure: of a stage that stalled, or another `kind`."""
        state = self._state
        if stage is not None:
            state.stalls[stage] = state.stalls.get(stage, 0) + 1
        state.ends[kind] = state.ends.get(kind, 0) + 1
        state.row += 1
        state.last, state.running = line, False
        self._save()

    def reboot_asked(self) -> bool:
        """The computer is to boot anew. False: it could not be written, so it must not be asked for."""
        now_s = self._operating_s
        self._state.reboots = [*(at_s for at_s in self._state.reboots if now_s - at_s < DAY_S), now_s]
        self._state.reboots_asked += 1
        self._state.running = False
        return self._save()

    def well(self) -> None:
        """This run goes well: the row of failures is over."""
        if self._state.row or self._state.last:
            self._state.row, self._state.last = 0, ""
            self._save()

    def ended(self) -> None:
        """This run ends on purpose: whoever ended it wants the next one to try at once."""
        self._state.running, self._state.row, self._state.last = False, 0, ""
        self._save()

    def tick(self) -> None:
        """Keep the operating time now and then."""
        if self._clock() - self._saved_s >= _SAVE_EVERY_S:
            self._save()

    def undated(self, boot: str) -> tuple[str, ...]:
        """Earlier runs since the computer booted that never learnt their UTC; this one joins them until `dated`."""
        earlier = tuple(self._state.undated)
        self._state.undated = [*earlier, boot][-_MOST_UNDATED:]
        self._save()
        return earlier

    def dated(self) -> None:
        """The depot can date all of them."""
        if self._state.undated:
            self._state.undated = []
            self._save()

    @property
    def _operating_s(self) -> float:
        return self._base_s + self._clock()

    def _judge(self, computer: str) -> None:
        """What the end of the run before was, if it could not say it itself."""
        state = self._state
        same = bool(computer) and computer == state.computer
        if state.running:
            kind = "killed" if same else "power_lost"
            state.ends[kind] = state.ends.get(kind, 0) + 1
            state.last = "it was killed, or had no memory left" if same else "the power was cut"
            state.row += same
        if not same:
            # A fresh computer: whatever hung in a driver is gone, and its monotonic clock began anew.
            state.row, state.undated, state.computer = 0, [], computer

    def _read(self) -> _State:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_State)
        except FileNotFoundError:
            return _State(reboots=_UNKNOWN)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            _log.warning("%s: %s; the counts of earlier runs begin anew", self._path, error)
            return _State(ends={"record_lost": 1}, reboots=_UNKNOWN)

    def _save(self) -> bool:
        self._saved_s = self._clock()
        self._state.operating_s = self._operating_s
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_durably(self._path, msgspec.json.encode(self._state))
        except OSError as error:
            self.fault = f"{self._path}: {error.strerror}; how this run ends will not be known"
            return False
        self.fault = None
        return True
