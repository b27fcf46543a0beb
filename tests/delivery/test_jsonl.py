# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Delivery into a file."""

from __future__ import annotations

import io
import resource
import signal
from pathlib import Path

import pytest

from edge.delivery import JsonlSink
from edge.errors import StoreError
from messages.envelope import decode
from tests.delivery.samples import RECORDS, VEHICLE, coverage, observation
from tests.delivery.test_outbox import sha


def test_one_event_a_line_and_pictures_beside(tmp_path: Path) -> None:
    """Red without the newline; without the picture file."""
    out = tmp_path / "new" / "drive.jsonl"
    sink = JsonlSink(out, VEHICLE)
    ids = [sink.confirm(observation(sink.boot, b"jpeg"), b"jpeg"), sink.confirm(coverage(sink.boot))]
    assert sink.close(1.0)
    events = [decode(line) for line in out.read_bytes().splitlines()]
    assert [event.id for event in events] == ids == ["replay-00000001", "replay-00000002"]
    assert [event.time for event in events] == ["2026-11-22T12:00:00Z", None]
    assert events[0].vehicle == VEHICLE
    assert (tmp_path / "new" / "drive.jsonl.pictures" / f"{sha(b'jpeg')}.jpg").read_bytes() == b"jpeg"
    counts = sink.counts()
    assert (counts.confirmed, counts.published, counts.acknowledged, counts.pictures_acknowledged) == (2, 2, 2, 1)


def test_every_kind_of_record_is_written(tmp_path: Path) -> None:
    """Red when a kind has no name in the envelope."""
    sink = JsonlSink(tmp_path / "drive.jsonl", VEHICLE)
    for record in RECORDS:
        sink.confirm(record)
    sink.close()
    assert tuple(decode(line).data for line in (tmp_path / "drive.jsonl").read_bytes().splitlines()) == RECORDS


def test_two_runs_give_the_same_file(tmp_path: Path) -> None:
    """Red with a random boot or when an old file is appended to."""
    contents = []
    for _ in range(2):
        sink = JsonlSink(tmp_path / "drive.jsonl", VEHICLE)
        sink.confirm(coverage(sink.boot))
        sink.close()
        contents.append((tmp_path / "drive.jsonl").read_bytes())
    assert contents[0] == contents[1]


def test_standard_output_gets_the_lines_and_stays_open() -> None:
    """Red when `close` closes what it was given."""
    out = io.StringIO()
    sink = JsonlSink(out, VEHICLE)
    identity = sink.confirm(observation(sink.boot, b"jpeg"), b"jpeg")
    sink.close()
    assert decode(out.getvalue().encode()).id == identity


def test_a_picture_that_the_message_does_not_describe_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    """Red without `check_picture`: the depot would wait for a picture that never comes."""
    sink = JsonlSink(tmp_path / "drive.jsonl", VEHICLE)
    for message, picture in (
        (observation(picture=b"one"), b"two"),
        (observation(picture=b"one"), None),
        (observation(), b"two"),
        (coverage(), b"two"),
    ):
        with pytest.raises(ValueError, match="describes picture"):
            sink.confirm(message, picture)
    sink.close()
    assert sink.counts().confirmed == 0


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """Red without `_clearly` in `__init__`."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"output .*file/drive\.jsonl: File exists; choose another place"):
        JsonlSink(tmp_path / "file" / "drive.jsonl", VEHICLE)


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    """Red without `_clearly` in `confirm`."""
    sink = JsonlSink(tmp_path / "drive.jsonl", VEHICLE)
    before, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(StoreError, match="free some space"):
            [sink.confirm(coverage(sink.boot)) for _ in range(20)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
        sink.close()
