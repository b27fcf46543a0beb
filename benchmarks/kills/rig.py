# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A vehicle that drives round after round, a broker and a depot; one of them is killed at random moments."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.servers import HOST, Broker, Depot, ServerError, wait_for
from edge.life.life import FILE as LAST_END

VEHICLE = "torture-1"
ROOT = Path(__file__).resolve().parents[2]
#: A drive that was begun again more often than this without a kill that hit is a mistake of the rig.
_WHOLE_DRIVES_IN_A_ROW = 20


class VehicleError(RuntimeError):
    """The daemon ended by itself, and not well."""


@dataclass
class Rig:
    """`counters`: kills by victim, drives that came to their end, rounds `offline`, `wiped` disks of the broker."""

    folder: Path
    drive: Path
    dice: random.Random
    end_s: float = 180.0
    counters: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.broker = Broker(self.folder)
        self.depot = Depot(self.folder, self.broker)
        self.journal = self.folder / "journal"
        self.log = self.folder / "vehicle.log"
        self.driven_s = 0.0
        self._life_s, self._confirming_s = 3.0, 1.0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Rig:  # noqa: PYI034 - Self is newer than Python 3.10
        self.broker.start()
        self.depot.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._kill_vehicle()
        self.depot.kill()
        self.broker.kill()

    def measure_life(self) -> float:
        """Seconds of one drive that nobody disturbs, from start to end; kills are drawn from as long a time."""
        began = time.monotonic()
        self._start()
        self._await_note(self._notes())
        first = time.monotonic()
        self._await_end(120.0)
        self._life_s, self._confirming_s = time.monotonic() - began, time.monotonic() - first
        return self._life_s

    def kill(self, victims: Sequence[str]) -> str:
        """Let it drive to a random moment, then kill one of the victims; returns which.

        In every second round the broker is frozen meanwhile: then nothing but the vehicle's own store knows what was
        confirmed.
        """
        victim = self.dice.choice(victims)
        if self.dice.random() < 0.5:
            self.broker.freeze()
            self.counters["offline"] += 1
        try:
            self._drive()
            getattr(self, f"_kill_{victim}")()
        finally:
            self.broker.thaw()
        self.counters[f"{victim} kills"] += 1
        return victim

    def _drive(self) -> None:
        """To a random moment: of the whole life of the process, or (mostly) after its first confirmation."""
        for _ in range(_WHOLE_DRIVES_IN_A_ROW):
            noted = self._notes()
            if self._process is None:
                self._start()
            if self.dice.random() < 0.2:
                lasts = self._lasts(self.dice.uniform(0.0, self._life_s))
            else:
                self._await_note(noted)
                first = time.monotonic()
                lasts = self._lasts(self.dice.uniform(0.0, self._confirming_s))
                if not lasts:  # the machine is faster than it was
                    self._confirming_s = time.monotonic() - first
            if lasts:
                return
            self.counters["whole drives"] += 1
        raise VehicleError(f"every drive was over before its kill; {self._life_s:.1f} s is too long for a drive")

    def _await_note(self, before: int) -> None:
        wait_for(lambda: self._notes() > before or self._is_over(), 120.0, "a confirmation")

    def _notes(self) -> int:
        """Bytes that the witness has written."""
        return self.journal.stat().st_size if self.journal.exists() else 0

    def _is_over(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def finish(self) -> dict[str, int | bool]:
        """Everything is well again: what the outbox holds goes to the depot. Returns the daemon's summary."""
        if self._process is not None:
            self._await_end(self.end_s)
        self.depot.wait_connected()
        self._start(drain_s=self.end_s)
        return self._await_end(self.end_s + 60.0)

    def _lasts(self, seconds: float) -> bool:
        """Wait so long; False where the drive came to its end before."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        self._await_end(0.1)
        return False

    def _await_end(self, timeout_s: float) -> dict[str, int | bool]:
        process, self._process = self._process, None
        assert process is not None
        try:
            told, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise VehicleError(f"the daemon did not end within {timeout_s:g} s; see {self.log}") from None
        if process.returncode != 0:
            said = self.log.read_text(errors="replace").strip().splitlines()
            raise VehicleError(f"the daemon ended with {process.returncode}: {said[-1] if said else 'without a word'}")
        summary: dict[str, int | bool] = json.loads(told.splitlines()[-1])
        return summary

    def _start(self, drain_s: float = 1.0) -> None:
        # Killed so often in a row the daemon would ask for a boot of the computer, rightly.
        (self.folder / "vehicle" / LAST_END).unlink(missing_ok=True)
        config = self.folder / "vehicle.toml"
        config.write_text(self._config(drain_s), encoding="utf-8")
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "benchmarks.kills.vehicle",
            self.journal,
            "run",
            "--config",
            config,
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
        self.counters["starts"] += 1

    def _config(self, drain_s: float) -> str:
        quoted = json.dumps
        return (
            f'vehicle = "{VEHICLE}"\n'
            f'[camera]\nkind = "replay"\nsource = {quoted(str(self.drive))}\n'
            '[position]\nkind = "replay"\n'
            # As much as possible is confirmed: what it is does not matter here.
            "[defects]\nmin_frames = 1\nmin_certainty = 0.1\n"
            "[vision]\nthreads = 1\n"
            f'[delivery]\nhost = "{HOST}"\nport = {self.broker.port}\ndata = {quoted(str(self.folder / "vehicle"))}\n'
            f"drain_s = {drain_s}\nhealth_s = 1.0\n"
        )

    def _kill_daemon(self) -> None:
        self._kill_vehicle()

    def _kill_vehicle(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.communicate()

    def _kill_broker(self) -> None:
        self.broker.kill()
        if self.dice.random() < 0.5:
            self.broker.wipe()
            self.counters["wiped"] += 1
        self.broker.start()

    def _kill_depot(self) -> None:
        self.depot.kill()
        self.depot.start(wait=False)


__all__ = ["VEHICLE", "Rig", "ServerError", "VehicleError"]
