# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Reading a damaged store page by page: everything that is whole is found, nothing is made up, nothing raises."""

from __future__ import annotations

import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.delivery.outbox import Outbox
from edge.delivery.port import encode_record
from edge.delivery.salvage import FoundEvent, FoundPicture, _Pages, scan
from messages.envelope import decode, kind_of
from tests.delivery.conftest import FAST
from tests.delivery.samples import RECORDS, VEHICLE, coverage, observation
from tests.delivery.test_outbox import sha

#: Some 25 kB: a row of several overflow pages.
LONG = replace(coverage(), path=tuple((6.7 + n / 10_000, 51.4 + n / 10_000) for n in range(1000)))


@dataclass(frozen=True)
class Stored:
    """A store as it lay on the disk while the daemon ran: file, log, and what was put in."""

    store: bytes
    log: bytes
    payloads: dict[str, bytes]
    answered: set[str]


@pytest.fixture(scope="module")
def stored() -> Stored:
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        path = Path(folder) / "outbox.db"
        outbox = Outbox(path)
        payloads: dict[str, bytes] = {}
        for number in range(60):
            picture = b"picture %d" % number if number % 7 == 0 else None
            record = LONG if number % 10 == 5 else observation(picture=picture) if picture else RECORDS[number % 4]
            identity = outbox.confirm(kind_of(record), lambda new, it=record: encode_record(VEHICLE, new, it), picture)
            payloads[identity] = encode_record(VEHICLE, identity, record)
            if number == 40:
                with sqlite3.connect(path) as other:
                    assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
                other.close()
        answered = set(list(payloads)[:5])
        outbox.acknowledge(list(answered), [sha(b"picture 0")])
        found = Stored(path.read_bytes(), Path(f"{path}-wal").read_bytes(), payloads, answered)
        outbox.close()
        return found


def scanned(store: bytes, log: bytes) -> list[FoundEvent | FoundPicture]:
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        path = Path(folder) / "any.db"
        path.write_bytes(store)
        Path(f"{path}-wal").write_bytes(log)
        return list(scan(path))


def test_of_a_whole_store_every_event_is_found_with_its_picture_and_its_last_state(stored: Stored) -> None:
    """Red without `overflow`, without the log's pages, or with the record's header read wrongly."""
    found = scanned(stored.store, stored.log)
    events = [event for event in found if isinstance(event, FoundEvent)]
    assert {event.id: event.payload for event in events} == stored.payloads
    assert {event.kind for event in events} == {kind_of(record) for record in RECORDS}
    assert {event.vehicle for event in events} == {VEHICLE}
    assert {event.id for event in events if event.state == "acknowledged"} == stored.answered
    pictures = {picture.sha256: picture for picture in found if isinstance(picture, FoundPicture)}
    assert {sha(b"picture %d" % number) for number in range(0, 60, 7)} == set(pictures)
    assert {event.sha256 for event in events} - {None} == set(pictures)
    assert pictures[sha(b"picture 14")].size_bytes == len(b"picture 14")


def test_neither_header_nor_the_order_of_columns_is_needed(stored: Stored, tmp_path: Path) -> None:
    """Red when columns are taken by their place: a newer version's store could not be read."""
    whole = {event.id for event in scanned(stored.store, b"") if isinstance(event, FoundEvent)}
    assert len(whole) > 30
    headless = bytes(4096) + stored.store[4096:]
    assert {event.id for event in scanned(headless, b"") if isinstance(event, FoundEvent)} == whole
    path = tmp_path / "newer.db"
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA page_size = 1024")
        newer.execute("CREATE TABLE message (body BLOB, lane INTEGER, state TEXT, extra REAL, id TEXT)")
        rows = [(payload, 7, "pending", 1.5, identity) for identity, payload in stored.payloads.items()]
        newer.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?)", rows)
    newer.close()
    assert {event.id: event.payload for event in scan(path) if isinstance(event, FoundEvent)} == stored.payloads


damages = st.lists(
    st.tuples(st.floats(0, 1), st.integers(1, 9000), st.sampled_from(["zeros", "ones", "noise", "cut", "shift"])),
    min_size=1,
    max_size=5,
)


def damaged(content: bytes, how: list[tuple[float, int, str]]) -> bytes:
    changed = bytearray(content)
    for place, most, kind in how:
        at = int(place * len(changed))
        size = min(most, len(changed) - at)
        if kind == "cut":
            del changed[at:]
        elif kind == "shift":
            del changed[at : at + size]
        else:
            noise = {"zeros": bytes(size), "ones": b"\xff" * size, "noise": bytes(n * 73 % 256 for n in range(size))}
            changed[at : at + size] = noise[kind]
    return bytes(changed)


@settings(max_examples=150, deadline=None)
@given(store=damages, log=damages)
def test_whatever_the_damage_nothing_raises_and_no_event_is_made_up(
    stored: Stored, store: list[tuple[float, int, str]], log: list[tuple[float, int, str]]
) -> None:
    """Red without the `suppress` in `_rows`."""
    for event in scanned(damaged(stored.store, store), damaged(stored.log, log)):
        if isinstance(event, FoundEvent):
            assert event.id in stored.payloads
            assert decode(event.payload).id == event.id


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=20_000), st.binary(max_size=20_000))
def test_of_rubbish_nothing_is_found(store: bytes, log: bytes) -> None:
    """Red when anything in the page is trusted."""
    leaf = bytes([0x0D, 0, 0, 0xFF, 0xFF])
    assert scanned(store, log) == scanned(leaf + store, bytes(56) + leaf + log) == []


def test_overflow_pages_that_go_round_in_a_circle_end() -> None:
    """Red without `seen` in `overflow`: a damaged length would read the same two pages some 250 times."""
    pages = _Pages((2).to_bytes(4, "big") + bytes(4092) + (1).to_bytes(4, "big") + bytes(4092), b"")
    assert len(pages.overflow(1, 1_000_000)) == 2 * 4092
