# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a device must do right when nothing else is: after a cut, `current` leads to a complete release again.

One file and the standard library alone, on purpose: with each confirmed release a copy of it goes to `update/`, and at
boot the system's own Python runs that copy. So it works where every virtual environment is damaged. Everything that
switches, also the updater itself, uses the plans and the few durable steps below: there is one way to switch.

Deciding (`Journal`, the plans, `decide`) and doing (`look`, `perform`) stay apart. A plan is a row of steps, each of
which is durable before the next begins; `decide` finds the rest of any plan from what it sees after a cut.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

ROOT = Path("/opt/wegewart")
#: Starts of a release on trial that never got ready, before the device goes back by itself.
MOST_STARTS = 3
_COMPLETE = "COMPLETE"
_ID = re.compile(r"[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,4}([.-][a-z0-9]{1,20})?")
_BOOT = Path("/proc/sys/kernel/random/boot_id")

Step: TypeAlias = Literal["building", "staged", "trial", "back"]


@dataclass(frozen=True)
class Journal:
    """What is under way with `release`. `starts`: on trial, in a row and without getting ready; `boot`: of the last.

    `by_hand`: somebody at the device asked for it, the depot's wish comes after it.
    """

    release: str
    step: Step
    previous: str | None = None
    starts: int = 0
    boot: str = ""
    reason: str = ""
    by_hand: bool = False


@dataclass(frozen=True)
class Seen:
    """The device as it is. `current`, `updater`: None where the link leads to nothing complete.

    `complete`: releases with all their parts, best first. `boot`: differs with each start of the computer.
    """

    current: str | None
    updater: str | None
    complete: tuple[str, ...]
    journal: Journal | None
    boot: str


# ---- steps


@dataclass(frozen=True)
class Note:
    """Write the journal; None: remove it."""

    journal: Journal | None


@dataclass(frozen=True)
class Say:
    """Tell the depot (`messages.types.Update`). What was said already keeps its time, unless it happened `anew`."""

    release: str
    state: Literal["staged", "pending", "active", "failed"]
    running: str | None = None
    reason: str = ""
    attempts: int = 0
    utc: str = ""
    anew: bool = False


@dataclass(frozen=True)
class Point:
    """Let a link lead to a release; for `current` this is the switch."""

    link: Literal["current", "updater"]
    release: str


@dataclass(frozen=True)
class Refuse:
    """Remember that a release failed here."""

    release: str
    reason: str


@dataclass(frozen=True)
class Arm:
    """Copy a confirmed release's own recover.py to where the boot finds it."""

    release: str


Action: TypeAlias = Note | Say | Point | Refuse | Arm
Plan: TypeAlias = tuple[Action, ...]


# ---- plans


def stage(release: str, running: str | None, *, by_hand: bool = False) -> Plan:
    """It is complete; it waits until the vehicle is parked."""
    return (Note(Journal(release, "staged", by_hand=by_hand)), Say(release, "staged", running))


def switch(release: str, previous: str | None, boot: str) -> Plan:
    """To be followed by a restart of the daemon."""
    journal = Journal(release, "trial", previous, starts=1, boot=boot)
    return (Note(journal), Say(release, "pending", release), Point("current", release))


def confirm(release: str) -> Plan:
    """The trial went well."""
    return (Point("updater", release), Arm(release), Say(release, "active", release), Note(None))


def back(journal: Journal, to: str, reason: str) -> Plan:
    """The trial failed. To be followed by a restart of the daemon, then by `done`."""
    said = Say(journal.release, "failed", to, reason, journal.starts)
    return (
        Note(dataclasses.replace(journal, step="back", previous=to, reason=reason)),
        Refuse(journal.release, reason),
        Point("current", to),
        said,
    )


def done() -> Plan:
    """Nothing is under way any more."""
    return (Note(None),)


def decide(seen: Seen) -> Plan:
    """The rest of what a cut interrupted, and whatever is needed so that both links lead to complete releases."""
    plan = _rest(seen)
    current, updater = seen.current, seen.updater
    for action in plan:
        if isinstance(action, Point):
            current, updater = (action.release, updater) if action.link == "current" else (current, action.release)
    if current is None:
        current = _other(seen)
        plan += (Point("current", current),) if current is not None else ()
    if updater is None and current is not None:
        plan += (Point("updater", current),)
    return plan


def _rest(seen: Seen) -> Plan:
    journal = seen.journal
    if journal is None:
        return ()
    if journal.step == "back":
        to = way_back(seen)
        return (*back(journal, to, journal.reason), *done()) if to is not None else done()
    if journal.step == "building" or journal.release not in seen.complete:
        return done()
    if journal.step == "staged" or seen.current != journal.release:
        return stage(journal.release, seen.current or _other(seen), by_hand=journal.by_hand)
    return _trial(seen, journal)


def _trial(seen: Seen, journal: Journal) -> Plan:
    to = way_back(seen)
    if seen.updater == journal.release or to is None:
        # It was confirmed already; or there is nothing else that could run.
        return confirm(journal.release)
    if journal.boot == seen.boot:
        return (Say(journal.release, "pending", journal.release, attempts=max(0, journal.starts - 1)),)
    if journal.starts >= MOST_STARTS:
        reason = f"trial: the computer went off {journal.starts} times before the release looked at a first frame"
        return (*back(journal, to, reason), *done())
    again = dataclasses.replace(journal, starts=journal.starts + 1, boot=seen.boot)
    return (Note(again), Say(journal.release, "pending", journal.release, attempts=journal.starts))


def way_back(seen: Seen) -> str | None:
    """The release to go back to: the one before, or the best other one; None where there is none."""
    journal = seen.journal
    if journal is None:
        return None
    to = journal.previous if journal.previous in seen.complete else _other(seen)
    return None if to == journal.release else to


def _other(seen: Seen) -> str | None:
    """The best complete release that is not the one of the journal: the updater's, or the newest."""
    under_way = seen.journal.release if seen.journal is not None else None
    found = [name for name in (seen.updater, *seen.complete) if name is not None and name != under_way]
    if found:
        return found[0]
    return under_way if under_way in seen.complete else None


# ---- doing


def look(root: Path, boot: str | None = None) -> Seen:
    """How the device is. What cannot be read counts as not there."""
    refused = read(root / "update" / "refused.json")
    complete = [folder.name for folder in _folders(root / "releases") if is_complete(folder)]
    complete.sort(key=lambda name: (name not in refused, _number(root / "releases" / name), name), reverse=True)
    return Seen(
        current=_target(root / "current", complete),
        updater=_target(root / "updater", complete),
        complete=tuple(complete),
        journal=_journal(read(root / "update" / "journal.json")),
        boot=boot if boot is not None else boot_id(),
    )


def boot_id() -> str:
    """Differs with each start of the computer."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def is_complete(release: Path) -> bool:
    """Whether a release's folder was finished, and so was every part that it leads to."""
    models = _entries(release / "models")
    try:
        parts = [release, (release / "bin").resolve().parent, *(model.resolve() for model in models)]
    except (OSError, RuntimeError):  # links that lead in a circle
        return False
    return (release / "bin").is_dir() and bool(models) and all((part / _COMPLETE).is_file() for part in parts)


def perform(root: Path, action: Action) -> None:
    """One step of a plan; it is on the disk when this returns.

    Raises:
        OSError: the disk takes nothing.
    """
    own = root / "update"
    if isinstance(action, Point):
        point(root / action.link, Path("releases") / action.release)
    elif isinstance(action, Note):
        if action.journal is None:
            remove(own / "journal.json")
        else:
            write_json(own / "journal.json", dataclasses.asdict(action.journal))
    elif isinstance(action, Say):
        said = {key: value for key, value in dataclasses.asdict(action).items() if value and key != "anew"}
        if action.anew or {**read(own / "state.json"), "utc": action.utc} != {**said, "utc": action.utc}:
            write_json(own / "state.json", said)
    elif isinstance(action, Refuse):
        write_json(own / "refused.json", {**read(own / "refused.json"), action.release: action.reason[:500]})
    else:
        for code in sorted((root / "releases" / action.release / "bin").resolve().parent.glob(_OF_APP)):
            write(own / "recover.py", code.read_bytes())


_OF_APP = "lib/python3*/site-packages/edge/update/recover.py"


def point(link: Path, target: Path) -> None:
    """Replace a link (relative `target`) in one step: whoever looks sees the old one or the new one."""
    fresh = link.with_name(f"{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    if link.is_dir() and not link.is_symlink():
        link.rename(link.with_name(f"{link.name}.was-a-folder"))
    fresh.replace(link)
    sync_folder(link.parent)


def write(path: Path, content: bytes) -> None:
    """Replace a file that anybody may read, durably and in one step."""
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.fchmod(descriptor, 0o644)
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file durably; one that is not there is no error."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder below releases, apps or models: its mark first, so that half of it is never taken for whole."""
    remove(folder / _COMPLETE)
    shutil.rmtree(folder, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> dict[str, object]:
    """A JSON object; empty where there is none that can be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def leftovers(root: Path) -> list[Path]:
    """What a cut left unfinished below releases, apps and models."""
    folders = [folder for kind in ("releases", "apps", "models") for folder in _folders(root / kind)]
    return [folder for folder in folders if not (folder / _COMPLETE).is_file()]


def write_json(path: Path, value: dict[str, object]) -> None:
    """As `write`."""
    write(path, json.dumps(value, indent=1).encode() + b"\n")


def _journal(found: dict[str, object]) -> Journal | None:
    def text(key: str) -> str:
        value = found.get(key)
        return value if isinstance(value, str) else ""

    release, step, previous, starts = text("release"), text("step"), text("previous"), found.get("starts")
    for known in ("building", "staged", "trial", "back"):
        if step == known and _ID.fullmatch(release):
            counted = starts if isinstance(starts, int) else 0
            by_hand = found.get("by_hand") is True
            return Journal(release, known, previous or None, counted, text("boot"), text("reason"), by_hand)
    return None


def _target(link: Path, complete: Sequence[str]) -> str | None:
    try:
        name = link.readlink().name
        return name if name in complete and link.samefile(link.parent / "releases" / name) else None
    except OSError:
        return None


def _number(release: Path) -> int:
    number = read(release / "release.json").get("number")
    return number if isinstance(number, int) else 0


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _folders(folder: Path) -> list[Path]:
    return [entry for entry in _entries(folder) if entry.is_dir() and not entry.is_symlink()]


# ---- at boot


def recover(root: Path, boot: str | None = None) -> Iterable[str]:
    """Mend the device and say in lines what was done. A step that the disk refuses is said and skipped."""
    for action in decide(look(root, boot)):
        yield _tried(root, action)
    for folder in leftovers(root):
        remove_folder(folder)
        yield f"removed: {folder} was not finished"


def _tried(root: Path, action: Action) -> str:
    name = type(action).__name__.lower()
    try:
        (root / "update").mkdir(parents=True, exist_ok=True)
        perform(root, action)
    except OSError as error:
        return f"{name} failed: {error}"
    values = dataclasses.asdict(action).values()
    return f"{name} {' '.join(str(value) for value in values if value) or 'nothing is under way'}"


def main(arguments: Sequence[str] = ()) -> int:
    """At boot, before the daemon. Whatever happens, it must not keep the daemon from its start."""
    root = Path(arguments[0]) if arguments else ROOT
    try:
        for line in recover(root):
            print(f"wegewart-update recover: {line}", flush=True)
    except Exception as error:  # noqa: BLE001 - the last net under everything
        print(f"wegewart-update recover: {type(error).__name__}: {error}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
