# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo's broker starter, for each kind of broker that is installed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import _broker
from tests.servers import listens, missing, wait_until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=_broker.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    if request.param not in _broker.available():
        missing(f"broker {request.param} is not installed")
    return str(request.param)


def test_it_runs_while_wanted_and_is_gone_afterwards(kind: str, tmp_path: Path) -> None:
    """Red without `_await_port`; without `terminate`."""
    with _broker.broker(tmp_path / "new folder", kind=kind) as address:
        assert listens(address.host, address.port)
        assert (address.kind, address.protocol) == (kind, "5")
    assert not listens(address.host, address.port)


def test_it_does_not_outlive_a_demo_that_is_killed(kind: str, tmp_path: Path) -> None:
    """Red without `setpriv --pdeathsig` (Mosquitto), without the watch on standard input (iotcore)."""
    command = [sys.executable, "-m", "scripts._broker", str(tmp_path), "--kind", kind]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    address = json.loads(process.stdout.readline())
    assert listens(address["host"], address["port"])
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_until(lambda: not listens(address["host"], address["port"]), what="the end of the broker")


def test_a_missing_broker_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red without BrokerMissingError."""
    monkeypatch.setattr(_broker, "available", list)
    with pytest.raises(_broker.BrokerMissingError, match="apt-get install mosquitto"), _broker.broker(tmp_path):
        pass


def test_a_broker_that_does_not_start_says_why(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red without the last line of its log."""
    monkeypatch.setattr(_broker, "_free_port", lambda: 99999)
    with (
        pytest.raises(_broker.BrokerMissingError, match=r"did not start on port 99999: ."),
        _broker.broker(tmp_path, kind=kind),
    ):
        pass
