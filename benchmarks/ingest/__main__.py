# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Observations per second that `wegewart-depot ingest` processes take in, and what killing them does.

    python -m benchmarks.ingest [--database postgresql|sqlite] [--processes N] [--seconds S] [--kills K]

Everything is real and on this machine: Mosquitto, the database, the processes. Vehicles keep a window of
observations under way; an observation counts once the depot has acknowledged it, which it does after its commit.
With `--kills` a process chosen by lot gets SIGKILL at a time chosen by lot, K times within the S seconds, and is
started again at once. At the end every observation that was sent must stand in the database once.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import psutil
from sqlalchemy import func, select

from benchmarks.ingest.load import Told, drive
from benchmarks.postgres import Postgres
from benchmarks.servers import BIN, HOST, Broker, Server, ServerError, end_with_children, wait_for
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.tables import events, pending

#: What docs/mosquitto/wegewart.conf says, too.
QUEUES = "max_queued_messages 10000\nmax_queued_bytes 200000000\nmax_inflight_messages 0"
_WARM_S = 3


class IngestProcess(Server):
    """`wegewart-depot ingest --number N`."""

    def __init__(self, folder: Path, broker: Broker, url: str, number: int) -> None:
        super().__init__(folder, f"ingest-{number}")
        self._number = number
        self._config = self.folder / "depot.toml"
        self._config.write_text(
            f'[broker]\nhost = "{HOST}"\nport = {broker.port}\n[data]\nfolder = "{folder / "data"}"\n'
            f'[database]\nurl = "{url}"\n[ingest]\nby = "processes"\n',
            encoding="utf-8",
        )

    def command(self) -> Sequence[str | Path]:
        """See `Server.command`."""
        return [BIN / "wegewart-depot", "ingest", "--config", self._config, "--number", str(self._number)]

    def wait(self) -> None:
        """Until it has subscribed for the first time."""

        def is_up() -> bool:
            if self.process is None or self.process.poll() is not None:
                said = self.log.read_text(errors="replace").strip().splitlines()
                raise ServerError(f"{self.log.stem} did not start: {said[-1] if said else 'it said nothing'}")
            return "connected to the broker" in self.log.read_text(errors="replace")

        wait_for(is_up, 60, f"{self.log.stem} is at the broker")


class _Killer(threading.Thread):
    def __init__(self, victims: list[IngestProcess], kills: int, seconds: float, seed: int) -> None:
        super().__init__(daemon=True)
        self._victims = victims
        self._lot = random.Random(seed)  # noqa: S311 - no secret
        self._times = sorted(self._lot.uniform(_WARM_S, seconds) for _ in range(kills))
        self.done = 0

    def run(self) -> None:
        start_s = time.monotonic()
        for at_s in self._times:
            time.sleep(max(0.0, start_s + at_s - time.monotonic()))
            victim = self._lot.choice(self._victims)
            victim.kill()
            victim.start(wait=False)
            self.done += 1


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--vehicles", type=int, default=8)
    parser.add_argument("--window", type=int, default=1000, help="observations under way of each vehicle")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    end_with_children()
    with tempfile.TemporaryDirectory(prefix="wegewart-ingest-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        postgres = Postgres() if options.database == "postgresql" else None
        try:
            if postgres is not None:
                postgres.start()
                postgres.make_database()
            url = f"sqlite:///{folder}/data/depot.sqlite" if postgres is None else postgres.url
            return _run(options, folder, url, postgres)
        finally:
            if postgres is not None:
                postgres.remove()


def _run(options: argparse.Namespace, folder: Path, url: str, postgres: Postgres | None) -> int:
    database = Database(url)
    migrate(database)
    broker = Broker(folder, QUEUES)
    takers = [IngestProcess(folder, broker, url, number + 1) for number in range(options.processes)]
    killer = _Killer(takers, options.kills, options.seconds, options.seed)
    try:
        broker.start()
        for taker in takers:
            taker.start()
        before = _cpu_s([os.getpid(), broker.pid, *(taker.pid for taker in takers)], postgres)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            load = pool.submit(drive, HOST, broker.port, options.vehicles, options.window, options.seconds)
            killer.start()
            told = load.result()
        killer.join()
        if not options.kills:
            _tell_cpu(before, _cpu_s([os.getpid(), broker.pid, *(t.pid for t in takers)], postgres), told)
    finally:
        for server in (*takers, broker):
            server.stop()
    with database.reading() as connection:
        keys = select(events.c.source, events.c.id).distinct().subquery()
        rows = [connection.scalar(select(func.count()).select_from(each)) or 0 for each in (events, keys, pending)]
    database.close()
    return _judge(options, told, (rows[0], rows[1], rows[2]), killer.done)


def _cpu_s(pids: list[int], postgres: Postgres | None) -> dict[str, float]:
    """CPU seconds until now, by program."""
    seconds: dict[str, float] = {}
    processes = [psutil.Process(pid) for pid in pids[1:]]
    if postgres is not None:
        processes += [psutil.Process(postgres.pid), *psutil.Process(postgres.pid).children(recursive=True)]
    for process in processes:
        used = process.cpu_times()
        name = process.name().partition(":")[0]
        seconds[name] = seconds.get(name, 0.0) + used.user + used.system
    return seconds


def _tell_cpu(before: dict[str, float], after: dict[str, float], told: Told) -> None:
    for name, seconds in sorted(after.items()):
        each_us = (seconds - before.get(name, 0.0)) / max(told.acknowledged, 1) * 1e6
        print(f"CPU of {name:<30} {each_us:.0f} us an observation")


def _judge(options: argparse.Namespace, told: Told, rows: tuple[int, int, int], killed: int) -> int:
    stored, distinct, waiting = rows
    seconds = [told.per_second[second] for second in range(_WARM_S, int(options.seconds))]
    print(f"database, processes                    {options.database}, {options.processes}")
    print(f"acknowledged after commit, median      {statistics.median(seconds):.0f} observations/s")
    print(f"mean, slowest second                   {statistics.mean(seconds):.0f}, {min(seconds)} observations/s")
    print(f"sent, sent again, acknowledged         {told.sent}, {told.again}, {told.acknowledged}")
    print(f"refused                                {told.refused}")
    print(f"processes killed                       {killed}")
    print(f"in the database, for the projector     {stored}, {waiting}")
    lost, twice = told.sent - distinct, stored - distinct
    print(f"lost, twice                            {lost}, {twice}")
    return 0 if lost == twice == told.refused == 0 and told.acknowledged == told.sent and waiting == stored else 1


if __name__ == "__main__":
    sys.exit(main())
