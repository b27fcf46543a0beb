# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Tries to break the promise: every confirmed observation is shown at the depot, once. Without options: a short round.

Versucht, das Versprechen zu brechen: jede bestätigte Beobachtung wird beim Betriebshof gezeigt, genau einmal.

  scripts/torture                                        some minutes
  scripts/torture --kills 1000 --power-cuts 2000         a night
  scripts/torture --kills 15000 --drive-hours 24         a release

Each part is a command of its own (it is printed), with real processes, a real Mosquitto and a real depot. The table at
the end has one line for each: records confirmed, of these shown, lost, twice. Exit code 0: none lost, none twice.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_DRAINED = re.compile(r"^.*: (\d+) confirmed, \d+ drained in .*$", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """One attempt to break it. `environment`: how hard; a test takes its figures from there."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a part. None: it does not count that, its own checks say whether all was well."""

    part: Part
    good: bool
    seconds: float
    confirmed: int | None = None
    shown: int | None = None
    lost: int | None = None
    twice: int | None = None


def benchmark(name: str, module: str, *options: str) -> Part:
    """A benchmark that ends with a line of JSON."""
    return Part(name, ("-m", f"benchmarks.{module}", *options, "--json"))


def tests(name: str, selection: str, **environment: str) -> Part:
    """Tests, made heavy by their environment variables. `selection`: file, and words for -k behind a space."""
    path, _, words = selection.partition(" ")
    only = ("-k", words) if words else ()
    command = ("-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--timeout", "0", path, *only)
    # A missing server is a failure here, not a test left out.
    return Part(name, command, {**environment, "CI": "true"})


def parts(options: argparse.Namespace) -> list[Part]:
    """What was asked for."""
    networks, hours = "tests/delivery/test_bad_networks.py", f"{options.drive_hours:g}"
    kills, cuts, store = (str(number) for number in (options.kills, options.power_cuts, options.store_kills))
    few = str(max(3, options.kills // 20))
    wanted = [
        (options.kills, benchmark("daemon killed", "kills", "--kills", kills)),
        (
            options.kills,
            benchmark("daemon, broker, depot killed", "kills", "--kills", few, "--victims", "daemon,broker,depot"),
        ),
        (options.kills, tests("broker killed after PUBACK", f"{networks} broker_killed", WEGEWART_BROKER_KILLS=few)),
        (options.kills, tests("depot killed in a commit", f"{networks} depot_killed", WEGEWART_DEPOT_KILLS=few)),
        (options.store_kills, tests("store killed", "tests/delivery/test_kill.py", WEGEWART_KILLS=store)),
        (options.power_cuts, tests("power cuts", "tests/delivery/test_power_cut.py", WEGEWART_CUTS=cuts)),
        (options.queued, benchmark("depot away", "drain", "--observations", str(options.queued))),
        (
            options.queued,
            tests("bad networks", f"{networks} not killed", WEGEWART_QUEUED=str(max(300, options.queued))),
        ),
        (options.drive_hours, benchmark("long drive, kills on the way", "soak", "--hours", hours, "--kills", few)),
        (options.drive_hours, benchmark("long drive, memory", "soak", "--hours", hours)),
    ]
    return [part for asked, part in wanted if asked]


def run(part: Part) -> Outcome:
    """Run it; its output goes to the terminal as it comes."""
    said = " ".join([f"{name}={value}" for name, value in part.environment.items()] + ["python", *part.command])
    print(f"\n== {part.name}: {said}", flush=True)
    began = time.monotonic()
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, *part.command],
        cwd=ROOT,
        env={**os.environ, **part.environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            print(line, end="", flush=True)
    return outcome(part, process.returncode, "".join(lines), time.monotonic() - began)


def outcome(part: Part, code: int, told: str, seconds: float) -> Outcome:
    """Read a part's figures from what it told."""
    last = told.strip().rpartition("\n")[2]
    if last.startswith("{"):
        figures = json.loads(last)
        numbers = {name: int(figures[name]) for name in ("confirmed", "shown", "lost", "twice")}
        clean = not numbers["lost"] and not numbers["twice"]
        return Outcome(part, code == 0 and bool(figures["good"]) and clean, seconds, **numbers)
    confirmed = [int(number) for number in _DRAINED.findall(told)]
    if code == 0 and confirmed:  # such a test fails unless all are shown, once
        many = sum(confirmed)
        return Outcome(part, good=True, seconds=seconds, confirmed=many, shown=many, lost=0, twice=0)
    return Outcome(part, code == 0, seconds)


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """One line for each part, and the summary."""
    head = f"{'':30} {'confirmed':>10} {'shown':>10} {'lost':>6} {'twice':>6} {'minutes':>8}"
    lines = [head]
    for one in outcomes:
        numbers = [("-" if n is None else str(n)) for n in (one.confirmed, one.shown, one.lost, one.twice)]
        confirmed, shown, lost, twice = numbers
        result = "held" if one.good else "BROKEN"
        lines.append(
            f"{one.part.name:30} {confirmed:>10} {shown:>10} {lost:>6} {twice:>6} {one.seconds / 60:>8.1f}  {result}"
        )
    broken = sum(not one.good for one in outcomes)
    lines.append(
        f"torture: {len(outcomes)} parts, {broken} broken" if broken else f"torture: {len(outcomes)} parts, all held"
    )
    return lines


def main() -> int:
    """Run what was asked for; 0 only if everything held."""
    parser = argparse.ArgumentParser(
        prog="scripts/torture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    some = [
        ("--kills", int, "SIGKILL of the daemon at random moments; a twentieth as often broker and depot", 20),
        ("--store-kills", int, "SIGKILL of a small process that confirms without pause", 20),
        ("--power-cuts", int, "simulated power cuts that drop what was not fsynced", 50),
        ("--queued", int, "observations that wait while the depot is away, and on each bad network", 300),
        ("--drive-hours", float, "hours of driving, accelerated, for memory and for kills on the way", 0.1),
    ]
    for name, kind, what, _ in some:
        parser.add_argument(name, type=kind, metavar="N", help=f"{what} (0: none)")
    parser.epilog = "With any of them only those parts run. Without: " + ", ".join(f"{n} {few}" for n, *_, few in some)
    options = parser.parse_args()
    nothing_asked = all(value is None for value in vars(options).values())
    for name, _, _, few in some:
        key = name[2:].replace("-", "_")
        given = getattr(options, key)
        if given is not None and given < 0:
            parser.error(f"{name} {given}: must not be negative")
        setattr(options, key, few if nothing_asked else given or 0)
    outcomes = [run(part) for part in parts(options)]
    print("\n" + "\n".join(table(outcomes)))
    return 0 if outcomes and all(one.good for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
