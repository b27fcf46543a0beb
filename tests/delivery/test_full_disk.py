# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, read-only or failing never stops the vehicle: on a real ext4 of a few MB, mounted for the test.

Needs root and a loop device. Where a container has neither, these tests skip, in CI as well: nothing can be installed
that would help. The same decisions are tested without a mount further down.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.delivery.ledger import Ledger
from edge.delivery.outbox import Outbox
from edge.delivery.port import encode_record
from edge.delivery.quota import Clearance, Quota, Shelf, clear
from edge.delivery.writer import RETRY_S
from messages.envelope import kind_of
from messages.types import Ack
from tests.delivery.samples import RECORDS, VEHICLE
from tests.delivery.test_courier import World
from tests.delivery.test_outbox import confirm, confirm_record, keys, sha

SMALL = Quota(free_bytes=500_000)


def run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{' '.join(str(word) for word in command)}: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A mounted ext4 of 6 MB."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small file system")
    if shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
        pytest.skip("mkfs.ext4 is not there (apt install e2fsprogs)")
    image, folder = tmp_path / "disk.img", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(6 * 1024 * 1024)
    run("mkfs.ext4", "-q", "-m", "0", "-O", "has_journal", image)
    run("mount", "-o", "loop", image, folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(disk: Path) -> Path:
    """Somebody else's file that takes the last byte of the disk."""
    hog = disk / "somebody.log"
    with hog.open("ab", buffering=0) as file:
        size = 65536
        while size:
            try:
                file.write(bytes(size))
                os.fsync(file.fileno())
            except OSError:  # noqa: PERF203
                size //= 2
    return hog


class Clock:
    """Monotonic seconds that the test moves on."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.integration
def test_on_a_full_disk_pictures_make_room_delivered_ones_first_then_the_oldest(disk: Path) -> None:
    """Red without `make_room` (events only in memory), with `waiting` before `answered` in `Gallery._shelf`'s result,
    or without ORDER BY there.
    """
    outbox = Outbox(disk / "outbox.db", quota=SMALL)
    pictures = [bytes([number]) * 300_000 for number in range(6)]
    events = [confirm(outbox, picture) for picture in pictures]
    delivered = [sha(pictures[3]), sha(pictures[4])]
    outbox.acknowledge([], delivered)
    fill(disk)
    there = [sha(picture) for picture in pictures]
    gone: list[str] = []
    for _ in range(2500):
        events.append(confirm(outbox))
        gone += [key for key in there if key not in gone and not (disk / "outbox.db.pictures" / f"{key}.jpg").exists()]
        if len(gone) == 4:
            break
    assert gone == [*delivered, there[0], there[1]]
    assert "only in memory" not in (outbox.fault or "")
    assert keys_of_events(outbox) == events
    assert outbox.counts().pictures_lost == 2
    outbox.close()


@pytest.mark.integration
def test_on_a_disk_that_takes_nothing_events_wait_in_memory_are_sent_and_written_later(disk: Path) -> None:
    """Red when `Writer.flush` raises, or without the facts of the holding in `pending`; the last two lines without
    `flush` in `pending`.
    """
    clock = Clock()
    outbox = Outbox(disk / "outbox.db", quota=SMALL, monotonic=clock)
    events = [confirm(outbox)]
    hog = fill(disk)
    while outbox.fault is None:
        events.append(confirm(outbox))
    events += [confirm(outbox, b"picture") for _ in range(20)]
    assert "full; free some space" in outbox.fault
    assert "only in memory" in outbox.fault
    assert keys_of_events(outbox) == events
    assert outbox.counts().confirmed == len(events) == outbox.counts().pending
    assert outbox.acknowledge([events[0], events[-1]]).changed == 2, "both from the disk and from memory"
    assert keys_of_events(outbox) == events[1:-1]
    assert outbox.tidy() == 0
    hog.unlink()
    clock.now_s += RETRY_S + 1
    assert keys_of_events(outbox) == events[1:-1]
    assert outbox.fault is None
    counts = outbox.counts()
    assert (counts.confirmed, counts.acknowledged, counts.pending) == (len(events), 2, len(events) - 2)
    outbox.close()
    with Reopened(disk) as again:
        assert (keys_of_events(again), again.fault) == (events[1:-1], None)
        assert again.counts().confirmed == len(events)


@pytest.mark.integration
def test_a_full_disk_at_start_is_cleared_of_pictures_and_the_store_opens(disk: Path) -> None:
    """Red without `flush` in `Outbox.__init__`, or without `unwanted` in `Gallery._shelf`: it would stay in memory."""
    outbox = Outbox(disk / "outbox.db", quota=SMALL)
    events = [confirm(outbox, bytes([number]) * 300_000) for number in range(3)]
    outbox.acknowledge([], [sha(bytes([1]) * 300_000)])
    outbox.close()
    fill(disk)
    with Reopened(disk) as again:
        assert again.faults() == ("under 0.5 MB free: pictures go",)
        events.append(confirm(again))
        assert keys_of_events(again) == events
        left = {path.stem for path in (disk / "outbox.db.pictures").iterdir()}
        assert left == {sha(bytes([number]) * 300_000) for number in (0, 2)}


@pytest.mark.integration
def test_a_full_disk_with_nothing_to_clear_does_not_keep_the_vehicle_from_starting(disk: Path) -> None:
    """Red without `stand_in`."""
    fill(disk)
    with Reopened(disk) as outbox:
        events = [confirm_record(outbox, number) for number in range(8)]
        assert sorted(keys_of_events(outbox)) == events
        assert outbox.fault is not None
        outbox.acknowledge(events)
        assert outbox.counts().pending == 0
    with Reopened(disk) as outbox:
        assert outbox.fault is not None


@pytest.mark.integration
def test_a_file_system_that_turns_read_only_on_the_way_is_told_and_driven_on(disk: Path) -> None:
    """What ext4 does on an error (errors=remount-ro), here by its own switch. Red when `Writer.flush` raises or
    without `doubtful`: SQLite cannot go on with the open file.
    """
    clock = Clock()
    outbox = Outbox(disk / "outbox.db", quota=SMALL, monotonic=clock)
    before = [confirm(outbox, b"before %d" % number) for number in range(3)]
    run("mount", "-o", "remount,abort", disk)
    during = [confirm(outbox, b"during %d" % number) for number in range(3)]
    assert outbox.fault is not None
    clock.now_s += RETRY_S + 1
    assert keys_of_events(outbox) == before + during
    assert outbox.picture(sha(b"before 1")) == b"before 1"
    assert outbox.acknowledge([before[0], during[0]]).changed == 2
    clock.now_s += RETRY_S + 1
    assert keys_of_events(outbox) == before[1:] + during[1:]
    assert outbox.counts().pictures_lost == 3
    assert "check" in (outbox.fault or "") or "failing" in (outbox.fault or "")
    outbox.close()


@pytest.mark.integration
def test_on_a_read_only_file_system_the_daemon_starts_with_what_is_there(disk: Path) -> None:
    """Red without `stand_in`, or when the log is not read (`_Pages.__iter__`)."""
    outbox = Outbox(disk / "outbox.db", quota=SMALL)
    stored = [confirm(outbox, b"picture") for _ in range(3)]
    shutil.copy(disk / "outbox.db-wal", disk / "kept")
    shutil.copy(disk / "outbox.db", disk / "kept.db")
    outbox.close()
    (disk / "kept").rename(disk / "outbox.db-wal")  # a power cut left the log
    (disk / "kept.db").rename(disk / "outbox.db")
    run("mount", "-o", "remount,ro", disk)
    clock = Clock()
    outbox = Outbox(disk / "outbox.db", quota=SMALL, monotonic=clock)
    assert "check owner, rights and mount" in (outbox.fault or "")
    assert outbox.start == 2
    new = confirm(outbox, b"new")
    assert keys(outbox) == [*stored, new, sha(b"picture")]
    outbox.acknowledge([stored[0]], [sha(b"picture")])
    run("mount", "-o", "remount,rw", disk)
    clock.now_s += RETRY_S + 1
    last = confirm(outbox)
    assert outbox.fault is None
    outbox.close()
    with Reopened(disk) as again:
        assert keys(again) == [stored[1], stored[2], new, last]
        counts = again.counts()
        assert (counts.confirmed, counts.acknowledged, counts.pictures_lost) == (5, 1, 1)


class Reopened:
    """An outbox on the small disk for a `with` block."""

    def __init__(self, disk: Path) -> None:
        self.outbox = Outbox(disk / "outbox.db", quota=SMALL)

    def __enter__(self) -> Outbox:
        return self.outbox

    def __exit__(self, *_: object) -> None:
        self.outbox.close()


def keys_of_events(outbox: Outbox) -> list[str]:
    return [item.key for item in outbox.pending(10_000) if item.kind != "picture"]


# -- without a mount -------------------------------------------------------------------------------------------


class Failing:
    """Stands before a connection and lets writing fail while `error` is set."""

    def __init__(self, ledger: Ledger) -> None:
        self.error: str | None = None
        self._ledger = ledger
        self._real = ledger._db
        ledger._db = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def execute(self, statement: str, values: object = ()) -> object:
        if self.error is not None and not statement.startswith("SELECT"):
            raise sqlite3.OperationalError(self.error)
        return self._real.execute(statement, values)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox(tmp_path: Path, clock: Clock) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "outbox.db", quota=Quota(in_memory=8), monotonic=clock)
    yield made
    made.close()


@pytest.mark.parametrize("error", ["database or disk is full", "disk I/O error", "database is locked"])
def test_what_waits_in_memory_is_bounded_and_the_least_important_goes_first(
    outbox: Outbox, clock: Clock, error: str
) -> None:
    """Red without the bound in `Holding.add`, or with `reversed` left out there."""
    disk = Failing(outbox._ledger)
    disk.error = error
    events = {number: confirm_record(outbox, number) for number in range(12)}  # roughness, coverage, revision, obs.
    assert error in (outbox.fault or "")
    assert "4 events were lost" in (outbox.fault or "")
    assert outbox.counters()["outbox_lost"] == 4
    disk.error = None
    clock.now_s += RETRY_S + 1
    left = [number for number in range(12) if events[number] in keys(outbox)]
    assert [kind_of(RECORDS[number % 4]) for number in left].count("observation") == 3
    assert [kind_of(RECORDS[number % 4]) for number in left].count("roughness") == 0
    assert len(left) == 8
    counts = outbox.counts()
    assert (counts.confirmed, counts.pending) == (8, 8)
    assert "4 events were lost" in (outbox.fault or ""), "for this run it stays told"


def test_a_disk_that_fails_is_not_asked_with_every_event(outbox: Outbox, clock: Clock) -> None:
    """Red without `_retry_s`: a locked store would cost two seconds a frame."""
    disk = Failing(outbox._ledger)
    disk.error = "database is locked"
    for _ in range(5):
        confirm(outbox)
    assert outbox.counters()["outbox_write_errors"] == 1
    clock.now_s += RETRY_S + 1
    confirm(outbox)
    assert {name: number for name, number in outbox.counters().items() if number} == {
        "outbox_in_memory": 6,
        "outbox_write_errors": 2,
    }


def test_the_depot_gets_everything_from_a_vehicle_whose_disk_takes_nothing(fast_path: Path) -> None:
    """And the link stays. Red when an answer that cannot be written down raises: the same things would be sent again
    and again over ever new connections.
    """
    world = World(fast_path)
    stored = [confirm(world.outbox, b"picture"), confirm(world.outbox)]
    disk = Failing(world.outbox._ledger)
    disk.error = "database or disk is full"
    held = [confirm(world.outbox) for _ in range(3)]
    link = world.go_online()
    link.take_all()
    world.steps()
    assert link.sent() == [*stored, *held, sha(b"picture")]
    link.answer(Ack(events=(*stored, *held), pictures=(sha(b"picture"),)))
    world.now_s += 700
    world.steps()
    assert keys(world.outbox) == []
    assert len(world.links) == 1
    counts = world.outbox.counts()
    assert (counts.confirmed, counts.acknowledged, counts.pending, counts.pictures_pending) == (5, 5, 0, 0)
    disk.error = None
    world.now_s += RETRY_S + 1
    assert keys(world.outbox) == []
    assert world.outbox.counts() == counts, "what was only in memory is counted in the store as well"
    assert not world.outbox.resend_picture("0" * 64)
    assert world.outbox.fault is None
    world.close()


def test_a_store_that_breaks_on_the_way_is_set_aside_without_a_restart(outbox: Outbox, clock: Clock) -> None:
    """Red without `doubtful` in `Ledger.reopen`."""
    events = [confirm(outbox) for _ in range(50)]
    with sqlite3.connect(outbox.path) as other:
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    other.close()
    content = bytearray(outbox.path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    disk = Failing(outbox._ledger)
    disk.error = "database disk image is malformed"
    events.append(confirm(outbox))
    outbox.path.write_bytes(content)
    clock.now_s += RETRY_S + 1
    events.append(confirm(outbox))
    assert "set aside as outbox.db.bad" in (outbox.fault or "")
    assert "only in memory" not in (outbox.fault or "")
    waiting = keys(outbox)
    assert waiting == [event for event in events if event in waiting]
    assert waiting[-2:] == events[-2:]
    assert len(waiting) > 25


def test_pictures_stay_within_their_quota_and_the_oldest_waiting_goes_last(tmp_path: Path) -> None:
    """Red without `over` in `Gallery._fits`."""
    with_quota = Outbox(tmp_path / "outbox.db", quota=Quota(pictures_bytes=3000))
    for number in range(3):
        confirm(with_quota, bytes([number]) * 1000)
    with_quota.acknowledge([], [sha(b"\x02" * 1000)])
    folder = tmp_path / "outbox.db.pictures"
    for number, gone in ((3, 2), (4, 0), (5, 1)):
        confirm(with_quota, bytes([number]) * 1000)
        assert not (folder / f"{sha(bytes([gone]) * 1000)}.jpg").exists()
        assert sum(path.stat().st_size for path in folder.iterdir()) == 3000
    assert with_quota.counts().pictures_lost == with_quota.counters()["outbox_pictures_dropped"] == 2
    assert with_quota.fault is None, "a full quota is no fault of the disk"
    assert [item.key for item in with_quota.pending(99) if item.kind == "picture"] == [
        sha(bytes([number]) * 1000) for number in (3, 4, 5)
    ]
    confirm(with_quota, b"x" * 4000)
    assert len(list(folder.iterdir())) == 3, "nothing goes for a picture that would not fit all the same"
    with_quota.close()


def test_a_kind_keeps_within_its_quota_the_oldest_goes_and_is_counted(tmp_path: Path) -> None:
    """Red without `drop_over_quota` in `confirm` (a tidy needs a link), or when it drops observations, too."""
    outbox = Outbox(tmp_path / "outbox.db", quota=Quota(waiting={"roughness": 10}))
    numbers = [confirm_record(outbox, number) for number in range(200)]
    waiting = keys(outbox)
    assert len(waiting) == 160
    assert [key for key in numbers[::4] if key in waiting] == numbers[::4][-10:]
    counts = outbox.counts()
    assert (counts.confirmed, counts.dropped, counts.pending) == (200, 40, 160)
    assert outbox.faults() == ("40 waiting events were over their quota and dropped",)
    outbox.close()


def test_a_disk_that_is_nearly_full_keeps_facts_and_says_that_pictures_go(tmp_path: Path) -> None:
    """Red without `short` in `Gallery._fits`, or in `faults`."""
    outbox = Outbox(tmp_path / "outbox.db", quota=Quota(free_bytes=1 << 60))
    event = confirm(outbox, b"picture")
    assert keys(outbox) == [event]
    assert outbox.counts().pictures_lost == 1
    assert "MB free: pictures go" in (outbox.fault or "")
    assert outbox.gauges()["disk_free_mb"] > 0
    outbox.close()


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        (0, Clearance()),
        (1, Clearance(("a",))),
        (31, Clearance(("a", "b"), ("c",))),
        (60, Clearance(("a", "b"), ("c", "d"))),
        (71, None),
    ],
)
def test_what_goes_is_decided_in_order_and_only_where_it_helps(needed: int, expected: Clearance | None) -> None:
    """Red with the two lists swapped in `clear`, or without its first `if`."""
    shelf = Shelf(answered=(("a", 10), ("b", 20)), waiting=(("c", 20), ("d", 20)))
    assert clear(shelf, needed) == expected


def test_an_id_whose_commit_failed_is_entered_once(outbox: Outbox) -> None:
    """Red without OR IGNORE in `_enter_fact`: a commit that failed may be on the disk all the same."""
    record = RECORDS[3]
    payload = encode_record(VEHICLE, f"{outbox.boot}-00000001", record)
    outbox._ledger._db.execute(
        "INSERT INTO event (id, boot, kind, payload) VALUES (?, ?, 'observation', ?)",
        (f"{outbox.boot}-00000001", outbox.start, payload),
    )
    assert confirm_record(outbox, 3) == f"{outbox.boot}-00000001"
    assert keys(outbox) == [f"{outbox.boot}-00000001"]
    assert outbox.fault is None
