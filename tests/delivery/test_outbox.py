# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The durable outbox: what was confirmed stays until the depot has answered."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.delivery.database import open_database
from edge.delivery.outbox import Answered, Outbox
from edge.delivery.port import encode_record
from edge.delivery.writer import RETRY_S
from edge.errors import StoreError
from messages.envelope import decode, kind_of
from tests.delivery.conftest import FAST
from tests.delivery.samples import RECORDS, VEHICLE, coverage, observation


def confirm(outbox: Outbox, picture: bytes | None = None) -> str:
    return outbox.confirm(
        "observation", lambda identity: encode_record(VEHICLE, identity, observation(picture=picture)), picture
    )


#: What is sent first; what comes later to `KINDS` has its place between these.
ORDER = ["observation", "revision", "clock", "coverage", "roughness"]


def confirm_record(outbox: Outbox, number: int) -> str:
    """Confirm one of RECORDS, chosen by `number`."""
    record = RECORDS[number % len(RECORDS)]
    return outbox.confirm(kind_of(record), lambda identity: encode_record(VEHICLE, identity, record))


def keys(outbox: Outbox) -> list[str]:
    return [item.key for item in outbox.pending(1000)]


def sha(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()


@pytest.fixture
def outbox(tmp_path: Path):
    with_clock = Outbox(tmp_path / "outbox.db", monotonic=lambda: clock[0])
    clock[0] = 0.0
    yield with_clock
    with_clock.close()


clock = [0.0]


def test_events_are_given_in_order_and_before_pictures(outbox: Outbox) -> None:
    """Red without ORDER BY seq, or with the pictures asked for first."""
    first = confirm(outbox, b"picture")
    second = confirm(outbox)
    assert [(item.key, item.kind) for item in outbox.pending(9)] == [
        (first, "observation"),
        (second, "observation"),
        (sha(b"picture"), "picture"),
    ]
    assert keys(outbox)[:2] == sorted([first, second])
    assert decode(outbox.pending(1)[0].payload or b"").id == first
    assert [item.key for item in outbox.pending(1, skip={first})] == [second]


def test_observations_go_first_then_what_corrects_them_then_the_rest(outbox: Outbox) -> None:
    """Red when all kinds are asked for in one query by seq, or with KINDS in another order."""
    kinds = [kind_of(record) for record in (*RECORDS, *RECORDS)]
    confirmed = [confirm_record(outbox, number) for number in range(len(kinds))]
    confirm(outbox, b"picture")
    confirmed.append(keys(outbox)[2])  # the third observation
    kinds.append("observation")
    order = sorted(range(len(kinds)), key=lambda number: ORDER.index(kinds[number]))
    wanted = [confirmed[number] for number in order]
    assert keys(outbox) == [*wanted, sha(b"picture")]
    assert [item.key for item in outbox.pending(3, skip=set(wanted[:2]))] == wanted[2:5]
    assert [item.kind for item in outbox.pending(99)] == [*(kinds[number] for number in order), "picture"]


def test_a_kind_that_is_none_of_ours_is_a_mistake_of_the_caller(outbox: Outbox) -> None:
    """Red without the check: it would lie there for ever, no query asks for it."""
    with pytest.raises(ValueError, match="health"):
        outbox.confirm("health", lambda identity: encode_record(VEHICLE, identity, coverage()))


def test_a_store_of_the_first_version_is_read_as_it_is(tmp_path: Path) -> None:
    """Red when the new index asks for a new format number: the store would be set aside."""
    opened = open_database(tmp_path / "outbox.db").connection
    opened.executescript(
        "DROP INDEX event_waiting; CREATE INDEX event_pending ON event (seq) WHERE state = 'pending';"
        "INSERT INTO boot (number, name, confirmed) VALUES (1, '00001-old', 1);"
    )
    payload = encode_record(VEHICLE, "00001-old-00000001", coverage())
    opened.execute(
        "INSERT INTO event (id, boot, kind, payload) VALUES ('00001-old-00000001', 1, 'coverage', ?)", (payload,)
    )
    opened.close()
    outbox = Outbox(tmp_path / "outbox.db")
    assert outbox.fault is None
    new = confirm(outbox)
    assert keys(outbox) == [new, "00001-old-00000001"]
    with sqlite3.connect(outbox.path) as database:
        plan = database.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM event WHERE state = 'pending' AND kind = 'revision' ORDER BY seq"
        ).fetchall()
    database.close()
    assert [line[3] for line in plan] == ["SEARCH event USING INDEX event_waiting (kind=?)"]
    outbox.close()


def test_only_an_acknowledgement_takes_an_event_out(outbox: Outbox) -> None:
    """Red when `mark_sent` changes the state."""
    identity = confirm(outbox)
    outbox.mark_sent(identity)
    assert keys(outbox) == [identity]
    assert outbox.counts().published == 1
    assert outbox.acknowledge([identity]) == Answered(1, 0)
    assert keys(outbox) == []


def test_acknowledgements_of_unknown_or_known_ids_change_nothing(outbox: Outbox) -> None:
    """Red without the check for state 'pending' in `_answer`: the counts would run away."""
    identity = confirm(outbox)
    assert outbox.acknowledge([identity, "00001-other-00000001"], ["0" * 64]) == Answered(1, 2)
    assert outbox.acknowledge([identity, identity]) == Answered(0, 0)
    counts = outbox.counts()
    assert (counts.confirmed, counts.acknowledged, counts.pending) == (1, 1, 0)


def test_a_refused_event_is_kept_aside_with_its_reason_and_its_picture_is_not_sent_for_ever(outbox: Outbox) -> None:
    """Red without the second half of `refuse`: the picture would be sent again and again."""
    identity = confirm(outbox, b"picture")
    outbox.refuse(identity, "too old")
    assert keys(outbox) == []
    counts = outbox.counts()
    assert (counts.refused, counts.pending, counts.pictures_refused, counts.pictures_pending) == (1, 0, 1, 0)
    with sqlite3.connect(outbox.path) as database:
        assert database.execute("SELECT id, state, reason FROM event").fetchall() == [(identity, "refused", "too old")]
    database.close()


def test_a_picture_that_two_events_share_travels_once_and_stays_while_one_needs_it(outbox: Outbox) -> None:
    """Red without NOT EXISTS in `refuse`, or with a second row for the picture."""
    first, second = confirm(outbox, b"picture"), confirm(outbox, b"picture")
    outbox.refuse(first, "no")
    assert keys(outbox) == [second, sha(b"picture")]
    assert outbox.counts().pictures_confirmed == 1


def test_the_depot_can_refuse_a_picture_by_its_hash(outbox: Outbox) -> None:
    """Red without the fall-back to pictures in `refuse`."""
    identity = confirm(outbox, b"picture")
    assert outbox.refuse(sha(b"picture"), "not a JPEG") == Answered(1, 0)
    assert keys(outbox) == [identity]


def test_acknowledged_events_go_after_the_grace_time_and_never_others(outbox: Outbox) -> None:
    """Red when `tidy` does not ask for state 'acknowledged', or not for the age."""
    gone, refused, waiting = confirm(outbox, b"one"), confirm(outbox), confirm(outbox, b"two")
    outbox.acknowledge([gone], [sha(b"one"), sha(b"two")])
    outbox.refuse(refused, "no")
    clock[0] = 24 * 3600 - 1
    assert outbox.tidy() == 0
    clock[0] = 24 * 3600 + 1
    assert outbox.tidy() == 1
    assert keys(outbox) == [waiting]
    assert outbox.picture(sha(b"two")) == b"two"
    pictures = outbox.path.with_name("outbox.db.pictures")
    assert [path.name for path in pictures.iterdir()] == [sha(b"two") + ".jpg"]
    assert outbox.counts().confirmed == 3


def test_the_grace_time_counts_operation_over_restarts_and_no_clock(tmp_path: Path) -> None:
    """Red without `_note_uptime`: a vehicle that is switched off each night would never delete anything."""
    path, now = tmp_path / "outbox.db", [1e9]
    for day in range(4):  # 8 h of work a day; the monotonic clock begins anew each time
        now[0] = 500.0 * day
        outbox = Outbox(path, monotonic=lambda: now[0])
        if day == 0:
            outbox.acknowledge([confirm(outbox)])
        now[0] += 8 * 3600 + 60
        assert outbox.tidy() == (1 if day == 2 else 0), f"day {day}"
        outbox.close()


def test_an_acknowledged_picture_can_be_asked_for_again(outbox: Outbox) -> None:
    """Red without the UPDATE in `resend_picture`."""
    identity = confirm(outbox, b"picture")
    outbox.acknowledge([identity], [sha(b"picture")])
    assert outbox.resend_picture(sha(b"picture"))
    assert keys(outbox) == [sha(b"picture")]
    assert outbox.counts().pictures_pending == 1
    assert not outbox.resend_picture("0" * 64)


def test_a_picture_that_the_card_has_damaged_is_counted_and_not_sent(outbox: Outbox) -> None:
    """Red without the hash check in `PictureFolder.read`: the depot would get rubbish under a hash."""
    identity = confirm(outbox, b"picture")
    (outbox.path.with_name("outbox.db.pictures") / f"{sha(b'picture')}.jpg").write_bytes(b"pictur\0")
    assert outbox.picture(sha(b"picture")) is None
    assert keys(outbox) == [identity]
    assert outbox.counts().pictures_lost == 1
    assert confirm(outbox, b"picture"), "the same picture again"
    assert outbox.picture(sha(b"picture")) == b"picture"
    assert outbox.counts().pictures_lost == 0


def test_a_full_disk_keeps_the_fact_without_the_picture(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red without `suppress(OSError)` in `Gallery.write`."""

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.delivery.pictures.write_durably", full)
    identity = confirm(outbox, b"picture")
    assert keys(outbox) == [identity]
    assert outbox.counts().pictures_lost == 1


def test_a_store_that_takes_nothing_keeps_events_in_memory_and_says_so_in_one_line(tmp_path: Path) -> None:
    """Red without `store_error`, or without the facts of the holding in `counts`."""
    now = [0.0]
    outbox = Outbox(tmp_path / "outbox.db", monotonic=lambda: now[0])
    pages = outbox._ledger._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._ledger._db.execute(f"PRAGMA max_page_count = {pages}")
    events = [confirm(outbox) for _ in range(100)]
    assert re.fullmatch(r"outbox .*outbox\.db: .*full; free some space \(\d+ events .*\)", outbox.fault or "")
    assert outbox.counts().confirmed == outbox.counts().pending == 100
    outbox._ledger._db.execute("PRAGMA max_page_count = 1000000")
    now[0] += RETRY_S + 1
    events.append(confirm(outbox))
    assert outbox.fault is None
    outbox.close()
    again = Outbox(tmp_path / "outbox.db")
    assert keys(again) == events
    again.close()


def test_a_picture_of_an_interrupted_confirm_is_swept_and_foreign_files_are_not(tmp_path: Path) -> None:
    """Red without `sweep`, or without its pattern of our names."""
    outbox = Outbox(tmp_path / "outbox.db")
    confirm(outbox, b"wanted")
    outbox.close()
    pictures = tmp_path / "outbox.db.pictures"
    for name in (f"{'0' * 64}.jpg", f"{'1' * 64}.jpg.tmp", "holiday.jpg", ".DS_Store", "lost+found"):
        (pictures / name).write_bytes(b"x")
    Outbox(tmp_path / "outbox.db").close()
    assert {path.name for path in pictures.iterdir()} == {
        f"{sha(b'wanted')}.jpg",
        "holiday.jpg",
        ".DS_Store",
        "lost+found",
    }


def test_two_processes_never_share_one_outbox(tmp_path: Path) -> None:
    """Red without flock."""
    outbox = Outbox(tmp_path / "outbox.db")
    with pytest.raises(StoreError, match="in use by another process"):
        Outbox(tmp_path / "outbox.db")
    outbox.close()
    Outbox(tmp_path / "outbox.db").close()


def test_plain_sqlite_can_read_it_while_it_runs(outbox: Outbox) -> None:
    """Red with locking_mode=EXCLUSIVE."""
    identity = confirm(outbox)
    with sqlite3.connect(f"file:{outbox.path}?mode=ro", uri=True) as database:
        assert database.execute("SELECT id, state FROM event").fetchall() == [(identity, "pending")]
    database.close()


def test_start_numbers_rise_even_when_the_store_was_lost(tmp_path: Path) -> None:
    """Red without the `.starts` file: an old status of the depot would count as newer than ours."""
    starts = []
    for _ in range(3):
        outbox = Outbox(tmp_path / "outbox.db", boot="same")
        starts.append((outbox.start, outbox.boot))
        outbox.close()
        for suffix in ("", "-wal", "-shm"):
            (tmp_path / f"outbox.db{suffix}").unlink(missing_ok=True)
    assert starts == [(1, "00001-same"), (2, "00002-same"), (3, "00003-same")]


def test_every_event_commit_is_synced_to_the_disk(outbox: Outbox) -> None:
    """Red without PRAGMA synchronous = FULL (2): a power cut would take the last commits."""
    assert outbox._ledger._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert outbox._ledger._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_one_threads_failure_does_not_take_back_what_another_confirms(outbox: Outbox) -> None:
    """Red without the lock in `Ledger.transaction`: the confirm would become part of the other's transaction."""
    begun, fail = threading.Event(), threading.Event()

    def failing() -> None:
        with contextlib.suppress(ZeroDivisionError), outbox._ledger.transaction():
            begun.set()
            fail.wait(10)
            raise ZeroDivisionError

    confirmed: list[str] = []
    other = threading.Thread(target=failing)
    confirming = threading.Thread(target=lambda: confirmed.append(confirm(outbox)))
    other.start()
    begun.wait(10)
    confirming.start()
    confirming.join(0.2)  # waits for the lock
    fail.set()
    other.join()
    confirming.join()
    assert keys(outbox) == confirmed


def test_a_failure_within_a_transaction_leaves_nothing_of_it(outbox: Outbox) -> None:
    """Red without ROLLBACK: half of it would come to the disk with the next commit."""
    identity = confirm(outbox)

    def break_off() -> None:
        with outbox._ledger.transaction():
            outbox.acknowledge([identity])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    second = confirm(outbox)
    assert keys(outbox) == [identity, second]
    assert outbox.counts().acknowledged == 0


def test_many_threads_confirm_and_answer_at_once(outbox: Outbox) -> None:
    """Counts and rows agree at the end."""
    errors: list[Exception] = []

    def work() -> None:
        try:
            for number in range(20):
                identity = confirm(outbox)
                outbox.pending(5)
                if number % 2:
                    outbox.acknowledge([identity])
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    counts = outbox.counts()
    assert (counts.confirmed, counts.acknowledged, len(keys(outbox))) == (80, 40, 40)


class OutboxMachine(RuleBasedStateMachine):
    """Any order of confirming, sending, answering, tidying, stopping and crashing.

    Red without COMMIT in `_transaction`, with the event's INSERT left out, with `state` not asked for in
    `_answer`, or with `tidy` deleting pending rows.
    """

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=FAST))
        self.now_s = 0.0
        self.known: list[str] = []
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()
        self.open()

    def open(self) -> None:
        self.outbox = Outbox(self.folder / "outbox.db", grace_s=50.0, monotonic=lambda: self.now_s)

    def teardown(self) -> None:
        if hasattr(self, "outbox"):
            self.outbox.close()
            shutil.rmtree(self.folder)

    @rule(picture=st.none() | st.sampled_from([b"a", b"b", b"c"]))
    def confirm(self, picture: bytes | None) -> None:
        self.known.append(confirm(self.outbox, picture))

    @rule(number=st.integers(0, 3))
    def confirm_other(self, number: int) -> None:
        self.known.append(confirm_record(self.outbox, number))

    @rule(which=st.integers(0, 50))
    def send(self, which: int) -> None:
        if self.known:
            self.outbox.mark_sent(self.known[which % len(self.known)])

    @rule(which=st.sets(st.integers(0, 50), max_size=5))
    def acknowledge(self, which: set[int]) -> None:
        chosen = {self.known[number % len(self.known)] for number in which if self.known}
        self.outbox.acknowledge([*chosen, "never-sent"])
        self.acknowledged |= chosen - self.refused

    @rule(which=st.integers(0, 50))
    def refuse(self, which: int) -> None:
        if self.known:
            chosen = self.known[which % len(self.known)]
            self.outbox.refuse(chosen, "no")
            if chosen not in self.acknowledged:
                self.refused.add(chosen)

    @rule(elapsed_s=st.integers(1, 40))
    def tidy(self, elapsed_s: int) -> None:
        self.now_s += elapsed_s
        self.outbox.tidy()

    @rule()
    def stop_and_start(self) -> None:
        self.outbox.close()
        self.open()

    @rule()
    def crash_and_start(self) -> None:
        # What the disk has at this moment, without any closing of the process.
        copy = Path(tempfile.mkdtemp(dir=FAST))
        for path in self.folder.glob("outbox.db*"):
            if path.is_dir():
                shutil.copytree(path, copy / path.name)
            elif not path.name.endswith("-shm"):
                shutil.copy(path, copy / path.name)
        self.outbox.close()
        shutil.rmtree(self.folder)
        self.folder = copy
        self.open()

    @invariant()
    def confirmed_is_pending_or_answered(self) -> None:
        if not hasattr(self, "outbox"):
            return
        waiting = [item.key for item in self.outbox.pending(1000) if item.kind != "picture"]
        assert sorted(waiting) == [key for key in self.known if key not in self.acknowledged | self.refused]
        counts = self.outbox.counts()
        assert counts.confirmed == len(self.known) == len(set(self.known))
        assert counts.acknowledged == len(self.acknowledged)
        assert counts.refused == len(self.refused)
        assert counts.acknowledged + counts.refused <= counts.published <= counts.confirmed
        for item in self.outbox.pending(1000):
            assert item.kind != "picture" or self.outbox.picture(item.key) is not None
        assert self.outbox.fault is None


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
