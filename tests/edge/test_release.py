# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Daemon and updater: which release runs, what the depot is told of it, the heartbeat, the depot's wish."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import heartbeat
from edge.heartbeat import EVERY_S, FRESH_S, Heartbeat
from edge.pulse import Pulse
from edge.release import incoming, running
from messages.types import Command, Update
from tests.edge.test_orders import Told
from tests.edge.test_orders import carry_out as _carry_out


def installed(root: Path, name: str = "2026.11.1") -> dict[str, str]:
    """A release as the updater leaves it, and the environment that the unit gives."""
    release = root / "releases" / name
    (release / "models").mkdir(parents=True)
    (release / "COMPLETE").touch()
    (root / "update").mkdir()
    (root / "current").symlink_to(f"releases/{name}")
    return {"WEGEWART_MODELS": str(root / "current" / "models")}


def test_a_release_keeps_its_name_when_the_link_moves_on(tmp_path: Path):
    found = running(installed(tmp_path))
    assert found is not None
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to("releases/2026.12.1")
    assert (found.name, found.layout.root) == ("2026.11.1", tmp_path)


def test_software_put_there_by_hand_has_no_release(tmp_path: Path):
    assert running({}) is None
    (tmp_path / "models").mkdir()
    assert running({"WEGEWART_MODELS": str(tmp_path / "models")}) is None


def test_what_the_updater_says_is_passed_on_and_rubbish_is_not(tmp_path: Path):
    found = running(installed(tmp_path))
    assert found is not None
    assert found.update() is None
    found.layout.state.write_text('{"release": "2026.12.1", "state": "failed", "reason": "self-test", "later": 1}')
    assert found.update() == Update(release="2026.12.1", state="failed", reason="self-test")
    for rubbish in (b"", b"\xff\xfe", b'{"release": 1}', b"[]"):
        found.layout.state.write_bytes(rubbish)
        assert found.update() is None


def test_the_depots_wish_is_written_for_the_updater_alone(tmp_path: Path):
    folder = tmp_path / "wegewart-update"
    folder.mkdir()
    environment = {"STATE_DIRECTORY": f"{tmp_path / 'wegewart'}:{folder}"}
    told = _told(incoming(environment), Command(action="update", value="2026.12.1"))
    assert told == {"0": (True, "2026.12.1 is fetched, tried and, once parked, taken")}
    assert json.loads((folder / "wanted.json").read_text()) == {"release": "2026.12.1"}


@pytest.mark.parametrize("name", ["../../etc/passwd", "2026.11.1\n", "newest", ""])
def test_a_wish_for_what_is_no_release_is_refused(tmp_path: Path, name: str):
    told = _told(tmp_path, Command(action="update", value=name))
    assert told["0"][0] is False
    assert not list(tmp_path.iterdir())


def test_without_an_updater_the_depot_is_told_so():
    assert incoming({"STATE_DIRECTORY": "/var/lib/wegewart"}) is None
    assert _told(None, Command(action="update", value="2026.12.1"))["0"] == (
        False,
        "this vehicle's software was put there by hand, it has no updater",
    )


def _told(wishes: Path | None, command: Command) -> dict[str, tuple[bool, str]]:
    told: Told = _carry_out(command, wishes=wishes)[0]
    return told.replies


def test_the_heartbeat_says_since_when_the_vehicle_stands(tmp_path: Path):
    now = [100.0]
    pulse = Pulse(tmp_path, "2026.11.1", lambda: now[0])
    pulse.looked()

    def beat(speed_mps: float | None) -> Heartbeat:
        now[0] += EVERY_S
        pulse.beat(frames=5, speed_mps=speed_mps, moved_m=12.34, online=True)
        found = heartbeat.read(tmp_path)
        assert found is not None
        assert found.is_fresh(now[0])
        return found

    assert beat(3.0).standing_since_s is None
    assert beat(0.1).standing_since_s == 104.0
    assert beat(0.2).standing_since_s == 104.0
    assert beat(None).standing_since_s is None, "nobody knows whether it stands"
    last = beat(0.0)
    assert (last.standing_since_s, last.looked, last.ready, last.release) == (110.0, 1, True, "2026.11.1")
    assert not last.is_fresh(now[0] + FRESH_S + 1)
    assert not last.is_fresh(now[0] - 1), "from another boot"


def test_a_heartbeat_that_cannot_be_written_stops_nothing(tmp_path: Path):
    pulse = Pulse(tmp_path / "missing", None, lambda: 1.0)
    pulse.beat(frames=0, speed_mps=None, moved_m=0.0, online=False)
    assert heartbeat.read(tmp_path / "missing") is None


@given(content=st.binary(max_size=200))
def test_a_damaged_heartbeat_is_none(tmp_path_factory, content: bytes):
    folder = tmp_path_factory.mktemp("run")
    (folder / "daemon.json").write_bytes(content)
    found = heartbeat.read(folder)
    assert found is None or isinstance(found, Heartbeat)


def test_judging_one_picture_loads_nothing_that_speaks_to_a_network():
    """A stranger's photo is judged in a cage in which OpenSSL cannot even be loaded."""
    program = (
        "import sys; import edge.cli, edge.release, edge.vision.detector, edge.vision.package, edge.cameras.pictures; "
        "sys.exit(bool({'ssl', 'paho', 'edge.delivery'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
