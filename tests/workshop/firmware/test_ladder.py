# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The mobile link's ladder: the gentlest step first, nothing for a tunnel, never without an end."""

from __future__ import annotations

import itertools
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workshop.firmware.programs_of_the_device import PI, load

ladder = load(PI / "usr/lib/wegewart/lte-ladder")
Look, Ladder = ladder.Look, ladder.Ladder


def drive(looks: list[tuple[bool, bool]], every_s: float = 30.0) -> list[tuple[float, str]]:
    """(answered, reception) each half minute; the actions with their times."""
    state, taken = Ladder(), []
    for number, (answered, reception) in enumerate(looks):
        state, action = ladder.climb(state, Look(number * every_s, answered, reception))
        if action is not None:
            taken.append((number * every_s, action))
    return taken


def test_a_dead_modem_is_dialled_again_then_reset_then_switched_off_and_on() -> None:
    assert drive([(False, True)] * 13) == [(60.0, "dial"), (180.0, "reset"), (360.0, "power")]


def test_a_link_that_comes_back_ends_the_climb() -> None:
    assert drive([(False, True)] * 4 + [(True, True)] + [(False, True)] * 4) == [(60.0, "dial"), (210.0, "dial")]


def test_a_short_silence_is_nothing() -> None:
    assert drive([(False, True), (False, True), (True, True)] * 20) == []


def test_a_tunnel_of_fifteen_minutes_without_reception_costs_nothing() -> None:
    assert drive([(False, False)] * 31 + [(True, True)]) == []


def test_a_night_in_a_depot_without_reception_wears_the_modem_little() -> None:
    night = drive([(False, False)] * (10 * 120))
    switched = [at for at, action in night if action == "power"]
    assert 1 <= len(switched) <= 10
    pauses = [after - before for before, after in itertools.pairwise(switched)]
    assert min(pauses) >= 1200
    assert pauses[-1] >= 3600


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=400))
def test_whatever_happens_steps_come_in_their_order_and_no_faster_than_every_minute(
    looks: list[tuple[bool, bool]],
) -> None:
    taken = drive(looks)
    order = [name for _, name in ladder.STEPS]
    for (before, first), (after, second) in itertools.pairwise(taken):
        assert after - before >= 60
        expected = order[(order.index(first) + 1) % len(order)]
        assert second in (expected, "dial")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[delivery]\nhost = "mqtt.stadt.example"\nport = 8884\n', ("mqtt.stadt.example", 8884)),
        ("[camera]\nhost = 'cam'\n[delivery]\n# broker\nhost = 'b'\n[power]\nport = 1\n", ("b", 8883)),
        ("[camera]\nhost = 'cam'\n", None),
        ("", None),
        ("\x00[delivery", None),
    ],
)
def test_the_broker_is_found_in_vehicle_toml(text: str, found: tuple[str, int] | None) -> None:
    assert ladder.broker(text) == found


def test_a_refused_connection_is_an_answer_and_silence_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    # The option that binds to the link needs a right that a normal user does not have: left out here.
    class Unbound(socket.socket):
        def setsockopt(self, *_: object) -> None:  # type: ignore[override]
            pass

    def silent(*_: object) -> None:
        raise TimeoutError

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setattr(ladder.socket, "socket", Unbound)
    assert ladder.answers("lo", ("127.0.0.1", port)) is True
    monkeypatch.setattr(Unbound, "connect", silent)
    assert ladder.answers("lo", ("127.0.0.1", port)) is False
    assert ladder.answers("lo", ("no.such.name.invalid", 9)) is False


def test_the_sockets_power_goes_off_and_on_by_the_port_or_else_in_software(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[str, str]] = []
    monkeypatch.setattr(ladder.time, "sleep", lambda _: written.append(("sleep", "")))

    def write(path: Path, text: str) -> None:
        if not path.parent.exists():
            raise FileNotFoundError(2, "No such file or directory")
        written.append((path.name, text))

    monkeypatch.setattr(ladder.Path, "write_text", write)
    ladder.power(str(tmp_path))
    assert written == [("authorized", "0"), ("sleep", ""), ("authorized", "1")]
    written.clear()
    (tmp_path / "port").mkdir()
    ladder.power(str(tmp_path))
    assert written == [("disable", "1"), ("sleep", ""), ("disable", "0")]


def test_each_step_calls_its_program(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, ...]] = []
    monkeypatch.setattr(ladder, "said", lambda *command: called.append(command) or "")
    ladder.act("dial", "")
    ladder.act("reset", "")
    ladder.act("power", "")
    assert called == [
        ("nmcli", "connection", "down", "wegewart-lte"),
        ("nmcli", "--wait", "45", "connection", "up", "wegewart-lte"),
        ("mmcli", "-m", "any", "--reset"),
    ]


def test_what_modemmanager_says_is_read_and_nonsense_is_no_modem(monkeypatch: pytest.MonkeyPatch) -> None:
    said = '{"modem": {"generic": {"state": "searching", "device": "/sys/devices/usb1/1-1"}}}'
    monkeypatch.setattr(ladder, "said", lambda *command: said if command[0] == "mmcli" else "")
    assert ladder.modem() == ("searching", "/sys/devices/usb1/1-1")
    assert ladder.look(5.0) == Look(5.0, answered=False, reception=False)
    for nonsense in ("", "[]", '{"modem": null}', "error: couldn't find modem"):
        monkeypatch.setattr(ladder, "said", lambda *_, nonsense=nonsense: nonsense)
        assert ladder.modem() == ("", "")


def test_a_program_that_hangs_or_is_not_there_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ladder.said("no-such-program-anywhere") == ""

    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("nmcli", 60)

    monkeypatch.setattr(ladder.subprocess, "run", hang)
    assert ladder.said("nmcli") == ""
