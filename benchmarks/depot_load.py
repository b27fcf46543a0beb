# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How fast the depot answers the page in a large city's depot, on either database.

    python -m benchmarks.depot_load [--url postgresql://user@host/empty_database] [--cases N] [--sightings N]
                                    [--requests N] [--writes-per-s N]

Without --url it makes an SQLite database in a temporary folder. It fills the tables with a made city as the projector
leaves them, starts the application in a process of its own and asks it over HTTP, one request after the other, as a
page does; each kind of call in turn, so that none has the caches for itself. With --writes-per-s cases change all the
while, so that what is kept in memory has to follow.
"""

from __future__ import annotations

import argparse
import http.client
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import uvicorn
from sqlalchemy import update

from benchmarks.depot_city import CLASSES, DISTRICTS, EAST, FLEET, NORTH, OFFICES, SOUTH, WEST, City, fill
from benchmarks.servers import HOST, end_with_children, free_port, listens, wait_for
from depot.app import make_app
from depot.config import Config
from depot.people.config import PeopleConfig
from depot.services import Services
from depot.store.database import Database
from depot.store.tables import cases


class _NoPictures:
    def read(self, _sha256: str) -> bytes | None:
        return b"\xff\xd8" + bytes(60_000)

    def keep(self, _sha256: str, _content: bytes) -> None: ...

    def remove(self, _sha256: str) -> None: ...


def serve(url: str, port: int) -> None:
    """The application alone, with everybody let in, until it is ended."""
    services = Services(
        config=Config(people=PeopleConfig(login="off")),
        database=Database(url),
        pictures=_NoPictures(),
        link_state=lambda: "connected",
        stopping=lambda: False,
    )
    uvicorn.run(make_app(services), host=HOST, port=port, log_level="warning", access_log=False)


@contextmanager
def running(url: str) -> Iterator[int]:
    """A server process; gives its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.depot_load", "--serve", str(port), "--url", url])
    try:
        wait_for(lambda: listens(port), 60, "the depot")
        yield port
    finally:
        process.terminate()
        process.wait(30)


class Calls:
    """What a page asks, with changing parameters."""

    def __init__(self, number_of_cases: int, number_of_pictures: int) -> None:
        self._cases = number_of_cases
        self._pictures = number_of_pictures
        self._draw = random.Random(3)  # noqa: S311

    def kinds(self) -> dict[str, Any]:
        """By name, what makes the next address."""
        return {
            "list, open by urgency": lambda: "/api/cases?state=new&state=reopened&sort=urgency&limit=50",
            "list, all": lambda: "/api/cases?limit=50",
            "list, a later page": lambda: f"/api/cases?limit=50&cursor={self._draw.uniform(1e11, 1.3e12)!r}_1",
            "list, filtered": self._filtered,
            "list, near": lambda: f"/api/cases?sort=near&near={self._lon()},{self._lat()}&limit=50",
            "list, a road's name": lambda: f"/api/cases?q={urllib.parse.quote('straße ')}{self._draw.randint(1, 1999)}",
            "map, the whole city": lambda: f"/api/map?zoom=11&bbox={WEST},{SOUTH},{EAST},{NORTH}",
            "map, a district": lambda: self._window(14, 0.03),
            "map, a few streets": lambda: self._window(17, 0.006),
            "map, filtered": lambda: self._window(13, 0.1) + "&state=new&grade_min=3&class=pothole",
            "counts": lambda: "/api/counts?state=new&state=reopened",
            "counts, filtered": lambda: f"/api/counts?district=Mitte&vehicle={self._draw.choice(FLEET)}",
            "one case": lambda: f"/api/cases/{self._number()}",
            "changes, the last ones": lambda: f"/api/changes?after={self._cases - 20}",
            "changes, from the start": lambda: "/api/changes?after=0&limit=200",
            "picture": lambda: f"/pictures/{self._draw.randrange(self._pictures // 20) * 20 + 1:064x}.jpg",
            "summary": lambda: "/api/summary",
        }

    def _number(self) -> int:
        return self._draw.randint(1, self._cases)

    def _lon(self) -> float:
        return self._draw.uniform(WEST, EAST)

    def _lat(self) -> float:
        return self._draw.uniform(SOUTH, NORTH)

    def _filtered(self) -> str:
        draw = self._draw
        return (
            f"/api/cases?class={draw.choice(CLASSES)}&office={draw.choice(OFFICES)}"
            f"&district={urllib.parse.quote(draw.choice(DISTRICTS))}"
            f"&vehicle={draw.choice(FLEET)}&grade_min={draw.randint(1, 4)}&seen_days=90&trend=growing&sort=newest"
        )

    def _window(self, zoom: int, width: float) -> str:
        lon, lat = self._lon(), self._lat()
        return f"/api/map?zoom={zoom}&bbox={lon},{lat},{lon + width},{lat + width / 2}"


def measure(port: int, calls: Calls, requests: int) -> dict[str, tuple[list[float], int]]:
    """By kind of call, milliseconds of each request and the bytes of the largest answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    kinds = calls.kinds()
    found: dict[str, tuple[list[float], int]] = {name: ([], 0) for name in (*kinds, "decide", "undo")}

    def ask(name: str, method: str, path: str, body: bytes | None = None) -> bytes:
        began_s = time.perf_counter()
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        content = answer.read()
        times, largest = found[name]
        times.append((time.perf_counter() - began_s) * 1000)
        found[name] = (times, max(largest, len(content)))
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return content

    for turn in range(requests):
        for name, path in kinds.items():
            ask(name, "GET", path())
        open_cases = msgspec.json.decode(ask("list, open by urgency", "GET", "/api/cases?state=new&limit=1"))["cases"]
        number, changed = open_cases[0]["number"], open_cases[0]["changed"]
        body = msgspec.json.encode({"action": "confirm", "changed": changed})
        ask("decide", "POST", f"/api/cases/{number}/actions", body)
        if turn % 2:
            ask("undo", "POST", f"/api/cases/{number}/undo")
    return found


@contextmanager
def writing(database: Database, per_s: float, number_of_cases: int) -> Iterator[None]:
    """Cases change all the while, as the projector changes them: a batch each 0.1 s."""
    ended = threading.Event()
    draw = random.Random(4)  # noqa: S311

    def change_some() -> None:
        while not ended.wait(0.1):
            with database.changing() as change:
                for _ in range(round(per_s / 10)):
                    number = draw.randint(1, number_of_cases)
                    values = {"score": draw.random(), "changed": change.next()}
                    change.connection.execute(update(cases).where(cases.c.number == number).values(**values))

    thread = threading.Thread(target=change_some)
    if per_s:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if per_s:
            thread.join()


def report(found: dict[str, tuple[list[float], int]]) -> float:
    """Print the figures; gives the largest 95th percentile in milliseconds."""
    print(f"{'call':28} {'requests':>8} {'median ms':>10} {'p95 ms':>8} {'max ms':>8} {'largest kB':>11}")
    worst = 0.0
    for name, (times, largest) in found.items():
        if times:
            median, p95 = np.percentile(times, [50, 95])
            worst = max(worst, float(p95))
            print(f"{name:28} {len(times):8} {median:10.1f} {p95:8.1f} {max(times):8.1f} {largest / 1000:11.1f}")
    print(f"largest p95 of a call: {worst:.1f} ms")
    return worst


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and fail where a call's 95th percentile is not below 100 ms."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", help="an empty database, or with --filled one that an earlier run filled")
    parser.add_argument("--filled", action="store_true", help="the database is filled already")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--sightings", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=100, help="of each kind")
    parser.add_argument("--writes-per-s", type=float, default=0.0, help="cases that change meanwhile")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        serve(options.url, options.serve)
        return 0
    end_with_children()
    with ExitStack() as stack:
        url = options.url
        if url is None:
            url = f"sqlite:///{Path(stack.enter_context(tempfile.TemporaryDirectory())) / 'depot.sqlite'}"
        database = Database(url)
        stack.callback(database.close)
        if not options.filled:
            fill(database, City(options.cases, options.sightings))
        began_s = time.monotonic()
        port = stack.enter_context(running(url))
        calls = Calls(options.cases, options.sightings)
        measure(port, calls, 1)
        print(f"{database.dialect}: started and every call answered once after {time.monotonic() - began_s:.1f} s")
        with writing(database, options.writes_per_s, options.cases):
            worst = report(measure(port, calls, options.requests))
    return 0 if worst < 100 else 1


if __name__ == "__main__":
    sys.exit(main())
