# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A picture that the depot asked for is delivered as safely as an observation."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edge.delivery.database import take_over
from edge.delivery.jsonl import JsonlSink
from edge.delivery.outbox import Outbox
from edge.delivery.port import encode_record
from messages.envelope import decode
from messages.types import Anonymised, Look, PictureRef, Time
from tests.delivery.samples import MODEL, VEHICLE, coverage, observation, revision

PICTURE = b"the mended place"
SHA = hashlib.sha256(PICTURE).hexdigest()


def look(picture: bytes = PICTURE) -> Look:
    """What a command asked for."""
    return Look(
        asked="command-1", frames_judged=4, model=MODEL, software="0.1.0", calibration="test",
        time=Time(boot="00001-test", monotonic_s=9.5, quality="gnss", utc="2026-11-22T12:00:00Z"),
        picture=PictureRef(
            sha256=hashlib.sha256(picture).hexdigest(), bytes=len(picture), width=640, height=480,
            box=(1.0, 2.0, 30.0, 40.0), anonymised=Anonymised(method="none"),
        ),
    )  # fmt: skip


def confirm(outbox: Outbox) -> str:
    return outbox.confirm("look", lambda identity: encode_record(VEHICLE, identity, look()), PICTURE)


def test_a_look_waits_with_its_picture_over_a_restart_until_the_depot_has_both(tmp_path: Path) -> None:
    """Red when `look` is no kind of the outbox."""
    outbox = Outbox(tmp_path / "outbox.db")
    identity = confirm(outbox)
    outbox.close()
    outbox = Outbox(tmp_path / "outbox.db")
    waiting = outbox.pending(10)
    assert [(item.key, item.kind) for item in waiting] == [(identity, "look"), (SHA, "picture")]
    assert decode(waiting[0].payload or b"").data == look()
    outbox.mark_sent(identity)
    assert len(outbox.pending(10)) == 2, "the broker's word is not enough"
    outbox.acknowledge([identity], [SHA])
    assert outbox.pending(10) == []
    assert outbox.counts().pending == outbox.counts().pictures_pending == 0
    outbox.close()


def test_what_was_asked_for_goes_after_defects_and_before_the_coverage(tmp_path: Path) -> None:
    """Red with another place in KINDS."""
    outbox = Outbox(tmp_path / "outbox.db")
    for record in (coverage(), revision(), observation()):
        name = type(record).__name__.lower()
        outbox.confirm(name, lambda identity, record=record: encode_record(VEHICLE, identity, record))
        if name == "coverage":
            confirm(outbox)
    assert [item.kind for item in outbox.pending(10)] == ["observation", "revision", "look", "coverage", "picture"]
    outbox.close()


def test_a_look_is_salvaged_from_a_damaged_store_with_its_picture(tmp_path: Path) -> None:
    """Red when only an observation's picture is known to `salvage`."""
    old = Outbox(tmp_path / "old.db")
    identity = confirm(old)
    with old._ledger.transaction() as db:
        db.execute("DELETE FROM picture")  # its page is the damaged one
    old.close()
    new = Outbox(tmp_path / "new.db")
    with new._ledger.transaction() as db:
        assert take_over(tmp_path / "old.db", db) == 1
    assert [item.key for item in new.pending(10)] == [identity, SHA]
    assert new.pending(10)[1].size_bytes == len(PICTURE)
    new.close()


def test_a_picture_that_is_not_the_one_described_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    """Red without the look in `check_picture`."""
    sink = JsonlSink(tmp_path / "drive.jsonl", VEHICLE)
    with pytest.raises(ValueError, match="describes picture"):
        sink.confirm(look(), b"another")
    sink.confirm(look(), PICTURE)
    assert sink.close()
