# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""All decisions of the update, without doing anything: what is known goes in, what is to be known next comes out.

The order of what is done with them makes every cut harmless:
- the other system is written only while the boot loader names the running one, and no trial goes on;
- autoboot.txt changes only when both systems are complete, so whatever a cut leaves of it starts a complete one;
- the record says "pending" before the reboot that tries, and "active" after autoboot.txt says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone

from edge.os_update.autoboot import Autoboot, starting
from edge.os_update.health import Course
from edge.os_update.record import Record
from edge.os_update.slots import Boot, Doubt, Slot, running

#: A trial that nobody saw healthy is repeated this often: the power was cut, or it does not boot.
MOST_ATTEMPTS = 3
#: And one that was healthy but not kept, because the vehicle was switched off before its broker was reached.
MOST_TRIALS = 50
#: The application must be well for so long without a break.
HEALTHY_S = 120.0
#: If it was not once by then, the new system is not kept.
DEADLINE_S = 900.0
#: A healthy system that never reached its broker is kept after so long, over all its trials.
WITHOUT_BROKER_S = 24 * 3600.0

#: The boot loaders that know `tryboot_a_b`, by the begin of the board's name: Pi 4 since 2022-11-25; Pi 5 tells the
#: partition that it took only since 2024-05-13.
OLDEST_EEPROM = {
    "Raspberry Pi 4": datetime(2022, 11, 25, tzinfo=timezone.utc),
    "Raspberry Pi 5": datetime(2024, 5, 13, tzinfo=timezone.utc),
}
#: Since then it looks for a bootable partition by itself where autoboot.txt was destroyed (PARTITION_WALK).
WALKS_SINCE = datetime(2025, 8, 13, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Board:
    """The board's name and when its boot loader (EEPROM) was built; None: it does not say."""

    model: str
    eeprom: datetime | None


def board_problem(board: Board) -> str | None:
    """Why this board cannot try a system; None where it can."""
    for name, oldest in OLDEST_EEPROM.items():
        if not board.model.startswith(name):
            continue
        if board.eeprom is None or board.eeprom < oldest:
            date = "unknown" if board.eeprom is None else f"{board.eeprom:%Y-%m-%d}"
            return (
                f"the boot loader's EEPROM is too old (date {date}, {name} needs {oldest:%Y-%m-%d}); "
                "in the workshop: sudo rpi-eeprom-update -a, never in the field"
            )
        return None
    return f"board {board.model!r} is none of {', '.join(OLDEST_EEPROM)}"


def install_problem(record: Record, boot: Boot, auto: Autoboot | None, board: Board) -> str | None:
    """Why nothing may be written to the other system now; None: it may."""
    problem = board_problem(board)
    if problem:
        return problem
    slot = running(boot)
    if boot.trial and not (record.state == "active" and record.slot == slot.name):
        return f"system {slot.name} runs on trial and is not kept yet; the other one is the only one that is proven"
    if auto != starting(slot):
        return f"autoboot.txt does not name the running system {slot.name} ({_said(auto)}); reboot, then look again"
    return None


def try_problem(record: Record, boot: Boot, auto: Autoboot | None, board: Board) -> str | None:
    """Why no trial may be asked for now; None: it may."""
    slot = running(boot)
    if record.state not in ("installed", "pending") or record.slot != slot.other.name:
        return f"there is no installed update to try (state: {record.state})"
    if record.slot not in record.complete:
        return f"system {record.slot} is not known to be complete; install the update again"
    return install_problem(record, boot, auto, board)


def asked(record: Record, boot: Boot) -> Record:
    """A trial is asked for: to be known before the reboot."""
    return replace(
        record,
        state="pending",
        reason="the trial was asked for",
        attempts=record.attempts + 1,
        trials=record.trials + 1,
        asked_in=boot.boot_id,
    )


def given_up(record: Record) -> Record | None:
    """The record of an update that was tried often enough; None: it may be tried once more."""
    if record.attempts >= MOST_ATTEMPTS:
        return record.failed(f"tried {record.attempts} times, never seen healthy; the old system runs")
    if record.trials >= MOST_TRIALS:
        return record.failed(f"tried {record.trials} times, never reached the broker for long enough to be kept")
    return None


@dataclass(frozen=True)
class AtBoot:
    """What a boot means: the record from now on; autoboot.txt to be written, if any; whether to leave at once."""

    record: Record
    autoboot: Autoboot | None = None
    leave: bool = False


def at_boot(record: Record, boot: Boot, auto: Autoboot | None) -> AtBoot:
    """Judge the boot we are in; may be asked again within it. `auto` None: autoboot.txt is not one of ours.

    Raises:
        Doubt: boot loader and kernel disagree and this is no trial.
    """
    try:
        slot = running(boot)
    except Doubt as doubt:
        if not boot.trial:
            raise
        return AtBoot(record.failed(f"trial: {doubt}"), leave=True)
    if boot.trial:
        return _at_trial(record, boot, slot)
    return AtBoot(_at_default(record, boot, slot, auto), starting(slot) if auto is None else None)


def _at_trial(record: Record, boot: Boot, slot: Slot) -> AtBoot:
    if record.slot == slot.name and record.state == "active":
        return AtBoot(record)  # kept, and still the boot that it was kept in
    if record.slot == slot.name and record.state in ("installed", "pending") and slot.name in record.complete:
        reason = "on trial: waits for the application and the broker"
        return AtBoot(replace(record, state="pending", reason=reason, trial_in=boot.boot_id))
    if record.state == "failed":
        return AtBoot(record, leave=True)
    reason = f"system {slot.name} was booted on trial, but nobody had installed it ({record.state})"
    return AtBoot(replace(record, reason=reason), leave=True)


def _at_default(record: Record, boot: Boot, slot: Slot, auto: Autoboot | None) -> Record:
    if record.state == "writing":
        return record.failed(f"system {record.slot} was being written when the power was cut; install it again")
    if record.state == "active" and record.slot != slot.name and (auto is None or auto.default == slot.boot):
        return record.failed(f"system {record.slot} had been kept, but {slot.name} was started")
    if record.state != "pending" or record.asked_in == boot.boot_id:
        return record
    if record.slot == slot.name:
        return kept(record)  # cut between autoboot.txt and the record
    over = given_up(record)
    if over is not None:
        return over
    came = "was seen, then cut or reset" if record.trial_in else "was never seen: cut before the reboot, or not booted"
    return replace(record, reason=f"the trial {came} (attempt {record.attempts} of {MOST_ATTEMPTS}); tried again")


def commit_problem(record: Record, boot: Boot, auto: Autoboot | None) -> str | None:
    """Why the running system may not be kept; None: it may."""
    slot = running(boot)
    if not boot.trial:
        return f"system {slot.name} does not run on trial"
    if record.slot != slot.name or record.state != "pending" or record.trial_in != boot.boot_id:
        return f"the trial of system {slot.name} is not the one that was asked for (state: {record.state})"
    if auto is None or auto.trial != slot.boot:
        return f"autoboot.txt does not have {slot.name} on trial ({_said(auto)})"
    return None


def kept(record: Record) -> Record:
    """The new system stays; the old one is complete still."""
    return replace(record, state="active", reason="", attempts=0, complete=("A", "B"), kept=record.version)


@dataclass(frozen=True)
class Verdict:
    """Of the trial so far: "wait", "keep" or "leave", and why."""

    what: str
    reason: str


def judged(record: Record, course: Course, *, now_s: float, well_s: float, online: bool) -> Verdict:
    """Judge the trial. `well_s`: when it was last well, or the watch began; `record.healthy_s`: over all its trials."""
    healthy_s = course.healthy_s(now_s)
    if healthy_s >= HEALTHY_S and online:
        return Verdict("keep", f"healthy for {healthy_s:.0f} s and the broker is reached")
    if healthy_s >= HEALTHY_S and record.healthy_s >= WITHOUT_BROKER_S:
        return Verdict("keep", f"healthy for {record.healthy_s / 3600:.0f} h; the broker was not reached")
    if healthy_s > 0:
        return Verdict("wait", "on trial: healthy, waits for the broker" if healthy_s >= HEALTHY_S else record.reason)
    if now_s - well_s >= DEADLINE_S:
        return Verdict("leave", f"on trial the application was not healthy for {DEADLINE_S / 60:.0f} minutes")
    return Verdict("wait", record.reason)


def seen(record: Record, healthy_s: float) -> Record:
    """A trial that was healthy for `healthy_s` more: it boots, so its attempts begin anew."""
    return replace(record, attempts=0, healthy_s=record.healthy_s + healthy_s)


def _said(auto: Autoboot | None) -> str:
    return "it cannot be read" if auto is None else f"it says {auto.default}, on trial {auto.trial}"
