# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How fast stretches are laid on a city's roads, and how fast the depot answers what the page asks of roads.

    python -m benchmarks.roads [--url postgresql://user@host/empty_database] [--roads N] [--stretches N] [--cases N]

Without --url it makes an SQLite database in a temporary folder. The city is a grid of streets, the stretches are 100 m
of random streets on random days of a month. The calls go through the application without a network in between. Beside
each time on the clock stands the processor's own, which others on the same machine change less.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from fastapi import APIRouter, FastAPI
from sqlalchemy import insert
from starlette.types import Receive, Scope, Send

from depot.cases.ports import StoredEvent
from depot.config import Config
from depot.memory import collect_seldom
from depot.people.guard import Person
from depot.roads import routes
from depot.roads.importing import Feature, Imported, Mapping, build, replace_roads
from depot.roads.projections import CoverageProjection
from depot.roads.working import RoadWorker
from depot.services import Services
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.tables import cases, events
from messages import envelope
from messages.types import Coverage, Time

NOW = "2026-06-01T12:00:00.000Z"
LON, LAT, STEP = 6.70, 51.40, 0.004
CLASSES = ("pothole", "alligator_crack", "longitudinal_crack", "transverse_crack")


def streets(count: int) -> Imported:
    """A grid: each street about 300 m long, half of them to the east."""
    side = int(np.sqrt(count / 2)) + 1
    features = []
    for number in range(count):
        column, row = divmod(number // 2, side)
        lon, lat = LON + column * STEP, LAT + row * STEP * 0.65
        end = [lon + STEP, lat] if number % 2 else [lon, lat + STEP * 0.65]
        name = {"name": f"Straße {number}", "highway": "residential", "district": f"Bezirk {number % 7}"}
        features.append(Feature(f"way/{number}", name, [[[lon, lat], end]]))
    return build(features, Mapping())


def stretches(imported: Imported, count: int) -> list[Coverage]:
    """100 m each, with a point every 5 m that is some metres off."""
    dice, made = random.Random(1), []  # noqa: S311 - no secret
    for number in range(count):
        (start, end) = dice.choice(imported.roads).lines[0]
        first = dice.uniform(0, 0.6)
        share = np.linspace(first, first + 0.35, 21)[:, None]
        path = np.array(start) + share * (np.array(end) - np.array(start))
        path += np.random.default_rng(number).normal(0, 2e-5, path.shape)
        day, hour = divmod(number % 720, 24)
        utc = f"2026-05-{day + 1:02d}T{hour:02d}:{number % 60:02d}:00Z"
        reason = dice.choice(("dark", "too_fast")) if number % 5 == 0 else None
        made.append(
            Coverage(
                path=tuple((round(lon, 7), round(lat, 7)) for lon, lat in path.tolist()),
                length_m=100.0,
                frames_judged=40,
                valid=reason is None,
                reason=reason,  # type: ignore[arg-type]
                time=Time(boot="b", monotonic_s=float(number), quality="gnss", utc=utc),
            )
        )
    return made


def store(database: Database, told: list[Coverage]) -> list[StoredEvent]:
    """As ingest does."""
    found = []
    for start in range(0, len(told), 1000):
        part = [
            envelope.Event(id=f"b-{start + offset:08d}", source="wegewart/bus-1", data=message)
            for offset, message in enumerate(told[start : start + 1000])
        ]
        with database.writing() as connection:
            rows = [
                {"source": event.source, "id": event.id, "type": "wegewart.coverage.v1", "received_utc": NOW,
                 "payload": envelope.encode(event)}
                for event in part
            ]  # fmt: skip
            numbers = connection.execute(
                insert(events).returning(events.c.received, sort_by_parameter_order=True), rows
            ).scalars()
            found += [
                StoredEvent(received=number, received_utc=NOW, event=event)
                for number, event in zip(numbers, part, strict=True)
            ]
    return found


def open_cases(database: Database, imported: Imported, count: int) -> None:
    """Cases on random places of random streets."""
    dice = random.Random(2)  # noqa: S311 - no secret
    with database.changing() as change:
        rows = []
        for _ in range(count):
            (west, south), (east, north) = dice.choice(imported.roads).lines[0]
            share = dice.random()
            rows.append({
                "changed": change.next(), "state": dice.choice(("new", "confirmed", "repaired")),
                "class": dice.choice(CLASSES), "surface": "road", "lon": west + share * (east - west),
                "lat": south + share * (north - south), "sightings": 1, "passes": 1, "vehicles": 1, "looks_without": 0,
                "opened_utc": NOW, "pinned": False, "reports": 0, "grade": dice.randint(1, 5),
                "length_m": dice.uniform(0.1, 2), "width_m": dice.uniform(0.1, 1),
            })  # fmt: skip
        for start in range(0, count, 5000):
            change.connection.execute(insert(cases), rows[start : start + 5000])


def timed(name: str, act: Callable[[], Any], count: int | None = None) -> Any:
    """Do it and print how long it took."""
    begin, processor_s = time.perf_counter(), time.process_time()
    found = act()
    took_s, processor_s = time.perf_counter() - begin, time.process_time() - processor_s
    rate = "" if count is None else f", {count / took_s:,.0f}/s"
    print(f"{name}: {took_s:.2f} s{rate} (processor {processor_s:.2f} s)", flush=True)
    return found


def ask(router: APIRouter, path: str, times: int) -> None:
    """Ask again and again; print the first time, and the median and 95th percentile of the others."""
    app = FastAPI()
    app.include_router(router)

    async def enter(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"person": Person("benchmark", "admin")}
        await app(scope, receive, send)

    async def go() -> tuple[list[float], list[float], int]:
        took_ms, used_ms, size = [], [], 0
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=enter), base_url="http://depot") as client:  # type: ignore[arg-type]
            for _ in range(times):
                begin, processor = time.perf_counter(), time.process_time()
                answer = await client.get(path, timeout=600)
                took_ms.append((time.perf_counter() - begin) * 1000)
                used_ms.append((time.process_time() - processor) * 1000)
                size = len(answer.raise_for_status().content)
        return took_ms, used_ms, size

    took_ms, used_ms, size = asyncio.run(go())
    median, p95 = np.percentile(took_ms[1:], [50, 95])
    times_ms = f"first {took_ms[0]:.0f} ms, median {median:.0f} ms, p95 {p95:.0f} ms"
    print(f"{path}: {times_ms} (processor {np.median(used_ms[1:]):.0f} ms), {size / 1000:.0f} kB", flush=True)


def main() -> None:
    """Fill a database and measure."""
    collect_seldom()  # as `serve` does
    parser = argparse.ArgumentParser(description="How fast the depot is with roads.")
    parser.add_argument("--url", default=None)
    parser.add_argument("--roads", type=int, default=5000)
    parser.add_argument("--stretches", type=int, default=20_000)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wegewart-roads-") as folder:
        database = Database(options.url or f"sqlite:///{Path(folder) / 'depot.sqlite'}", now_utc=lambda: NOW)
        migrate(database)
        run(database, options)
        database.close()


def run(database: Database, options: argparse.Namespace) -> None:
    """All measurements on one database."""
    imported = streets(options.roads)
    with database.changing() as change:
        timed(f"import of {options.roads} roads", lambda: replace_roads(change, imported, "benchmark"))
    told = store(database, stretches(imported, options.stretches))

    def project() -> None:
        for start in range(0, len(told), 500):
            with database.changing() as change:
                CoverageProjection().project(change, told[start : start + 500])

    timed("projection", project, len(told))
    worker = RoadWorker(database)
    timed("laying on roads and sealing", lambda: [None for _ in iter(worker.run_once, 0)], len(told))
    open_cases(database, imported, options.cases)
    router = routes.router(Services(Config(), database, None, lambda: None, lambda: False))  # type: ignore[arg-type]
    for path in (
        "/api/coverage/roads",
        "/api/coverage/roads?from=2026-05-01&to=2026-05-31",
        "/api/coverage/roads.geojson?bbox=6.75,51.42,6.80,51.45",
        "/api/coverage/roads.geojson",
        "/api/coverage?limit=1000",
        "/api/sections?bbox=6.75,51.42,6.80,51.45",
        "/api/sections?grade_min=4",
        "/api/tunnels",
        "/api/coverage/proof",
    ):
        ask(router, path, options.times)


if __name__ == "__main__":
    main()
