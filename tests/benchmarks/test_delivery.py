# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks of delivery, very short: they run, they count right, and they can fail.

What makes `python -m benchmarks.kills --kills 14` red, each tried once on a copy of the tree (2026-11-22):

- `COMMIT` left out in `Ledger.transaction`: lost.
- `Outbox.confirm` that writes only every fourth event out before it returns: lost.
- the same boot name at every start (`Ledger._begin`): ids twice.
- a PUBACK taken for the depot's word (`acknowledge` in place of `mark_sent` in `Sender.taken`), with
  `--victims broker,depot`: lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from pathlib import Path

import pytest

from benchmarks import drain, fleet, growth, soak
from benchmarks.endless import CALIBRATION, EndlessCamera, EndlessPositions, TrueDetector, record
from benchmarks.kills.rig import Rig
from benchmarks.kills.vehicle import noting
from benchmarks.kills.verdict import Verdict, judge, read_journal
from benchmarks.servers import Broker, Depot
from edge.delivery.outbox import Outbox
from tests.servers import need

GOOD = {
    "confirmed": 3,
    "stored": 3,
    "lost": (),
    "twice": (),
    "unseen": 0,
    "observations": 2,
    "shown": 2,
    "not_shown": (),
    "pictures": 1,
    "pictures_lost": (),
}


@pytest.fixture
def servers(tmp_path: Path):
    """A running broker and a running depot."""
    need("mosquitto")
    broker = Broker(tmp_path)
    depot = Depot(tmp_path, broker)
    try:
        broker.start()
        depot.start()
        depot.wait_connected()
        yield broker, depot
    finally:
        depot.kill()
        broker.kill()


@pytest.mark.parametrize(
    "wrong",
    [
        {"confirmed": 0},
        {"lost": ("a",)},
        {"twice": ("a",)},
        {"not_shown": ("a",)},
        {"pictures_lost": ("a",)},
        {"shown": 1},
        {"unseen": 3},
    ],
)
def test_anything_that_does_not_agree_breaks_the_promise(wrong):
    assert Verdict(**GOOD).is_good(2)
    assert not Verdict(**{**GOOD, **wrong}).is_good(2)


def test_the_witness_notes_what_confirm_returned_and_nothing_else(tmp_path: Path):
    journal = tmp_path / "journal"
    outbox = Outbox(tmp_path / "outbox.db")
    with noting(journal):
        first = outbox.confirm("coverage", str.encode)
        second = outbox.confirm("observation", str.encode, b"picture")
        with pytest.raises(ValueError, match="nothing"):
            outbox.confirm("nothing", str.encode)
    outbox.confirm("coverage", str.encode)
    outbox.close()
    told = read_journal(journal)
    assert [(one.id, one.kind, one.event) for one in told] == [
        (first, "coverage", hashlib.sha256(first.encode()).hexdigest()),
        (second, "observation", hashlib.sha256(second.encode()).hexdigest()),
    ]
    assert [one.picture for one in told] == [None, hashlib.sha256(b"picture").hexdigest()]


@pytest.mark.integration
def test_what_the_depot_never_got_or_got_otherwise_is_lost_and_an_id_given_again_is_twice(servers, tmp_path: Path):
    _, depot = servers
    journal = tmp_path / "journal"
    with noting(journal):
        outbox = Outbox(tmp_path / "outbox.db")
        lost = outbox.confirm("observation", str.encode)
        outbox.close()
    line = journal.read_text()
    journal.write_text(line + line)
    verdict = judge(journal, depot)
    assert (verdict.lost, verdict.twice, verdict.not_shown) == ((lost, lost), (lost,), (lost, lost))


@pytest.mark.integration
def test_a_daemon_killed_on_its_drive_loses_nothing_and_shows_nothing_twice(tmp_path: Path):
    need("mosquitto")
    drive = tmp_path / "drive"
    record(drive, 60, every_m=8.0)
    with Rig(tmp_path, drive, random.Random(3)) as rig:
        rig.depot.wait_connected()
        for victims in (["broker"], ["depot"], ["daemon"]):
            rig.kill(victims)
        assert rig.finish()["drained"] is True
        verdict = judge(rig.journal, rig.depot)
    assert verdict.is_good(1), verdict
    assert rig.counters["daemon kills"] == 1


@pytest.mark.integration
def test_what_waited_while_the_depot_was_away_drains_in_order(servers, tmp_path: Path):
    broker, depot = servers
    result = drain.measure(tmp_path, broker, depot, 150, 3)
    assert result.is_good, result
    assert result.in_order
    assert result.pictures_stored == 3


@pytest.mark.integration
def test_a_small_fleet_comes_back_spread_out(tmp_path: Path):
    need("mosquitto")
    broker = Broker(tmp_path)
    broker.start()
    try:
        result = asyncio.run(fleet.restart(broker, 20, 0.5, lockstep=False))
    finally:
        broker.kill()
    assert result.back == 20
    assert sum(result.connects_per_s) >= 20
    assert len(set(result.after_s)) > 10


@pytest.mark.integration
def test_a_drive_without_end_is_seen_confirmed_and_stored_with_kills_on_the_way(servers, tmp_path: Path):
    broker, depot = servers
    journal, hours = tmp_path / "journal", 60 / 3600
    with noting(journal):
        disturbance = soak.Disturbance(broker, depot, 1, hours)
        samples, summary = soak.drive(tmp_path, broker, hours, disturbance, also_model=False)
    depot.wait_connected()
    verdict = judge(journal, depot)
    assert summary.drained
    assert verdict.is_good(0), verdict
    # 600 m with a defect every 40 m; those at the ends are not seen well enough.
    assert 10 <= verdict.observations <= 16
    assert samples[-1].rss_mib > 20
    assert sum(disturbance.counters[who] for who in ("broker", "depot")) == 1


def test_the_slope_is_that_of_a_straight_line():
    line = [growth.Sample(60.0 * n, 0.0, 100 + 0.05 * n, 9, 4, 0, 0) for n in range(100)]
    assert growth.slope(line, lambda s: s.rss_mib) == (pytest.approx(3.0), pytest.approx(0.0, abs=1e-9))
    assert growth.settled(line)[0].drive_s == pytest.approx(0.25 * line[-1].drive_s, abs=60)


def test_the_endless_drive_shows_each_defect_where_the_positions_say_it_is():
    camera, positions = EndlessCamera(), EndlessPositions()
    detector = TrueDetector(camera, _Shipped(), also=False)
    seen = 0
    for _ in range(100):
        frame = camera.read()
        positions.until(frame.time_s)
        for found in detector.detect(frame.picture):
            seen += 1
            assert 0 <= found.box[0] < found.box[2] <= CALIBRATION.width
    # A defect every 40 m is in view on about 12 m.
    assert 20 < seen < 50


class _Shipped:
    package, precision = None, "int8"

    def detect(self, _picture):
        return ()
