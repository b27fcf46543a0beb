# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Hours of driving in accelerated time: memory, descriptors, threads and bytes written of the vehicle's process.

    python -m benchmarks.soak [--hours H] [--model] [--kills N] [--csv FILE] [--json]

The daemon's own loop (edge.daemon) with its real pipeline, outbox, MQTT uplink and health messages, over a real
Mosquitto to a real depot, 10 frames for each second of drive time at 10 m/s, a defect every 40 m. Only camera and
positions are made up (benchmarks/endless.py), and a STUB DETECTOR says where the defects truly are: what it costs to
judge is left out, so that hours pass in minutes. With `--model` the shipped model judges every sampled picture as well,
for its cost and its memory; its answers are thrown away.

The process that is measured is this one. Drive time is also the outbox's clock, so that its grace time passes.
Exit code 0: everything confirmed is stored and, from one hour on, memory grew by less than 1 MiB per hour of drive time
and descriptors and threads did not grow.

With `--kills N` broker and depot get SIGKILL at N random moments of the drive (a killed broker loses its disk every
second time), and every confirmed record is looked for at the depot, as in benchmarks/kills.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from unittest import mock

from benchmarks.endless import CALIBRATION, FRAMES_PER_SECOND, EndlessCamera, EndlessPositions, TrueDetector
from benchmarks.growth import Sample, sample, settled, slope
from benchmarks.kills.vehicle import noting
from benchmarks.kills.verdict import judge, table
from benchmarks.servers import HOST, Broker, Depot, ServerError, end_with_children
from edge import __version__
from edge.config import DeliveryConfig, VehicleConfig, VisionConfig
from edge.daemon import Daemon, Summary
from edge.delivery.herald import Birth
from edge.delivery.outbox import Outbox
from edge.delivery.port import Delivery
from edge.delivery.uplink import Uplink
from edge.sources import Sources
from edge.uplinks import broker_settings
from edge.vision.detector import Detector
from messages.types import ModelRef

SAMPLE_EVERY_S = 60.0  # of drive time
LIMIT_MIB_PER_HOUR = 1.0
DRAIN_S = 120.0


@contextmanager
def made_up(camera: EndlessCamera, *, also_model: bool) -> Iterator[None]:
    """The daemon gets this camera, its positions and the stub in place of what the configuration names."""

    def sources(_config: VehicleConfig) -> Sources:
        return Sources(camera, EndlessPositions(), CALIBRATION, is_replay=False)

    from edge import assembly, daemon  # noqa: PLC0415 - only to be patched

    real: Callable[[VehicleConfig], dict[str, Detector]] = assembly.detectors  # type: ignore[assignment]

    def detectors(config: VehicleConfig) -> dict[str, TrueDetector]:
        return {surface: TrueDetector(camera, found, also=also_model) for surface, found in real(config).items()}

    def privacy_detector(config: VehicleConfig) -> Detector | None:
        return privacy(config) if also_model else None

    privacy = assembly.privacy_detector
    with (
        mock.patch.object(daemon, "open_sources", sources),
        mock.patch.object(assembly, "detectors", detectors),
        mock.patch.object(assembly, "privacy_detector", privacy_detector),
    ):
        yield


def drive(
    folder: Path, broker: Broker, hours: float, disturbance: Disturbance, *, also_model: bool
) -> tuple[list[Sample], Summary]:
    """Drive so long; a sample each minute of drive time."""
    config = VehicleConfig(
        vehicle="soak-1",
        delivery=DeliveryConfig(data=folder / "vehicle", host=HOST, port=broker.port, drain_s=DRAIN_S, health_s=1.0),
        vision=VisionConfig(threads=1),
    )
    camera = EndlessCamera()
    samples: list[Sample] = []
    stop = threading.Event()

    def open_delivery(models: tuple[ModelRef, ...], calibration: str) -> Delivery:
        outbox = Outbox(config.delivery.data / "outbox.db", monotonic=lambda: camera.now_s)
        birth = Birth(software=f"wegewart-edge {__version__}", models=models, calibration=calibration)
        return Uplink(outbox, broker_settings(config), birth)

    def progress(*_: object) -> None:
        if camera.now_s >= len(samples) * SAMPLE_EVERY_S:
            samples.append(sample(camera.now_s, config.delivery.data))
            _tell(samples, hours)
        if camera.now_s >= hours * 3600:
            stop.set()

    with made_up(camera, also_model=also_model), disturbance.during(camera):
        summary = Daemon(config, open_delivery, progress=progress, stop=stop).run()
    return samples, summary


class Disturbance:
    """Kills broker and depot at random moments of the drive, from a thread of its own."""

    def __init__(self, broker: Broker, depot: Depot, kills: int, hours: float) -> None:
        self.counters: Counter[str] = Counter()
        self._broker, self._depot = broker, depot
        self._dice = random.Random(11)  # noqa: S311 - no secret
        self._moments_s = sorted(self._dice.uniform(0, hours * 3600) for _ in range(kills))
        self._over = threading.Event()

    @contextmanager
    def during(self, camera: EndlessCamera) -> Iterator[None]:
        """Do it until the block ends."""
        thread = threading.Thread(target=self._run, args=(camera,), name="disturbance")
        if self._moments_s:  # else there is no thread to be measured
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            if self._moments_s:
                thread.join()

    def _run(self, camera: EndlessCamera) -> None:
        for moment_s in self._moments_s:
            while camera.now_s < moment_s:
                if self._over.wait(0.02):
                    return
            if self._dice.random() < 0.5:
                self._depot.kill()
                self._depot.start(wait=False)
                self.counters["depot"] += 1
            else:
                self._broker.kill()
                if self._dice.random() < 0.5:
                    self._broker.wipe()
                    self.counters["wiped"] += 1
                self._broker.start()
                self.counters["broker"] += 1


def _tell(samples: Sequence[Sample], hours: float) -> None:
    last = samples[-1]
    if len(samples) % 10 == 0:
        speed = (last.drive_s - samples[0].drive_s) / max(last.real_s - samples[0].real_s, 1e-9)
        print(
            f"{last.drive_s / 3600:.2f} of {hours:g} h, {speed:.0f} times real time, {last.rss_mib:.0f} MiB",
            file=sys.stderr,
            flush=True,
        )


def report(samples: Sequence[Sample], summary: Summary, pictures_bytes: int, *, also_model: bool) -> bool:
    """Print the figures; whether they are good."""
    calm = settled(samples)
    hours = (samples[-1].drive_s - calm[0].drive_s) / 3600
    grows, error = slope(calm, lambda s: s.rss_mib)
    speed = (samples[-1].drive_s - samples[0].drive_s) / (samples[-1].real_s - samples[0].real_s)
    written = (samples[-1].written_bytes - calm[0].written_bytes) / 1e6 / hours
    more = (
        max(s.descriptors for s in calm) - calm[0].descriptors,
        max(s.threads for s in calm) - calm[0].threads,
    )
    done = summary.delivery
    judged = "the shipped model as well, its answers not used" if also_model else "no model ran"
    print(f"detector                               stub that knows the truth; {judged}")
    print(
        f"drive time, frames                     {samples[-1].drive_s / 3600:.2f} h, {summary.counters['frames_seen']}"
    )
    print(f"frames judged                          {summary.counters['frames_judged']}")
    print(f"times real time                        {speed:.1f} ({speed * FRAMES_PER_SECOND:.0f} frames/s)")
    print(f"8 h would take here                    {8 * 3600 / speed / 60:.0f} min")
    print(f"memory after warm-up, at the end       {calm[0].rss_mib:.1f}, {samples[-1].rss_mib:.1f} MiB")
    print(
        f"growth of memory                       {grows:+.2f} MiB per hour of drive time (standard error {error:.2f})"
    )
    print(f"descriptors, threads                   {calm[0].descriptors} +{more[0]}, {calm[0].threads} +{more[1]}")
    print(f"written to the disk                    {written:.1f} MB per hour of drive time")
    pictures = pictures_bytes / 1e6 / (samples[-1].drive_s / 3600)
    records = done.confirmed / (samples[-1].drive_s / 3600)
    print(f"of this content of pictures            {pictures:.1f} MB per hour of drive time")
    print(
        f"written for each record                {written * 1000 / records:.0f} kB, at {records:.0f} records per hour"
    )
    print(f"of the outbox's files at the end       {samples[-1].outbox_bytes / 1e6:.1f} MB (without pictures)")
    print(f"records, pictures confirmed            {done.confirmed}, {done.pictures_confirmed}")
    if samples[-1].drive_s < 3590:
        print("too short for a verdict on growth")
        return summary.drained
    return summary.drained and grows < LIMIT_MIB_PER_HOUR and more[1] <= 0 and more[0] <= 1


def main() -> int:
    """Drive, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=1.0, help="of drive time (default: %(default)s)")
    parser.add_argument("--model", action="store_true", help="the shipped model judges as well")
    parser.add_argument("--kills", type=int, default=0, help="of broker and depot on the way (default: none)")
    parser.add_argument("--json", action="store_true", help="figures of delivery as a last line of JSON")
    parser.add_argument("--csv", type=Path, help="write all samples here")
    options = parser.parse_args()
    if options.hours < 0.1:
        parser.error(f"--hours {options.hours:g}: at least 0.1, or there is nothing to measure")
    end_with_children()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        with tempfile.TemporaryDirectory(prefix="wegewart-soak-") as name:
            return _soak(Path(name), options)
    except ServerError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1


def _soak(folder: Path, options: argparse.Namespace) -> int:
    broker = Broker(folder)
    depot = Depot(folder, broker)
    disturbance = Disturbance(broker, depot, options.kills, options.hours)
    journal = folder / "journal"
    try:
        broker.start()
        depot.start()
        depot.wait_connected()
        with noting(journal):
            samples, summary = drive(folder, broker, options.hours, disturbance, also_model=options.model)
        depot.wait_connected()
        verdict = judge(journal, depot)
        [(pictures_bytes,)] = depot.rows("SELECT total(bytes) FROM pictures")
    finally:
        depot.stop()
        broker.stop()
    if options.csv is not None:
        _write(options.csv, samples)
    flat = report(samples, summary, pictures_bytes, also_model=options.model)
    killed = disturbance.counters
    print(f"broker killed (disk wiped), depot      {killed['broker']} ({killed['wiped']}), {killed['depot']}")
    print("\n".join(table(verdict)))
    good = flat and verdict.is_good(0)
    if options.json:
        print(json.dumps({**verdict.figures(), "good": good}))
    return 0 if good else 1


def _write(path: Path, samples: Sequence[Sample]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(Sample)])
        writer.writerows(astuple(s) for s in samples)


if __name__ == "__main__":
    sys.exit(main())
