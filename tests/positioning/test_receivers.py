# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Real peers: gpsd and a serial port, fed by a receiver on a pseudo-terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from edge.positioning.gpsd import open_gpsd
from edge.positioning.serial_nmea import open_serial_nmea
from tests.positioning.receiver import gpsd, receiver
from tests.positioning.sentences import LON
from tests.servers import free_port, wait_until

if TYPE_CHECKING:
    from edge.positioning.live import LivePositions
    from edge.types import Fix

pytestmark = pytest.mark.integration
START_UTC_S = 1_777_624_200.0


def collect(source: LivePositions[Fix], count: int) -> list[Fix]:
    """The next fixes."""
    fixes: list = []

    def enough() -> bool:
        fixes.extend(source.until(time.monotonic()))
        return len(fixes) >= count

    wait_until(enough, timeout_s=30, what=f"{count} fixes")
    return fixes


def test_gpsd_gives_positions_and_gives_them_again_after_it_was_killed() -> None:
    with receiver() as device, gpsd(device.path) as server:
        source = open_gpsd(port=server.port)
        try:
            fixes = collect(source, 8)
            assert all(52.5 <= fix.lat < 52.51 for fix in fixes)
            assert fixes[-1].lon == pytest.approx(LON, abs=1e-6)
            assert fixes[-1].speed_mps == pytest.approx(10, abs=0.1)
            assert fixes[-1].utc_s == pytest.approx(START_UTC_S, abs=120)
            assert [fix.time_s for fix in fixes] == sorted(fix.time_s for fix in fixes)
            assert not source.state.stale
            server.kill()
            wait_until(lambda: not source.state.connected, what="loss of gpsd")
            wait_until(lambda: source.state.stale, what="staleness")
            source.until(time.monotonic())
            server.start()
            assert collect(source, 5)
            assert source.state.counts["connection_lost"] >= 1
        finally:
            source.close()


def test_a_gpsd_whose_receiver_falls_silent_is_stale_and_comes_back() -> None:
    with receiver() as device, gpsd(device.path) as server:
        source = open_gpsd(port=server.port)
        try:
            collect(source, 3)
            device.silent.set()
            wait_until(lambda: source.state.stale, what="staleness")
            source.until(time.monotonic())
            device.silent.clear()
            assert collect(source, 3)
            assert not source.state.stale
        finally:
            source.close()


KINDS = {1: "autonomous", 2: "differential", 4: "rtk_fixed", 5: "rtk_float", 6: "dead_reckoning"}


def test_what_a_fix_rests_on_passes_through_gpsd_and_through_a_serial_port() -> None:
    with receiver() as device, gpsd(device.path) as server:
        source = open_gpsd(port=server.port)
        try:
            for code, kind in KINDS.items():
                device.quality = code
                wait_until(lambda kind=kind: collect(source, 1)[-1].quality == kind, timeout_s=20, what=kind)
        finally:
            source.close()
    with receiver() as device:
        serial = open_serial_nmea(device=device.path)
        try:
            for code, kind in KINDS.items():
                device.quality = code
                wait_until(lambda kind=kind: collect(serial, 1)[-1].quality == kind, timeout_s=20, what=kind)
        finally:
            serial.close()


def test_a_receiver_whose_weeks_rolled_over_gives_places_without_utc() -> None:
    with receiver() as device:
        device.date = "150906"
        source = open_serial_nmea(device=device.path)
        try:
            wait_until(lambda: source.state.counts.get("utc_past", 0) >= 5, what="the roll-over to be noticed")
            assert all(fix.utc_s is None for fix in collect(source, 3))
        finally:
            source.close()


def test_without_gpsd_the_source_waits_and_closes_at_once() -> None:
    source = open_gpsd(port=free_port())
    wait_until(lambda: source.state.counts.get("connection_lost", 0) >= 1)
    assert source.until(time.monotonic()) == []
    assert source.state.stale
    started = time.monotonic()
    source.close()
    assert time.monotonic() - started < 3


def test_a_serial_port_gives_positions_and_waits_for_one_that_is_not_there() -> None:
    with receiver() as device:
        source = open_serial_nmea(device=device.path)
        try:
            fixes = collect(source, 5)
            assert all(52.5 <= fix.lat < 52.51 for fix in fixes)
            assert fixes[-1].utc_s == pytest.approx(START_UTC_S, abs=60)
            assert 0 <= time.monotonic() - fixes[-1].time_s < 2
        finally:
            source.close()
    missing = open_serial_nmea(device="/dev/no-such-port")
    wait_until(lambda: missing.state.counts.get("connection_lost", 0) >= 1)
    missing.close()
