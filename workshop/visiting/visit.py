# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One vehicle: the bundle is copied, taken up where a copy was cut, installed, and watched until it is judged."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from messages.types import Update
from workshop.errors import WorkshopError
from workshop.visiting.line import Line, LostError
from workshop.visiting.parcel import Item, Parcel
from workshop.visiting.words import Say

T = TypeVar("T")
#: How often a connection is sought again, and how long after, seconds.
_TRIES, _PAUSE_S = 8, 5.0
#: The vehicle's own timer goes on with a staged release every five minutes; while somebody waits, at each such look.
_LOOK_S, _GOES_ON = 2.0, 15
#: Goes on with whatever comes next.
_UPDATE = "wegewart-update.service"
#: What the vehicle's shell returns for a file that arrived as another one.
_DAMAGED = 75
#: `wegewart-update install`: waits until it is parked; refused or gone back; another one is at work, or on trial still.
_STAGED, _REFUSED, _BUSY, _BUSY_S = 3, 4, 5, 10.0


@dataclass(frozen=True)
class Places:
    """On the vehicle. `parcel`: on its data partition, ours alone: what else lies there is removed."""

    parcel: str = "/opt/wegewart/visit"
    updater: str = "/opt/wegewart/updater/bin/wegewart-update"
    state: str = "/opt/wegewart/update/state.json"


@dataclass(frozen=True)
class Outcome:
    """How it ended. `code`: the vehicle's, 0 for a release that is active; times in seconds."""

    code: int
    text: str
    copy_s: float = 0.0
    install_s: float = 0.0


class Visit:
    """Comes to one vehicle. `connect` is called again after each loss; `asked`: options for the vehicle's updater."""

    def __init__(
        self,
        connect: Callable[[], Line],
        parcel: Parcel,
        say: Say,
        *,
        places: Places,
        asked: tuple[str, ...] = (),
        wait_s: float = 3600.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connect, self._parcel, self._say, self._places = connect, parcel, say, places
        self._asked, self._wait_s, self._pause = asked, wait_s, pause
        self._line: Line | None = None

    def go(self) -> Outcome:
        """All of it.

        Raises:
            WorkshopError: what could not be done.
        """
        began = time.monotonic()
        try:
            # The first time a wrong name, key or host key is no reason to try again.
            self._line = self._connect()
            self._held(self._copy)
            copied = time.monotonic()
            self._say("copied", seconds=copied - began)
            deadline = copied + self._wait_s
            while (code := self._held(self._install)) == _BUSY and time.monotonic() < deadline:
                self._pause(_BUSY_S)
            if code not in (0, _STAGED):
                return Outcome(code, self._say.text("refused", code=code), copied - began)
            update = self._judged(deadline)
            ended = time.monotonic()
            if update.state == "failed":
                text = self._say.text("failed", reason=update.reason, running=update.running or "-")
                return Outcome(_REFUSED, text, copied - began, ended - copied)
            self._held(lambda line: line.run(f"rm -rf {shlex.quote(self._places.parcel)}/*"))
            text = self._say.text("active", release=update.release, seconds=ended - began)
            return Outcome(0, text, copied - began, ended - copied)
        finally:
            self._hang_up()

    def _held(self, work: Callable[[Line], T]) -> T:
        """Do something; after a loss connect again and begin it again."""
        for _ in range(_TRIES):
            try:
                return self._on_line(work)
            except LostError as error:
                self._hang_up()
                self._say("lost", reason=error)
            self._pause(_PAUSE_S)
        return self._on_line(work)

    def _on_line(self, work: Callable[[Line], T]) -> T:
        if self._line is None:
            self._line = self._connect()
        return work(self._line)

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _copy(self, line: Line) -> None:
        folder = shlex.quote(self._places.parcel)
        self._must(line, f'sudo -n install -d -m 0700 -o "$(id -u)" {folder}')
        there, sizes = self._there(line)
        wanted = {name for item in self._parcel.items for name in (item.path, f"{item.path}.part")}
        if foreign := sizes.keys() - wanted:
            self._must(line, f"cd {folder} && rm -f -- {shlex.join(sorted(foreign))}")
        lacking = [item for item in self._parcel.items if there.get(item.path) != item.sha256]
        left = sum(item.size for item in lacking)
        self._say("copying", files=len(lacking), size=left / 1e6, there=(self._parcel.size - left) / 1e6)
        meter = _Meter(left, self._say)
        for item in lacking:
            begun = sizes.get(f"{item.path}.part", 0)
            if not (self._send(line, item, begun, meter) or self._send(line, item, 0, meter)):
                raise WorkshopError(self._say.text("damaged", path=item.path))

    def _send(self, line: Line, item: Item, begun: int, meter: _Meter) -> bool:
        """The rest of a file; whether it arrived as it is here. A part that does not fit is removed there."""
        path = f"{self._places.parcel}/{item.path}"
        part, whole, parent = (shlex.quote(each) for each in (f"{path}.part", path, path.rpartition("/")[0]))
        same = f'[ "$(sha256sum <{part})" = "{item.sha256}  -" ]'
        take = f"mkdir -p {parent} && cat >>{part} && if {same}; then sync {part} && mv -f {part} {whole};"
        with (self._parcel.folder / item.path).open("rb") as content:
            content.seek(begun)
            meter.add(min(begun, item.size))
            # After a cut this runs to its end over there: what is short must stay.
            wrong = f'elif [ "$(wc -c <{part})" -ge {item.size} ]; then rm -f {part}; exit {_DAMAGED}; else exit 1; fi'
            done = line.send(f"{take} {wrong}", content, meter.add)
        if done.returncode == _DAMAGED:
            meter.add(-item.size)
            return False
        _check(done)
        return True

    def _there(self, line: Line) -> tuple[dict[str, str], dict[str, int]]:
        """What lies on the vehicle: hashes and sizes, by path."""
        find = f"cd {shlex.quote(self._places.parcel)} && find . -type f"
        said = self._must(line, f"{find} -printf '%s  ./%P\\n' && echo && {find} -exec sha256sum {{}} +")
        sizes, _, hashes = said.partition("\n\n") if not said.startswith("\n") else ("", "", "")
        pairs = [[row.split("  ./", 1) for row in part.splitlines() if "  ./" in row] for part in (hashes, sizes)]
        return {path: digest for digest, path in pairs[0]}, {path: int(size) for size, path in pairs[1]}

    def _install(self, line: Line) -> int:
        """The whole way; what was cut goes on, what was done already is not done again."""
        updater = [self._places.updater, "--lang", self._say.lang]
        command = ["sudo", "-n", *updater, "install", "--bundle", self._places.parcel, *self._asked]
        return line.follow(shlex.join(command), self._say.told)

    def _judged(self, deadline: float) -> Update:
        """The vehicle's word on the release: active or failed."""
        last, looks = "", 0
        while True:
            update = self._held(self._state)
            if update is not None and update.release == self._parcel.release:
                if update.state in ("active", "failed"):
                    return update
                if update.state != last:
                    self._say(update.state)
                    last, looks = update.state, 0
                looks += 1
                if update.state == "staged" and looks % _GOES_ON == 0:
                    self._held(lambda line: line.run(f"sudo -n systemctl start --no-block {_UPDATE}"))
            if time.monotonic() > deadline:
                raise WorkshopError(self._say.text("waited", minutes=self._wait_s / 60, state=last or "-"))
            self._pause(_LOOK_S)

    def _state(self, line: Line) -> Update | None:
        try:
            return msgspec.json.decode(line.run(f"cat {shlex.quote(self._places.state)}").stdout, type=Update)
        except msgspec.DecodeError:
            return None

    @staticmethod
    def _must(line: Line, command: str) -> str:
        done = line.run(command)
        _check(done)
        return done.stdout


def _check(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise WorkshopError(lines[-1] if lines else f"{done.args}: exit code {done.returncode}")


class _Meter:
    """Says every tenth how far the copy is."""

    def __init__(self, size: int, say: Say) -> None:
        self._size, self._say, self._done, self._told = max(size, 1), say, 0, 0

    def add(self, size: int) -> None:
        self._done += size
        tenth = 10 * self._done // self._size
        if tenth > self._told:
            self._told = tenth
            self._say("progress", percent=10 * tenth, done=self._done / 1e6, size=self._size / 1e6)
