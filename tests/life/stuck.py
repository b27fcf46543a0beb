# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A daemon in small, of the real parts: drives well until it is told which stage is to hang for ever.

    python -m tests.life.stuck FOLDER STAGE

Its camera, model and outbox are watched as in the daemon; frames come as fast as they are judged.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

import numpy as np

from edge.delivery.jsonl import JsonlSink
from edge.delivery.outbox import Outbox
from edge.life.life import Life
from edge.life.watched import WatchedCamera, WatchedDelivery, WatchedDetector
from edge.life.watcher import Watcher
from edge.liveness import Liveness, Notifier, hang_limit_s, watchdog_period_s
from edge.types import Frame


def hang() -> NoReturn:
    while True:
        threading.Event().wait(1000)


class Camera:
    dropped = bad = 0

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.hangs = False

    def read(self) -> Frame:
        time.sleep(0.01)
        if self.hangs and self.stage == "camera":
            hang()
        return Frame(np.zeros((4, 4, 3), np.uint8), time.monotonic(), 0, "stuck")

    def close(self) -> None: ...


class Detector:
    def __init__(self, camera: Camera) -> None:
        self.camera = camera

    def detect(self, picture: object) -> tuple[()]:
        if self.camera.hangs and self.camera.stage == "inference":
            hang()
        if self.camera.hangs and self.camera.stage == "python":
            ctypes.PyDLL(None).sleep(1000)  # never gives Python's lock back
        return ()


class Store(JsonlSink):
    """Counts from a real outbox."""

    def __init__(self, outbox: Outbox, file: Path) -> None:
        super().__init__(file, vehicle="bus-1")
        self.outbox = outbox

    def counts(self):
        return self.outbox.counts()


def main(folder: Path, stage: str) -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    liveness = Liveness(
        ("camera", "pipeline", "store"), notifier=Notifier(), period_s=watchdog_period_s(), clock=time.monotonic
    )
    limit_s = hang_limit_s()
    assert limit_s is not None
    outbox = Outbox(folder / "outbox.db")
    life = Life(folder)
    camera = Camera(stage)
    watched = WatchedCamera(camera, liveness)
    detector = WatchedDetector(Detector(camera), liveness)
    delivery = WatchedDelivery(Store(outbox, folder / "out.jsonl"), liveness)
    Watcher(liveness, limit_s=limit_s, stalled=life.stalled)
    with liveness.working("loop"):
        for number in range(1_000_000):
            frame = watched.read()
            with liveness.working("pipeline"):
                detector.detect(frame.picture)
            delivery.counts()
            liveness.ready("driving")
            life.tick()
            if number == 50:
                camera.hangs = True
                if stage == "store":
                    # The uplink's thread waits for the disk, with the store's lock.
                    threading.Thread(target=_hold, args=(outbox,), daemon=True).start()
                if stage == "loop":
                    hang()


def _hold(outbox: Outbox) -> None:
    with outbox._lock:
        hang()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
