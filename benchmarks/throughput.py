# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the chain costs around the model, how fast it starts and how much memory it takes.

    python -m benchmarks.throughput DRIVE [--threads N] [--rounds N]

End to end: `wegewart-edge replay`'s own code in this process, from reading a picture to the event on the disk, at the
distance between frames that the drive has. Beside it, in turns, the bare session of the same model on the same number
of pictures with the same threads. Start and memory are those of a fresh `wegewart-edge replay` process: from its start
to READY=1 (the first judged frame) and its largest resident set.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from benchmarks.simulated_drive import config_for
from edge.assembly import MODELS
from edge.daemon import Daemon
from edge.delivery.jsonl import JsonlSink
from edge.vision.detector import Detector
from edge.vision.package import load_package


def end_to_end_s(drive: Path, threads: int, out: Path) -> tuple[float, int]:
    """Seconds for a drive and its number of judged frames, without loading the model."""
    config = config_for(drive)
    config = replace(config, vision=replace(config.vision, threads=threads))
    started: list[float] = []

    def first(*_: object) -> None:
        if not started:
            started.append(time.perf_counter())

    summary = Daemon(config, lambda _m, _c: JsonlSink(out, vehicle="benchmark"), progress=first).run()
    return time.perf_counter() - started[0], summary.counters["frames_judged"] - 1


def bare_s(detector: Detector, threads: int, count: int) -> float:
    """Seconds that the bare session takes for `count` pictures."""
    package = detector.package
    session = package.session(detector.precision, threads)
    picture = np.random.default_rng(0).integers(
        0, 256, (package.manifest.input.height, package.manifest.input.width, 3), dtype=np.uint8
    )
    session.run(picture)
    started = time.perf_counter()
    for _ in range(count):
        session.run(picture)
    return time.perf_counter() - started


def start_and_memory(drive: Path, threads: int, folder: Path) -> tuple[float, float]:
    """Seconds from process start to READY=1, and the largest resident set in MB, of a fresh process."""
    path = folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(120)
        command = [str(Path(sys.executable).parent / "wegewart-edge"), "replay", str(drive)]
        command += ["--out", str(folder / "cold.jsonl"), "--threads", str(threads)]
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            env={**os.environ, "NOTIFY_SOCKET": str(path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        message = b""
        while b"READY=1" not in message:
            message = listener.recv(4096)
        ready_s = time.perf_counter() - started
        process.wait()
        path.unlink()
    return ready_s, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> int:
    """Measure in turns and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drive", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    threads: int = options.threads
    detector = Detector(load_package(MODELS / "street", threads=threads), threads)
    whole: list[float] = []
    bare: list[float] = []
    starts: list[float] = []
    memory = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(options.rounds):
            ready_s, memory = start_and_memory(options.drive, threads, folder)
            starts.append(ready_s)
            seconds, count = end_to_end_s(options.drive, threads, folder / "events.jsonl")
            whole.append(seconds / count)
            bare.append(bare_s(detector, threads, count) / count)
    ratios = [w / b for w, b in zip(whole, bare, strict=True)]
    print(f"model                                  {detector.package.manifest.name}, {detector.precision}")
    print(f"bare session.run                       {1 / statistics.median(bare):.1f} frames/s ({threads} threads)")
    print(f"end to end                             {1 / statistics.median(whole):.1f} frames/s")
    print(f"end to end, time by that of the session {statistics.median(ratios):.2f}")
    print(f"process start to first judged frame    {statistics.median(starts):.1f} s")
    print(f"largest resident set of the process    {memory:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
