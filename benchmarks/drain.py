# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Observations that have waited while the depot was away: how fast they drain, in which order, and that none is lost.

    python -m benchmarks.drain [--observations N] [--pictures N]

The vehicle's own outbox on the disk and its MQTT uplink, a real Mosquitto, a real depot. The depot has been there once
(its session is known) and is stopped; N observations are confirmed while the uplink goes on sending what its window
allows; then the depot comes back. Time counts from the moment at which the depot is at the broker again until its last
acknowledgement is in the outbox. Exit code 0 only if all are stored, once, in the order in which they were confirmed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from msgspec.structs import replace

from benchmarks.servers import HOST, Broker, Depot, ServerError, end_with_children, wait_for
from edge.delivery.herald import Birth
from edge.delivery.outbox import Outbox
from edge.delivery.settings import BrokerSettings
from edge.delivery.uplink import Uplink
from messages.types import Anonymised, ModelRef, Observation, PictureRef, Position, Time

VEHICLE = "drain-1"
MODEL = ModelRef(name="street", version="1", sha256="0" * 64)
TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class Drain:
    """What happened; seconds.

    `waited`: still unanswered when the depot was at the broker again. `facts_s`: until all observations were
    acknowledged, `all_s`: and all pictures.
    """

    confirmed: int
    confirm_s: float
    waited: int
    facts_s: float
    all_s: float
    stored: int
    in_order: bool
    pictures: int
    pictures_bytes: int
    pictures_stored: int

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing twice, nothing overtaken."""
        return self.stored == self.confirmed and self.in_order and self.pictures_stored == self.pictures


def observation(boot: str, number: int) -> Observation:
    """One of many, each at its own place."""
    return Observation(
        defect_class="pothole",
        score=0.8,
        frames_seen=3,
        time=Time(boot=boot, monotonic_s=float(number), quality="gnss", utc="2026-11-22T12:00:00Z"),
        position=Position(lon=6.7 + number * 1e-5, lat=51.4, error_m=1.5, method="gnss"),
        model=MODEL,
        software="benchmark",
        calibration="benchmark",
    )


def picture(number: int) -> bytes:
    """A JPEG of some 60 kB, each another."""
    rough = np.random.default_rng(number).normal(110, 25, (180, 320)).clip(0, 255).astype(np.uint8)
    _, content = cv2.imencode(".jpg", cv2.resize(rough, (960, 540)), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return content.tobytes()


def described(seen: Observation, content: bytes) -> Observation:
    """The observation with that picture."""
    reference = PictureRef(
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        width=960,
        height=540,
        box=(1.0, 2.0, 30.0, 40.0),
        anonymised=Anonymised(method="none"),
    )
    return replace(seen, picture=reference)


def confirm(uplink: Uplink, many: int, pictures: int) -> tuple[list[str], int]:
    """Confirm so many, some of them with pictures; their ids and the bytes of all pictures."""
    size, ids = 0, []
    with_picture = set(random.Random(1).sample(range(many), pictures))  # noqa: S311 - no secret
    for number in range(many):
        seen = observation(uplink.boot, number)
        if number in with_picture:
            content = picture(number)
            size += len(content)
            ids.append(uplink.confirm(described(seen, content), content))
        else:
            ids.append(uplink.confirm(seen))
    return ids, size


def measure(folder: Path, broker: Broker, depot: Depot, many: int, pictures: int) -> Drain:
    """The depot goes, the observations come, the depot comes back."""
    depot.wait_connected()
    depot.stop()
    settings = BrokerSettings(host=HOST, port=broker.port, vehicle=VEHICLE)
    uplink = Uplink(Outbox(folder / "vehicle" / "outbox.db"), settings, Birth(software="benchmark", models=(MODEL,)))
    try:
        uplink.wait_online(30)
        began = time.monotonic()
        ids, size = confirm(uplink, many, pictures)
        confirm_s = time.monotonic() - began
        depot.start()
        depot.wait_connected()
        waited, back = uplink.counts().pending, time.monotonic()
        wait_for(lambda: uplink.counts().pending == 0, TIMEOUT_S, "all observations are acknowledged")
        facts_s = time.monotonic() - back
        wait_for(lambda: uplink.counts().pictures_pending == 0, TIMEOUT_S, "all pictures are acknowledged")
        all_s = time.monotonic() - back
        wait_for(lambda: depot.rows("SELECT count(*) FROM pending") == [(0,)], TIMEOUT_S, "all has become cases")
        [(stored,)] = depot.rows("SELECT count(DISTINCT received) FROM sightings")
        [(pictures_stored,)] = depot.rows("SELECT count(*) FROM pictures")
        order = [key for (key,) in depot.rows("SELECT id FROM events ORDER BY received")]
    finally:
        uplink.close()
    return Drain(
        confirmed=many,
        confirm_s=confirm_s,
        waited=waited,
        facts_s=facts_s,
        all_s=all_s,
        stored=stored,
        in_order=order == ids,
        pictures=pictures,
        pictures_bytes=size,
        pictures_stored=pictures_stored,
    )


def report(drain: Drain) -> list[str]:
    """The figures, one line each."""
    lines = [
        f"observations confirmed                 {drain.confirmed}, {drain.confirmed / drain.confirm_s:.0f} per second",
        f"waiting when the depot was back        {drain.waited}",
        f"stored, once, in order of confirmation {drain.stored}, {'yes' if drain.in_order else 'NO'}",
        f"until all observations acknowledged    {drain.facts_s:.1f} s",
        f"drain rate                             {drain.waited / max(drain.facts_s, 1e-9):.0f} observations per second",
    ]
    if drain.pictures:
        rate = drain.pictures_bytes / 1e6 / max(drain.all_s - drain.facts_s, 1e-9)
        lines += [
            f"pictures stored                        {drain.pictures_stored} of {drain.pictures}",
            f"pictures after the observations        {drain.all_s - drain.facts_s:.1f} s, {rate:.2f} MB per second",
        ]
    return lines


def main() -> int:
    """Drain once, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.drain", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--observations", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument("--pictures", type=int, default=0, help="so many of them with one (default: none)")
    parser.add_argument("--json", action="store_true", help="figures of delivery as a last line of JSON")
    options = parser.parse_args()
    end_with_children()
    if not 0 <= options.pictures <= options.observations or not options.observations:
        parser.error("--pictures: at most as many as --observations")
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    try:
        with tempfile.TemporaryDirectory(prefix="wegewart-drain-") as name:
            broker = Broker(Path(name))
            depot = Depot(Path(name), broker)
            try:
                broker.start()
                depot.start()
                drain = measure(Path(name), broker, depot, options.observations, options.pictures)
            finally:
                depot.stop()
                broker.stop()
    except ServerError as error:
        print(f"drain: {error}", file=sys.stderr)
        return 1
    print("\n".join(report(drain)))
    if options.json:
        lost = drain.confirmed - drain.stored + drain.pictures - drain.pictures_stored
        told = {"confirmed": drain.confirmed, "shown": drain.stored, "lost": max(lost, 0), "twice": max(-lost, 0)}
        print(json.dumps({**told, "good": drain.is_good}))
    return 0 if drain.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
