# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands of the depot: once each, never late, never too many, always answered."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from edge.config import VehicleConfig
from edge.delivery import commands
from edge.delivery.commands import BURST, EVERY_S, REMEMBERED, REMOTE_SETTINGS, CommandDesk, Order, read_setting
from edge.delivery.utc import TrustedUtc, parse_utc
from messages.types import Command, Time

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)
RESTART = Command(action="restart")
UNTIL = Command(action="restart", until="2026-11-22T12:01:00Z")


class Desk:
    """A desk with a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.now_s = 0.0
        self.counters: Counter[str] = Counter()
        self.path = folder / "outbox.db.commands"
        self.begin()

    def begin(self) -> None:
        """The process starts (again)."""
        self.desk = CommandDesk(self.path, lambda: self.now_s, lambda name: self.counters.update([name]))

    def come(
        self, identity: str, command: Command = RESTART, *, expiry_s: int | None = 60, utc: datetime | None = None
    ) -> bool:
        order = Order(identity, command)
        until_s = self.desk.accept(order, expiry_s=expiry_s, utc=utc)
        if until_s is not None:
            self.desk.hand_on(order, until_s)
        return until_s is not None

    def said(self) -> list[tuple[str, bool]]:
        return [(reply.command, reply.ok) for reply in self.desk.replies()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_command_is_handed_out_once_and_its_reply_given_again_when_it_comes_again(desk: Desk) -> None:
    """Red without the look into `_done`."""
    assert desk.come("c-1")
    assert [order.id for order in desk.desk.take()] == ["c-1"]
    desk.desk.reply("c-1", ok=True, text="done")
    assert not desk.come("c-1")
    assert desk.desk.take() == []
    assert desk.said() == [("c-1", True), ("c-1", True)]


def test_a_restart_that_the_broker_brings_again_after_it_does_not_restart_for_ever(desk: Desk) -> None:
    """Red when the id is written down after the command is handed on, or not at all."""
    assert desk.come("c-1")
    desk.begin()
    assert not desk.come("c-1")
    assert desk.said() == [("c-1", False)], "nobody knows how it ended"
    desk.come("c-2")
    desk.desk.reply("c-2", ok=True, text="restarting")
    desk.begin()
    assert not desk.come("c-2")
    assert desk.said() == [("c-2", True)]


@pytest.mark.parametrize(
    ("command", "expiry_s", "utc", "is_done"),
    [
        (RESTART, 60, None, True),
        (RESTART, 0, None, False),
        (RESTART, None, None, False),
        (RESTART, None, NOON, False),
        (UNTIL, None, NOON, True),
        (UNTIL, None, None, False),
        (UNTIL, 60, None, True),
        (UNTIL, None, NOON.replace(hour=13), False),
        (UNTIL, 60, NOON.replace(hour=13), False),
        (Command(action="restart", until="2026-02-30T12:00:00Z"), 60, NOON, False),
    ],
)
def test_only_what_is_surely_still_valid_is_carried_out(
    desk: Desk, command: Command, expiry_s: int | None, utc: datetime | None, is_done: bool
) -> None:
    """Red without `_left_s`."""
    assert desk.come("c-1", command, expiry_s=expiry_s, utc=utc) is is_done
    assert desk.said() == ([] if is_done else [("c-1", False)])


def test_a_command_that_expires_before_the_daemon_looks_is_not_carried_out(desk: Desk) -> None:
    """Red without the time in `take`."""
    desk.come("c-1", expiry_s=60)
    desk.now_s = 61.0
    assert desk.desk.take() == []
    assert desk.said() == [("c-1", False)]


def test_a_storm_of_commands_costs_no_disk_and_no_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red without `_is_affordable`."""
    writes: list[object] = []
    monkeypatch.setattr(commands, "write_durably", lambda *_: writes.append(1))
    for number in range(5000):
        desk.come(f"c-{number}")
        desk.now_s += 0.01
    assert len(writes) <= 2 * (BURST + 50 / EVERY_S)
    assert desk.counters["delivery_commands_dropped"] > 4900
    assert len(desk.desk.take()) == 8, "the others were told that it is busy"
    assert len(desk.desk.replies()) <= REMEMBERED
    desk.now_s += 60.0
    assert desk.come("later")


def test_the_ids_that_are_remembered_are_bounded(desk: Desk) -> None:
    for number in range(3 * REMEMBERED):
        desk.come(f"c-{number}")
        desk.now_s += EVERY_S
        desk.desk.take()
    assert len(msgspec.json.decode(desk.path.read_bytes())) == REMEMBERED


def test_what_cannot_be_written_down_is_not_carried_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red without the answer of `_remember`: a restart could come again and again."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(commands, "write_durably", full)
    assert not desk.come("c-1")
    (reply,) = desk.desk.replies()
    assert "No space" in reply.text


@pytest.mark.parametrize("content", [b"", b"\0\0", b"{}", b'[{"id": 7}]', b"\xff"])
def test_a_damaged_file_of_ids_harms_nobody(desk: Desk, content: bytes) -> None:
    desk.path.write_bytes(content)
    desk.begin()
    assert desk.come("c-1")


def test_a_setting_is_read_with_the_bounds_of_the_configuration() -> None:
    assert read_setting(VehicleConfig, "sampling.every_m", "3.5") == 3.5
    with pytest.raises(ValueError, match=r"sampling\.every_m = '51'"):
        read_setting(VehicleConfig, "sampling.every_m", "51")
    with pytest.raises(ValueError, match=r"sampling\.every_m = 'nan'"):
        read_setting(VehicleConfig, "sampling.every_m", "nan")
    with pytest.raises(ValueError, match=r"delivery\.health_s"):
        read_setting(VehicleConfig, "delivery.health_s", "soon")


@pytest.mark.parametrize("key", ["delivery.host", "camera.source", "vision", "", "sampling", "delivery.password_file"])
def test_what_decides_what_is_seen_or_where_it_goes_cannot_be_set(key: str) -> None:
    """Red when any key of the configuration may be set."""
    with pytest.raises(ValueError, match="cannot be set from the depot"):
        read_setting(VehicleConfig, key, "1")


def test_a_setting_that_this_software_does_not_have_is_said() -> None:
    class Old(msgspec.Struct):
        sampling: Annotated[int, msgspec.Meta(ge=0)] = 1

    with pytest.raises(ValueError, match="is no setting"):
        read_setting(Old, REMOTE_SETTINGS[1], "1")


def test_utc_is_carried_on_by_the_monotonic_clock_and_only_where_it_was_trusted() -> None:
    """Red when `note` believes every quality."""
    now_s = 100.0
    utc = TrustedUtc(lambda: now_s)
    for quality in ("unset", "rtc", "replay"):
        utc.note(Time(boot="b", monotonic_s=1.0, quality=quality, utc="2026-11-22T12:00:00Z"))  # type: ignore[arg-type]
    utc.note(Time(boot="b", monotonic_s=1.0, quality="gnss"))
    utc.note(Time(boot="b", monotonic_s=1.0, quality="gnss", utc="2026-02-30T12:00:00Z"))
    assert utc.now() is None
    utc.note(Time(boot="b", monotonic_s=1.0, quality="ntp", utc="2026-11-22T12:00:00.25Z"))
    now_s += 30.0
    assert utc.now() == NOON.replace(second=30, microsecond=250_000)


def test_times_are_read_as_messages_write_them() -> None:
    assert parse_utc("2026-11-22T12:00:00Z") == NOON
    assert parse_utc("2026-11-22T12:00:00.5Z") == NOON.replace(microsecond=500_000)
