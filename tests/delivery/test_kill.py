# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments: what `confirm` has returned an id for is in the store afterwards, whatever its kind.

WEGEWART_KILLS sets how often (20 here, 1000 and more for a release). A SIGKILL leaves the operating system alive, so
this cannot show a missing fsync: `test_power_cut` does.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from edge.delivery.outbox import Outbox
from edge.delivery.port import encode_record
from messages.envelope import kind_of
from tests.delivery.samples import RECORDS, VEHICLE

KILLS = int(os.environ.get("WEGEWART_KILLS", "20"))

#: Children are forked from a process that has everything imported: a kill costs a tenth of a second.
FORKS = multiprocessing.get_context("forkserver")


def confirm_for_ever(store: Path, told: Path, seed: int) -> None:
    """Writes "C id sha256" after confirm has returned and "A id" before it acknowledges.

    Each with one write(2): the page cache outlives the process.
    """
    journal = os.open(told, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    outbox = Outbox(store, grace_s=0.05)
    dice = random.Random(seed)
    os.write(journal, f"S {outbox.start}\n".encode())
    while True:
        picture = dice.randbytes(dice.randint(1, 50_000)) if dice.random() < 0.3 else None
        record = dice.choice(RECORDS)
        identity = outbox.confirm(kind_of(record), partial(encode_record, VEHICLE, message=record), picture)
        sha256 = hashlib.sha256(picture).hexdigest() if picture else "-"
        os.write(journal, f"C {identity} {sha256}\n".encode())
        if dice.random() < 0.3:
            # Now and then all, or the store would grow with every kill.
            waiting = [item.key for item in outbox.pending(dice.choice((9, 9, 9, 9, 10_000)))]
            done = waiting if len(waiting) > 9 else dice.sample(waiting, min(3, len(waiting)))
            os.write(journal, "".join(f"A {key}\n" for key in done).encode())
            outbox.acknowledge([key for key in done if len(key) != 64], [key for key in done if len(key) == 64])
        if dice.random() < 0.1:
            outbox.tidy()


@pytest.mark.integration
@pytest.mark.timeout(60 + 5 * KILLS)
def test_no_confirmed_event_is_lost_and_none_is_there_twice(fast_path: Path) -> None:
    """Red without `COMMIT` in `Ledger.transaction`; with the counter starting at the same boot name; with the
    picture written after the transaction (a waiting picture without its file); with `tidy` deleting pictures that
    are not acknowledged. Each was tried with 20 kills.
    """
    store, told_in = fast_path / "outbox.db", fast_path / "journal"
    journal = Journal(told_in)
    dice = random.Random(7)
    FORKS.set_forkserver_preload([__name__])
    for kill in range(KILLS):
        told = size_of(told_in)
        process = FORKS.Process(target=confirm_for_ever, args=(store, told_in, kill), daemon=True)
        process.start()
        deadline_s = time.monotonic() + 60
        while process.is_alive() and size_of(told_in) == told and time.monotonic() < deadline_s:
            process.join(0.002)
        process.join(dice.uniform(0, 0.12))  # a timer: the process never ends by itself
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, "it must not end by itself; its words are above"
        process.close()
        check(store, journal)


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


class Journal:
    """What the killed processes said, read on from where the last look ended.

    `open`, `pictures`: confirmed and never acknowledged, as far as the processes came to say. `known`: all ids.
    """

    def __init__(self, path: Path) -> None:
        self.open: set[str] = set()
        self.pictures: set[str] = set()
        self.starts: list[int] = []
        self.known: set[str] = set()
        self._path = path
        self._read = 0

    def read(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        for word, key, *sha256 in (line.split() for line in new.decode().splitlines()):
            if word == "S":
                self.starts.append(int(key))
            elif word == "A":
                self.open.discard(key)
                self.pictures.discard(key)
            else:
                assert key not in self.known, "an id was given twice"
                self.known.add(key)
                self.open.add(key)
                self.pictures.update(sha256)
        self.pictures.discard("-")


def check(store: Path, journal: Journal) -> None:
    journal.read()
    assert journal.starts == sorted(set(journal.starts))
    outbox = Outbox(store, grace_s=1e9)
    try:
        assert outbox.fault is None
        items = outbox.pending(100_000)
        waiting = Counter(item.key for item in items if item.kind != "picture")
        assert set(waiting.values()) <= {1}
        missing = journal.open - set(waiting)
        assert not missing, f"{len(missing)} confirmed events are gone"
        # At most the one that was being confirmed at the kill is there without the journal knowing.
        assert len(set(waiting) - journal.known) <= len(journal.starts)
        gone = journal.pictures - {item.key for item in items}
        assert not gone, f"{len(gone)} pictures of confirmed events are gone"
        for item in items:
            assert item.kind != "picture" or outbox.picture(item.key) is not None, "a waiting picture has no file"
        counts = outbox.counts()
        assert counts.pending == len(waiting)
        assert counts.pictures_lost == 0
    finally:
        outbox.close()
