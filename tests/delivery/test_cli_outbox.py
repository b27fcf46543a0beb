# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-edge outbox`: what a technician sees of an outbox, and what comes back out of a damaged one."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from edge.cli_outbox import add
from edge.delivery.outbox import Outbox
from edge.errors import InputError, StoreError
from tests.delivery.test_outbox import confirm, confirm_record, keys, sha


def outbox_command(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers(required=True))
    options = parser.parse_args(["outbox", *(str(word) for word in words)])
    done: int = options.command(options)
    return done


def told(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert outbox_command("show", folder, "--json") == 0
    parsed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return parsed


def test_show_tells_what_waits_while_the_daemon_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Red without mode=ro (it would wait for or take the daemon's lock), or with the states' columns swapped."""
    outbox = Outbox(tmp_path / "outbox.db")
    first = confirm(outbox, b"one")
    second = confirm(outbox, b"two")
    confirm_record(outbox, 1)
    outbox.acknowledge([first], [sha(b"one")])
    assert outbox_command("show", tmp_path) == 0
    said = capsys.readouterr().out
    assert [
        line.split() for line in said.splitlines() if line.split()[0] in ("observation", "coverage", "picture")
    ] == [
        ["observation", "1", "1", "0", "0"],
        ["coverage", "1", "0", "0", "0"],
        ["picture", "1", "1", "0", "0"],
    ]
    assert f"oldest waiting: {second}" in said
    assert "over 1 starts: 3 confirmed, 1 acknowledged, 0 refused, 0 dropped" in said
    assert "CANNOT" not in said
    outbox.close()


def test_show_reads_a_store_that_sqlite_cannot_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Red without the `except` in `_told`."""
    outbox = Outbox(tmp_path / "outbox.db")
    waiting = [confirm(outbox) for _ in range(60)]
    outbox.close()
    content = (tmp_path / "outbox.db").read_bytes()
    (tmp_path / "outbox.db").write_bytes(bytes(4096) + content[4096:])
    (tmp_path / "outbox.db.bad2").write_bytes(content)
    found = told(tmp_path, capsys)
    assert found["fault"] == "file is not a database"
    assert {kind: states for kind, states in found["events"].items() if states} == {"observation": {"pending": 60}}
    assert found["oldest_waiting"] == waiting[0]
    assert found["set_aside"] == [str(tmp_path / "outbox.db.bad2")]


def test_show_of_a_wrong_folder_is_one_clear_line(tmp_path: Path) -> None:
    """Red without the check in `_show`: it would tell of an empty outbox."""
    with pytest.raises(InputError, match=r"holds no outbox\.db"):
        outbox_command("show", tmp_path)


def test_salvage_brings_the_events_and_pictures_of_another_card(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Red without `take_over`, without `bring_in`, or when what is known is entered again."""
    card, vehicle = tmp_path / "card", tmp_path / "vehicle"
    outbox = Outbox(card / "outbox.db")
    events = [confirm(outbox, b"picture %d" % number if number < 3 else None) for number in range(40)]
    outbox.acknowledge(events[:1], [sha(b"picture 0")])
    outbox.close()
    damaged = card / "outbox.db.bad"
    content = bytearray((card / "outbox.db").read_bytes())
    content[:4096] = bytes(4096)
    damaged.write_bytes(content)
    own = Outbox(vehicle / "outbox.db")
    kept = confirm(own)
    own.close()
    for brought in ("39 of them waited and were not known here, 2 pictures", "0 of them waited"):
        assert outbox_command("salvage", damaged, "--into", vehicle) == 0
        said = capsys.readouterr().out
        assert "40 events of truck-7 can be read" in said
        assert brought in said
    assert damaged.read_bytes() == content
    own = Outbox(vehicle / "outbox.db")
    assert keys(own) == [kept, *events[1:], sha(b"picture 1"), sha(b"picture 2")]
    assert own.picture(sha(b"picture 2")) == b"picture 2"
    assert (own.counts().confirmed, own.counts().pending, own.fault) == (40, 40, None)
    own.close()


def test_salvage_of_a_log_alone_and_of_rubbish(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Red when the log beside the file is not read, or when nothing found counts as done."""
    outbox = Outbox(tmp_path / "old" / "outbox.db")
    confirm(outbox)
    bad = tmp_path / "outbox.db.bad1"
    shutil.copy(tmp_path / "old" / "outbox.db-wal", f"{bad}-wal")
    outbox.close()
    bad.write_bytes(b"rubbish" * 1000)
    (tmp_path / "new").mkdir()
    assert outbox_command("salvage", bad, "--into", tmp_path / "new") == 0
    assert "1 events" in capsys.readouterr().out
    Path(f"{bad}-wal").unlink()
    with pytest.raises(InputError, match="not one event"):
        outbox_command("salvage", bad, "--into", tmp_path / "new")


def test_salvage_never_works_on_a_running_daemons_outbox(tmp_path: Path) -> None:
    """Red without the lock of the outbox."""
    outbox = Outbox(tmp_path / "outbox.db")
    confirm(outbox)
    shutil.copy(tmp_path / "outbox.db-wal", tmp_path / "copy.bad")
    shutil.copy(tmp_path / "outbox.db-wal", tmp_path / "copy.bad-wal")
    with pytest.raises(StoreError, match="stop that one first"):
        outbox_command("salvage", tmp_path / "copy.bad", "--into", tmp_path)
    with pytest.raises(InputError, match="is the outbox itself"):
        outbox_command("salvage", tmp_path / "outbox.db", "--into", tmp_path)
    outbox.close()
