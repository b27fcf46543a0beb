# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cuts an update before every step, and the recovery after it before every step of its own.

    python -m tests.update.cutting [--every N] [--scenes NAME,...] [--seconds S]

For each cut: recovery as at boot, `current` leads to a complete release whose program really starts; then the updater
goes on by itself and comes to the end that the scene has. And as the updater alone may be killed, the same without a
boot in between. The last line is JSON. A process of its own, of one thread: it forks a child for every cut.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from edge.update import recover
from edge.update.wishes import open_wish
from tests.update.steps import Steps
from tests.update.world import Depot, Vehicle

NEW, NUMBER = "2026.9.1", 9


@dataclass(frozen=True)
class Scene:
    """`wish`: the depot asks, nobody at the device; `ill`: how the new release is; `ends`: what runs at the end."""

    name: str
    before: int = 1
    wish: bool = False
    ill: str = ""
    model_only: bool = False
    finds: str = "finds more"
    ends: str = NEW


SCENES = (
    Scene("first", before=0),
    Scene("update", before=3),
    Scene("model", wish=True, model_only=True),
    Scene("ill", wish=True, ill="crashes", ends="2026.1.1"),
    Scene("blind", finds="finds nothing", ends="2026.1.1"),
)


@dataclass
class Counts:
    """What was done. `bricks`: what must be none, in words."""

    steps: dict[str, int] = field(default_factory=dict)
    cuts: int = 0
    second_cuts: int = 0
    starts: int = 0
    goes_on: int = 0
    bricks: list[str] = field(default_factory=list)


class Rig:
    """One scene in one folder, which is put back to a photograph before each try."""

    def __init__(self, scene: Scene, folder: Path, counts: Counts) -> None:
        self.scene, self.counts = scene, counts
        self.home, self.before, self.after = folder / "vehicle", folder / "before", folder / "after"
        self.depot = Depot(folder / "bundles")
        vehicle = self.vehicle()
        for number in range(1, scene.before + 1):
            bundle = self.depot.publish(f"2026.{number}.1", number)
            assert vehicle.install(bundle) == 0, vehicle.lines
            vehicle.daemon.boot()
            vehicle.daemon.pause(30)
        app = vehicle.current if scene.model_only else None
        bundle = self.depot.publish(NEW, NUMBER, app=app, onnx=scene.finds.encode())
        self.bundle = None if scene.wish else bundle
        if scene.wish:
            vehicle.wish(NEW)
        _copy(self.home, self.before)
        self._started: set[str] = set()

    def vehicle(self, boots: int = 0) -> Vehicle:
        vehicle = Vehicle(self.home, self.depot, boots=boots)
        vehicle.daemon.now_s += 1000.0 * boots
        vehicle.daemon.started_s = vehicle.daemon.now_s - 60
        if self.scene.ill:
            vehicle.daemon.bad[NEW] = self.scene.ill
        return vehicle

    def install(self) -> None:
        self.vehicle().install(self.bundle)

    def recover(self, boot: str) -> None:
        for _ in recover.recover(self.vehicle().layout.root, boot):
            pass

    # ---- checks

    def check(self, where: str, *, every_one: bool = False) -> None:
        """It leads to a complete release and starts, if there was ever one; so does `every_one` that says it could."""
        seen = recover.look(self.vehicle().layout.root)
        if seen.current is None:
            if seen.complete or self.scene.before:
                self.counts.bricks.append(f"{where}: current leads nowhere, complete are {seen.complete}")
            return
        if seen.updater is None:
            self.counts.bricks.append(f"{where}: updater leads nowhere")
        for release in seen.complete if every_one else (seen.current,):
            self._start(where, release)

    def _start(self, where: str, release: str) -> None:
        vehicle = self.vehicle()
        try:
            said = vehicle.starts(vehicle.layout.releases / release)
            self.counts.starts += 1
        except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
            self.counts.bricks.append(f"{where}: {release} does not start: {error}")
            return
        if said != (release if not (self.scene.model_only and release == NEW) else "2026.1.1"):
            self.counts.bricks.append(f"{where}: {release} says that it is {said}")

    def goes_on(self, where: str, *, boots: int) -> None:
        """The updater comes to the scene's end by itself (or with the stick that is still there)."""
        vehicle = self.vehicle(boots)
        if boots:
            vehicle.daemon.boot()
            vehicle.daemon.pause(30)
        for _ in range(3):
            vehicle.install(self.bundle)
        state = recover.read(vehicle.layout.state)
        good = self.scene.ends == NEW
        running = vehicle.daemon.release() if self.scene.before else vehicle.current
        if (vehicle.current, running, state.get("release")) != (self.scene.ends, self.scene.ends, NEW):
            self.counts.bricks.append(f"{where}: ends with {vehicle.current}, {running} runs, said {state}")
        elif state.get("state") != ("active" if good else "failed") or (NEW in vehicle.refused) == good:
            self.counts.bricks.append(f"{where}: ends with {state}, refused {vehicle.refused}")
        elif self.scene.wish and open_wish(vehicle.layout) is not None:
            self.counts.bricks.append(f"{where}: the wish is still open")
        elif recover.leftovers(vehicle.layout.root) or vehicle.layout.journal.exists():
            self.counts.bricks.append(f"{where}: something is left over")
        self.counts.goes_on += 1

    # ---- cuts

    def run(self, every: int, begin: int, deadline_s: float) -> None:
        _copy(self.before, self.home)
        steps = _child(self.install, 0)
        self.counts.steps[self.scene.name] = steps
        self.check("without a cut")
        seen: set[str] = set()
        for cut in (*range(begin, steps, every), steps):
            if time.monotonic() > deadline_s:
                break
            where = f"{self.scene.name} {cut}/{steps}"
            _copy(self.before, self.home)
            _child(self.install, cut)
            self.counts.cuts += 1
            _copy(self.home, self.after)
            mark = _mark(self.home)
            self._recovered(where, first=mark not in seen, every=every)
            _copy(self.after, self.home)
            self.goes_on(f"{where}, updater killed", boots=0)
            seen.add(mark)

    def _recovered(self, where: str, *, first: bool, every: int) -> None:
        steps = _child(lambda: self.recover("boot-1"), 0)
        self.check(f"{where}, recovered", every_one=True)
        self.goes_on(f"{where}, recovered", boots=1)
        # The same disk was recovered from already.
        for second in range(1, steps + 1, max(1, every // 3)) if first else ():
            _copy(self.after, self.home)
            _child(lambda: self.recover("boot-1"), second)
            self.counts.second_cuts += 1
            self.recover("boot-2")
            self.check(f"{where}, recovery {second}/{steps}")


def _child(work: Callable[[], None], cut: int) -> int:
    """Do it in a child that dies before step `cut`; how many steps it took, 0 where it was cut."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said = os.write
        steps = Steps(cut)
        steps.install()
        try:
            work()
            said(writing, str(steps.count).encode())
        except BaseException as error:  # noqa: BLE001
            said(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        count = int(pipe.read() or 0)
    os.waitpid(child, 0)
    if cut == 0 and not count:
        raise RuntimeError("it fails without a cut")
    return count


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)


def _mark(folder: Path) -> str:
    """The same for two disks with the same content."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path.relative_to(folder)).encode() + b"\0")
        if path.is_symlink():
            digest.update(str(path.readlink()).encode())
        elif path.is_file() and path.suffix in ("", ".json", ".new", ".py"):
            digest.update(path.read_bytes())
        elif path.is_file():
            digest.update(str(path.stat().st_size).encode())
    return digest.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1, help="every so many steps (default: all)")
    parser.add_argument("--begin", type=int, default=1, help="with this step (default: %(default)s)")
    parser.add_argument("--scenes", default=",".join(scene.name for scene in SCENES))
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    options = parser.parse_args()
    os.sync = lambda: None  # it would wait for whatever else this computer writes
    began_s, counts = time.monotonic(), Counts()
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    for scene in SCENES:
        if scene.name in options.scenes.split(","):
            with tempfile.TemporaryDirectory(dir=place) as folder:
                Rig(scene, Path(folder), counts).run(options.every, options.begin, began_s + options.seconds)
    for brick in counts.bricks[:50]:
        print(f"BRICK {brick}", file=sys.stderr)
    print(json.dumps({**asdict(counts), "seconds": round(time.monotonic() - began_s, 1)}))
    sys.exit(1 if counts.bricks else 0)


if __name__ == "__main__":
    main()
