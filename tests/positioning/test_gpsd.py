# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is made of gpsd's reports, line by line, and of connections that misbehave."""

from __future__ import annotations

import json
import math
import socket
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.positioning.gpsd import GpsdReader, TpvReader
from edge.positioning.track import DEFAULT_ERROR_M

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.types import Fix

GOOD: dict[str, Any] = {
    "class": "TPV", "device": "/dev/ttyACM0", "mode": 3, "time": "2026-05-01T08:30:00.000Z",
    "lat": 52.5, "lon": 13.4, "track": 90.5, "speed": 8.25, "eph": 6.0,
}  # fmt: skip


def line(**changes: Any) -> bytes:
    report = {key: value for key, value in (GOOD | changes).items() if value is not ...}
    return json.dumps(report).encode()


def read(*lines: bytes) -> tuple[list[Fix | None], Counter[str]]:
    counts: Counter[str] = Counter()
    reader = TpvReader(counts)
    return [reader.read(text, 100.0 + index) for index, text in enumerate(lines)], counts


def test_a_report_becomes_a_fix_with_the_time_it_came_in() -> None:
    (fix,), counts = read(line())
    assert fix is not None
    assert (fix.time_s, fix.lon, fix.lat, fix.heading_deg, fix.speed_mps) == (100.0, 13.4, 52.5, 90.5, 8.25)
    assert fix.error_m == 3.0  # half of eph
    assert counts == {}


def test_utc_is_believed_after_three_3d_fixes_in_a_row() -> None:
    reports = [line(time=f"2026-05-01T08:30:0{s}.000Z", mode=2 if s == 2 else 3) for s in range(7)]
    fixes, _ = read(*reports)
    assert [fix and fix.utc_s for fix in fixes] == [None, None, None, None, None, 1_777_624_205, 1_777_624_206]


@pytest.mark.parametrize("mode", [0, 1, None, "3", ...])
def test_without_a_fix_a_position_that_still_stands_in_the_report_is_not_used(mode: object) -> None:
    fixes, counts = read(line(mode=mode))
    assert fixes == [None]
    assert counts == {"no_fix": 1}


@pytest.mark.parametrize(
    "change", [{"lat": math.nan}, {"lon": math.inf}, {"lat": ...}, {"lat": "52"}, {"lat": 91}, {"lon": True}]
)
def test_a_position_that_is_no_place_on_earth_is_counted(change: dict[str, object]) -> None:
    fixes, counts = read(line(**change))
    assert fixes == [None]
    assert counts == {"bad_tpv": 1}


@pytest.mark.parametrize("change", [{"speed": math.nan}, {"speed": ...}, {"speed": -1}, {"speed": 1e9}])
def test_a_speed_that_cannot_be_is_left_out_and_the_fix_stays(change: dict[str, object]) -> None:
    (fix,), _ = read(line(**change))
    assert fix is not None
    assert fix.speed_mps is None


@pytest.mark.parametrize(
    ("change", "error_m"),
    [
        ({"eph": ...}, DEFAULT_ERROR_M),
        ({"eph": math.nan}, DEFAULT_ERROR_M),
        ({"eph": ..., "epx": 6.0, "epy": 8.0}, 5.0),
        ({"eph": 0.01}, 1.0),
    ],
)
def test_an_error_that_is_missing_or_too_good_to_be_true_is_replaced(change: dict[str, object], error_m: float) -> None:
    (fix,), _ = read(line(**change))
    assert fix is not None
    assert fix.error_m == error_m


def test_several_reports_of_one_epoch_are_one_fix() -> None:
    fixes, counts = read(
        line(), line(speed=None), line(time="2026-05-01T08:30:01.000Z"), line(time=...), line(time=...)
    )
    assert [fix is not None for fix in fixes] == [True, False, True, True, True]
    assert counts == {"same_epoch": 1}


def test_a_time_that_is_none_costs_only_the_time() -> None:
    fixes, counts = read(*(line(time=f"soon {n}") for n in range(4)))
    assert [fix is not None and fix.utc_s is None for fix in fixes] == [True] * 4
    assert counts == {"bad_time": 4}


@pytest.mark.parametrize(
    ("status", "quality"),
    [
        (..., "autonomous"), (0, "autonomous"), (1, "autonomous"), (2, "differential"), (3, "rtk_fixed"),
        (4, "rtk_float"), (5, "dead_reckoning"), (6, "dead_reckoning"), (99, "autonomous"), ("3", "autonomous"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", [2, 3])
def test_what_a_fix_rests_on_follows_from_the_status_whatever_the_mode(mode: int, status: object, quality: str) -> None:
    (fix,), _ = read(line(mode=mode, status=status))
    assert fix is not None
    assert fix.quality == quality


@pytest.mark.parametrize(
    ("status", "eph", "error_m"),
    [(3, 0.03, 0.02), (3, 0.1, 0.05), (4, 0.1, 0.2), (2, 0.3, 0.6), (5, 60.0, 30.0), (5, ..., 20.0)],
)
def test_the_error_follows_the_receiver_down_to_what_its_kind_of_fix_can_be(
    status: int, eph: object, error_m: float
) -> None:
    (fix,), _ = read(line(status=status, eph=eph))
    assert fix is not None
    assert fix.error_m == pytest.approx(error_m)


def test_a_simulating_receiver_is_counted() -> None:
    _, counts = read(line(status=8))
    assert counts == {"invented": 1}


def test_null_island_is_no_fix() -> None:
    fixes, counts = read(line(lat=0.0, lon=0.0))
    assert fixes == [None]
    assert counts == {"null_island": 1}


def test_a_report_of_an_epoch_before_the_last_is_left_out() -> None:
    fixes, counts = read(*(line(time=f"2026-05-01T08:30:0{s}.000Z") for s in (1, 2, 1, 3)))
    assert [fix is not None for fix in fixes] == [True, True, False, True]
    assert counts == {"old_epoch": 1}


def test_a_week_roll_over_costs_the_time_and_not_the_place() -> None:
    fixes, counts = read(*(line(time=f"2006-09-15T08:30:0{s}.000Z") for s in range(5)))
    assert [fix is not None and fix.utc_s is None for fix in fixes] == [True] * 5
    assert counts == {"utc_past": 5}


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[" * 60_000, b"\xff\xfe", b"null", b"3", b'{"class":"SKY"}', b'"TPV"', b"NaN"]
)
def test_what_is_no_tpv_is_no_fix(text: bytes) -> None:
    assert read(text)[0] == [None]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(list(GOOD)), values), st.binary(max_size=50))
def test_no_report_breaks_the_reader(changes: dict[str, object], noise: bytes) -> None:
    fixes, _ = read(json.dumps(GOOD | {"class": "TPV"} | changes).encode(), noise)
    for fix in fixes:
        if fix is not None:
            assert abs(fix.lat) <= 90
            assert fix.error_m >= 1
            assert fix.heading_deg is None or 0 <= fix.heading_deg <= 360


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        yield listener


def connected(server: socket.socket, *, clock: list[float]) -> tuple[GpsdReader, socket.socket]:
    port = server.getsockname()[1]
    made: list[GpsdReader] = []
    thread = threading.Thread(
        target=lambda: made.append(GpsdReader("127.0.0.1", port, Counter(), clock=lambda: clock[0]))
    )
    thread.start()
    peer, _ = server.accept()
    thread.join()
    return made[0], peer


def test_reports_are_asked_for_and_read_across_packets(server: socket.socket) -> None:
    reader, peer = connected(server, clock=[5.0])
    with peer:
        assert peer.recv(100) == b'?WATCH={"enable":true,"json":true}\n'
        text = line() + b"\r\n"
        peer.sendall(b'{"class":"VERSION"}\n' + text[:30])
        assert list(reader.read()) == []
        peer.sendall(text[30:])
        (fix,) = reader.read()
        assert (fix.time_s, fix.lat) == (5.0, 52.5)
    reader.close()


def test_a_closed_connection_is_an_error(server: socket.socket) -> None:
    reader, peer = connected(server, clock=[0.0])
    peer.close()
    with pytest.raises(OSError, match=r"closed the connection|reset"):
        reader.read()
    reader.close()


def test_a_silent_connection_is_given_up(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.positioning.gpsd._READ_S", 0.01)
    clock = [0.0]
    reader, peer = connected(server, clock=clock)
    with peer:
        assert list(reader.read()) == []
        clock[0] = 20.0
        with pytest.raises(OSError, match=r"silent for 15 s; is a receiver connected"):
            reader.read()
    reader.close()


def test_a_peer_that_is_no_gpsd_is_given_up(server: socket.socket) -> None:
    reader, peer = connected(server, clock=[0.0])
    sender = threading.Thread(target=lambda: peer.sendall(b"x" * 200_000))
    sender.start()
    with pytest.raises(OSError, match=r"is this gpsd\?"):  # noqa: PT012 - how many reads it takes is open
        while True:
            reader.read()
    reader.close()
    sender.join()
    peer.close()
