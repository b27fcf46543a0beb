# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The operating system's update as the depot is told it: what its own program writes, and nothing of any other file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge.daemon
import edge.standby
from edge.daemon import Daemon
from edge.errors import InputError
from edge.keeper import Keeper
from edge.os_update.record import STATES, Record, Store
from edge.system_update import STATE, system_update
from messages.types import Health, SystemUpdate, Time
from tests.edge.test_keeper import Heard, config, drive
from tests.edge.test_standby import with_broken_camera


@pytest.mark.parametrize("state", STATES)
def test_every_state_that_its_program_knows_is_told(tmp_path: Path, state: str) -> None:
    store = Store(tmp_path)
    store.save(Record(state=state, slot="B", version="2026.11.22", reason="on trial:\n waits", complete=("A",)))
    assert system_update(tmp_path / STATE.name) == SystemUpdate(
        state=state,  # type: ignore[arg-type]
        version="2026.11.22",
        reason="on trial: waits",
    )


def test_its_place_is_the_one_where_the_program_writes() -> None:
    from edge.os_update.record import FOLDER

    assert STATE.parent == FOLDER


@given(
    st.one_of(st.binary(max_size=200), st.sampled_from([b"[" * 60_000, b'{"state": "pending", "reason": "\\ud800"}']))
)
def test_any_other_file_is_none(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("data") / "state.json"
    path.write_bytes(content)
    assert system_update(path) is None


@pytest.mark.parametrize("content", ['{"state": "written"}', '{"state": 1}', "{}", '{"state": "failed", "version": 7}'])
def test_a_record_of_another_kind_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    assert system_update(tmp_path / "state.json") is None
    assert system_update(tmp_path / "nowhere") is None
    assert system_update(tmp_path) is None


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_whatever_stands_in_it_the_message_is_one_that_the_depot_reads(
    tmp_path_factory: pytest.TempPathFactory, version: str, reason: str
) -> None:
    path = tmp_path_factory.mktemp("data") / "state.json"
    path.write_bytes(msgspec.json.encode({"state": "failed", "version": version, "reason": reason}))
    health = Health(time=Time(boot="b", monotonic_s=1.0, quality="unset"), counters={}, system=system_update(path))
    read = msgspec.json.decode(msgspec.json.encode(health), type=Health)
    assert read == health
    assert read.system is not None


def test_the_daemon_tells_it_on_the_drive_and_when_it_cannot_drive(
    small_drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = SystemUpdate(state="failed", version="2026.11.22", reason="not healthy")
    for module in (edge.daemon, edge.standby):
        monkeypatch.setattr(module, "system_update", lambda: told)
    of = config(small_drive, tmp_path)
    assert drive(Keeper(of), small_drive, tmp_path).health[-1].system == told
    with_broken_camera(monkeypatch, InputError("camera 0: not there"))
    sink = Heard(tmp_path / "standby.jsonl")
    with pytest.raises(InputError):
        Daemon(of, lambda _m, _c: sink, keeper=Keeper(of)).run()
    assert sink.health[-1].system == told
