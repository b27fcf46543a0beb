# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Power cuts that drop what was not fsynced: what `confirm` has returned an id for is there afterwards, whole.

WEGEWART_CUTS sets how many (200 here: most of the time goes into the recording). `power_cut` says what the simulation
does and what it cannot show. SIGKILL, which keeps the kernel's memory, is in `test_kill`.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.delivery.outbox import Outbox
from tests.delivery.power_cut import Call, Disk, record, strace_works

ROOT = Path(__file__).parents[2]
CUTS = int(os.environ.get("WEGEWART_CUTS", "200"))

# Says "C id sha256" after confirm has returned, "A key" before it acknowledges. Three runs of the daemon in one
# process; short logs, so that many checkpoints fall in between.
_DRIVE = """
import hashlib, os, random, sys
from edge.delivery.outbox import Outbox
from edge.delivery.port import encode_record
from messages.envelope import kind_of
from tests.delivery.samples import RECORDS, VEHICLE, observation
journal = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
dice = random.Random(5)
for run in range(3):
    outbox = Outbox(sys.argv[1], grace_s=0.01)
    outbox._ledger._db.execute("PRAGMA wal_autocheckpoint = 25")
    for _ in range(60):
        picture = dice.randbytes(dice.randint(1, 6000)) if dice.random() < 0.4 else None
        record = observation(picture=picture) if picture else dice.choice(RECORDS)
        identity = outbox.confirm(kind_of(record), lambda new: encode_record(VEHICLE, new, record), picture)
        sha256 = hashlib.sha256(picture).hexdigest() if picture else "-"
        os.write(journal, f"C {identity} {sha256}\\n".encode())
        if dice.random() < 0.3:
            waiting = [item.key for item in outbox.pending(9)]
            done = dice.sample(waiting, min(4, len(waiting)))
            os.write(journal, "".join(f"A {key} -\\n" for key in done).encode())
            outbox.acknowledge([key for key in done if len(key) != 64], [key for key in done if len(key) == 64])
        if dice.random() < 0.1:
            outbox.tidy()
    outbox.close()
"""


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Call], Path, Path]:
    """What a process wrote that lived with an outbox; the outbox's folder; the journal."""
    if not strace_works():
        if os.environ.get("CI") == "true":
            pytest.fail("strace is not there or may not trace (apt install strace)")
        pytest.skip("strace is not there or may not trace (apt install strace)")
    folder = tmp_path_factory.mktemp("drive")
    store, journal = folder / "data", folder / "journal"
    program = [sys.executable, "-c", _DRIVE, str(store / "outbox.db"), str(journal)]
    store.mkdir()
    return record(program, folder / "calls", cwd=ROOT), store, journal


@pytest.mark.integration
@pytest.mark.timeout(1800)
def test_a_power_cut_at_any_moment_costs_nothing_that_was_confirmed(
    drive: tuple[list[Call], Path, Path], fast_path: Path
) -> None:
    """Red with synchronous = NORMAL or OFF in `database._prepare`; without fsync of the file or of the folder in
    `write_durably`; without `fsync_folder` in `PictureFolder.make`. Each was tried with 60 cuts.
    """
    calls, store, journal = drive
    dice = random.Random(11)
    # Every third one right after an id was returned, the moment that counts most.
    told = [number for number, call in enumerate(calls) if is_told(call, journal)]
    moments = sorted((dice.choice(told) + 1 if cut % 3 == 0 else dice.randrange(len(calls))) for cut in range(CUTS))
    disk, confirmed, answered = Disk(store), dict[str, str](), set[str]()
    lost_anything = False
    done = 0
    for moment in moments:
        for call in calls[done:moment]:
            disk.take(call)
            for word, key, sha256 in said(call, journal):
                if word == "C":
                    confirmed[key] = sha256
                else:
                    answered.add(key)
        done = max(done, moment)
        lost_anything = lost_anything or bool(disk._loose)
        disk.cut(dice, fast_path / "after")
        check(fast_path / "after" / "outbox.db", confirmed, answered, f"cut after call {moment}")
    assert len(confirmed) > 100
    assert lost_anything, "some cuts must have had something to drop"


def is_told(call: Call, journal: Path) -> bool:
    return call.path == str(journal) and call.content.startswith(b"C")


def said(call: Call, journal: Path) -> Iterator[tuple[str, str, str]]:
    if call.path == str(journal) and call.name == "write":
        for line in call.content.decode().splitlines():
            word, key, sha256 = line.split()
            yield word, key, sha256


def check(path: Path, confirmed: dict[str, str], answered: set[str], when: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    outbox = Outbox(path, grace_s=1e9)
    try:
        assert outbox.fault is None, when
        items = outbox.pending(100_000)
        waiting = [item.key for item in items if item.kind != "picture"]
        assert len(waiting) == len(set(waiting)), when
        missing = [key for key in confirmed if key not in waiting and key not in answered]
        assert not missing, f"{when}: {len(missing)} confirmed events are gone"
        pictures = {sha256 for sha256 in confirmed.values() if sha256 != "-"} - answered
        gone = [sha256 for sha256 in pictures if outbox.picture(sha256) is None]
        assert not gone, f"{when}: {len(gone)} pictures of confirmed events are gone"
        assert pictures <= {item.key for item in items}, when
        assert len(set(waiting) - set(confirmed)) <= 1, f"{when}: only the one under way may be there besides"
        assert outbox.counts().pending == len(waiting), when
    finally:
        outbox.close()
