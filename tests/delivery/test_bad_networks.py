# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Vehicle, fault proxy, real Mosquitto, real depot: whatever the network does, confirmed = shown, once, in order.

Short by default. For a release: WEGEWART_QUEUED (observations, 300 here, 10000 there), WEGEWART_FLAP_S (longest
life of a connection, 0.3 s here), WEGEWART_BROKER_KILLS and WEGEWART_DEPOT_KILLS (3 here). Each test prints its
drain rate (`pytest -s`).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from edge.delivery import Birth, BrokerSettings, Outbox, Tls, Uplink
from edge.delivery.window import Limits
from tests.delivery.certificates import certificates
from tests.delivery.proxy import FaultProxy
from tests.delivery.samples import VEHICLE, coverage, observation
from tests.depot.samples import DepotProcess, jpeg
from tests.servers import Mosquitto, mosquitto, wait_until

pytestmark = pytest.mark.integration

QUEUED = int(os.environ.get("WEGEWART_QUEUED", "300"))
FLAP_S = float(os.environ.get("WEGEWART_FLAP_S", "0.3"))
BROKER_KILLS = int(os.environ.get("WEGEWART_BROKER_KILLS", "3"))
DEPOT_KILLS = int(os.environ.get("WEGEWART_DEPOT_KILLS", "3"))
PATIENCE_S = 60.0 + QUEUED / 20
#: Impatient, so that faults are noticed within a test's time; patient enough for a busy machine.
QUICK = Limits(link_timeout_s=1.0, ack_timeout_s=4.0, patience_max_s=8.0, slowest_bytes_per_s=1e5)


@pytest.fixture(autouse=True)
def quick_reconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.delivery.courier.backoff_s", lambda attempt: 0.05)


@dataclass
class Road:
    """All of them together; `confirmed` is what the vehicle was promised."""

    folder: Path
    broker: Mosquitto
    link: FaultProxy
    uplink: Uplink
    depot: DepotProcess
    confirmed: list[str]

    def drive(self, many: int) -> None:
        """See `many` things; every tenth is a stretch, every fiftieth has a picture, of one chunk or of three."""
        for _ in range(many):
            number = len(self.confirmed)
            if number % 10 == 9:
                self.confirmed.append(self.uplink.confirm(coverage(self.uplink.boot)))
                continue
            picture = None
            if number % 50 == 25:
                picture = jpeg() + random.Random(number).randbytes(80_000 if number % 100 == 25 else 100)
            self.confirmed.append(self.uplink.confirm(observation(self.uplink.boot, picture), picture))

    def count(self, name: str) -> int:
        return self.uplink.counters().get(name, 0)

    def arrive(self, what: str, *, in_order: bool = True) -> None:
        """Wait until the vehicle has nothing left, then look at what the depot shows."""
        begin_s, before = time.monotonic(), self.uplink.counts().acknowledged

        def done() -> bool:
            counts = self.uplink.counts()
            return not counts.pending and not counts.pictures_pending

        wait_until(done, timeout_s=PATIENCE_S, what=f"the drain {self.uplink.counts()} {self.uplink.faults()}")
        took_s = time.monotonic() - begin_s
        drained = self.uplink.counts().acknowledged - before
        print(f"{what}: {len(self.confirmed)} confirmed, {drained} drained in {took_s:.1f} s, {drained / took_s:.0f}/s")
        self.check(in_order=in_order)

    def check(self, *, in_order: bool) -> None:
        """Confirmed = shown, once, and in the order of confirmation."""
        assert self.uplink.counts().acknowledged == len(self.confirmed)
        assert self.count("delivery_mistakes") == 0, "it lives on, but nothing of this is a surprise"
        with contextlib.closing(sqlite3.connect(self.folder / "data" / "depot.sqlite")) as db:
            pending = "SELECT count(*) FROM pending"
            wait_until(lambda: rows(db, pending) == [0], timeout_s=PATIENCE_S, what="all has become cases")
            shown = [
                rows(db, "SELECT id FROM events WHERE type LIKE '%.observation.%' ORDER BY received"),
                rows(db, "SELECT id FROM events WHERE type LIKE '%.coverage.%' ORDER BY received"),
            ]
            assert sorted(shown[0] + shown[1]) == sorted(self.confirmed), "confirmed is not shown"
            assert not in_order or all(kind == sorted(kind) for kind in shown), "not in order"
            seen = 'SELECT count(*) FROM sightings s JOIN cases c ON c.number = s."case" WHERE s.received IS NOT NULL'
            assert rows(db, seen) == [len(shown[0])], "shown twice"
            lost = "SELECT picture FROM sightings WHERE picture IS NOT NULL EXCEPT SELECT sha256 FROM pictures"
            assert rows(db, lost) == []


def rows(db: sqlite3.Connection, query: str) -> list[Any]:
    return [row[0] for row in db.execute(query)]


@contextlib.contextmanager
def road(
    folder: Path, *, extra: str = "", listener: str = "", program: tuple[str, ...] = ("-m", "depot.cli"), **changes: Any
) -> Iterator[Road]:
    with (
        mosquitto(folder, extra=extra, listener=listener) as broker,
        FaultProxy(broker.host, broker.port) as link,
    ):
        settings = BrokerSettings(link.host, VEHICLE, link.port, will_delay_s=0, limits=QUICK)
        uplink = Uplink(Outbox(folder / "outbox.db"), replace(settings, **changes), Birth("0.1.0"))
        all_of = Road(folder, broker, link, uplink, DepotProcess(folder, broker.port, program=program), [])
        try:
            yield all_of
        finally:
            uplink.close()
            if all_of.depot.runs:  # a test may have put another one there
                all_of.depot.end(signal.SIGKILL)


def test_a_depot_that_was_away_gets_everything_in_order(tmp_path: Path) -> None:
    """Red when a PUBACK lets an event go; out of order without `ORDER BY seq` in the outbox."""
    with road(tmp_path) as all_of:
        all_of.drive(QUEUED)
        assert all_of.uplink.counts().acknowledged == 0
        all_of.depot.start()
        all_of.arrive("depot away")


def test_a_link_that_flaps_all_the_time_loses_nothing(tmp_path: Path) -> None:
    """Red without `window.lost` in `Sender.end`: what was under way would never come again."""
    with road(tmp_path) as all_of:
        all_of.depot.start()
        all_of.link.flap(FLAP_S / 6, FLAP_S)
        all_of.drive(QUEUED)
        all_of.arrive(f"link cut every {FLAP_S / 6:g} to {FLAP_S:g} s")
        assert all_of.count("delivery_links_lost") > 2


def test_pubacks_that_never_arrive_are_noticed(tmp_path: Path) -> None:
    """Red without `_notice_silence`: twenty under way, and nothing ever again."""
    with road(tmp_path) as all_of:
        all_of.link.drop_pubacks = True
        all_of.drive(QUEUED)
        wait_until(lambda: all_of.count("delivery_silences_broker") >= 2, timeout_s=20, what="the silence")
        all_of.depot.start()
        all_of.link.drop_pubacks = False
        all_of.arrive("PUBACKs dropped")
        assert all_of.link.dropped >= 20


def test_a_half_open_link_is_noticed_and_left(tmp_path: Path) -> None:
    """Red without `_notice_silence`: the socket stays open, and new ones connect and hear nothing."""
    with road(tmp_path) as all_of:
        all_of.depot.start()
        all_of.uplink.wait_online(10.0)
        all_of.drive(QUEUED // 2)
        all_of.link.half_open()
        all_of.drive(QUEUED // 2)
        wait_until(lambda: all_of.count("delivery_links_lost") >= 2, timeout_s=20, what="two silent links")
        all_of.link.heal()
        all_of.arrive("half-open")


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho leaves a failed handshake's socket
def test_a_handshake_that_is_cut_again_and_again_is_tried_on(tmp_path: Path) -> None:
    """Red when `PahoLink.open` lets an error of the TLS layer through (it counts as a mistake of ours then)."""
    files = certificates(tmp_path / "tls", {"broker": "localhost", "vehicle": VEHICLE})
    secure = f"cafile {files}/ca.pem\ncertfile {files}/broker.pem\nkeyfile {files}/broker.key\nrequire_certificate true"
    tls = Tls(files / "ca.pem", files / "vehicle.pem", files / "vehicle.key")
    with road(tmp_path, listener=secure, tls=tls) as all_of:
        all_of.link.is_mqtt = False
        all_of.link.cut_after = 100  # within the broker's first words
        all_of.link.cut()
        begin = all_of.link.connections
        all_of.drive(QUEUED)
        wait_until(lambda: all_of.link.connections >= begin + 5, timeout_s=20, what="five attempts")
        assert all_of.uplink.state.name == "unreachable"
        all_of.link.cut_after = None
        own = f'tls_cert = "{files}/vehicle.pem"\ntls_key = "{files}/vehicle.key"'
        more = f'host = "localhost"\ntls_ca = "{files}/ca.pem"\n{own}'
        all_of.depot = DepotProcess(tmp_path, all_of.broker.port, more).start()
        all_of.arrive("TLS cut in the handshake")


def test_a_name_that_nobody_knows_any_more_is_tried_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red when `PahoLink.open` lets an error of the name resolution through (a mistake of ours then)."""
    known = socket.getaddrinfo
    gone: list[bool] = [True]

    def look_up(host: Any, *arguments: Any, **more: Any) -> Any:
        if host == "broker.example":
            if gone[0]:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            host = "127.0.0.1"
        return known(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with road(tmp_path, host="broker.example") as all_of:
        all_of.drive(QUEUED)
        assert "name resolution" in all_of.uplink.state.reason
        all_of.depot.start()
        gone[0] = False
        all_of.arrive("DNS gone")


def test_a_slow_link_carries_everything(tmp_path: Path) -> None:
    """A bad mobile network: 50 ms each way, 100 kB/s."""
    with road(tmp_path) as all_of:
        all_of.link.delay_s, all_of.link.bytes_per_s = 0.05, 100_000
        all_of.depot.start()
        all_of.drive(min(QUEUED, 300))
        all_of.arrive("50 ms and 100 kB/s")


def test_a_broker_killed_right_after_its_puback_and_wiped_costs_nothing(tmp_path: Path) -> None:
    """Red when a PUBACK lets an event go. (Without `session_present` the patience with the depot saves it, later.)"""
    dice = random.Random(11)
    with road(tmp_path) as all_of:
        wanted: set[int] = set()

        def kill(number: int) -> None:
            if number in wanted:
                all_of.broker.kill()
                all_of.broker.wipe()
                all_of.broker.start()
                wanted.discard(number)

        all_of.link.on_puback = kill
        all_of.depot.start()
        for _ in range(BROKER_KILLS):
            wanted.add(all_of.link.pubacks + dice.randint(3, 60))
            all_of.drive(40)
            while wanted:
                all_of.drive(5)
        # A wiped broker passes on nothing until the depot is back; that comes again, after what is newer.
        all_of.arrive(f"broker killed and wiped {BROKER_KILLS} times", in_order=False)


#: The depot, killed by itself within its n-th commit: as SQLite begins with it, or up to two thousandths later.
_DIES_IN_A_COMMIT = """
import os, random, signal, sys, threading
from depot.store import database
from depot.cli import main
seed = int(os.environ["WEGEWART_SEED"])
dice = random.Random(seed)
left = [dice.randint(1, 20)]
prepare = database._prepare_sqlite
def traced(connection, record):
    prepare(connection, record)
    writes = [False]
    def trace(statement):
        if statement.startswith("BEGIN"):
            writes[0] = "IMMEDIATE" in statement
        if statement == "COMMIT" and writes[0]:
            left[0] -= 1
            if left[0] == 0:
                if seed % 2 == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                threading.Timer(dice.uniform(0, 0.002), os.kill, (os.getpid(), signal.SIGKILL)).start()
    connection.set_trace_callback(trace)
database._prepare_sqlite = traced
sys.exit(main())
"""


def test_a_depot_killed_in_the_middle_of_its_commits_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red when the depot acknowledges before its commit (`reply` before `_store_all`), or confirms to the broker
    before it; when the vehicle does not send again what stays unanswered.
    """
    with road(tmp_path) as all_of:
        all_of.depot.start()  # makes the tables
        all_of.depot.end()
        well: Sequence[str] = all_of.depot.program
        for kill in range(DEPOT_KILLS):
            monkeypatch.setenv("WEGEWART_SEED", str(kill))
            all_of.depot.program = ("-c", _DIES_IN_A_COMMIT)
            all_of.depot.start(is_to_live=False)
            while all_of.depot.alive:
                all_of.drive(10)
                # Not more than it can take: a slow machine would have to drain all of it in the end.
                wait_until(
                    lambda: not all_of.depot.alive or all_of.uplink.counts().pending < QUEUED,
                    timeout_s=PATIENCE_S,
                    what="it to take",
                )
            assert all_of.depot.wait(15) == -signal.SIGKILL
        all_of.depot.program = tuple(well)
        all_of.depot.start()
        all_of.arrive(f"depot killed within {DEPOT_KILLS} commits")
