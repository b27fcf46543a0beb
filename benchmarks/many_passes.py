# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Many streets, ten passes of three vehicles each, in a numeric world: does each case hold one defect, each once?

    python -m benchmarks.many_passes [--seeds 1-10] [--passes N] [--list]

Nothing is rendered: the world, receivers (1.5 m on each axis, lasting 25 s), mountings that are 0.15 degrees off and
boxes with noise are those of `benchmarks.geometry`; one look in ten is missed. Which defect an observation shows is
known from its looks, so cases are judged by what they hold and not by where they lie. 80 defects a kilometre, with
1 m of road between them at least: more than a poor street has.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from sqlalchemy import select

from benchmarks.geometry.chain import drive
from benchmarks.geometry.motion import Go, Motion
from benchmarks.geometry.route import Route, winding
from benchmarks.geometry.rows.street import LENGTH_M, PER_KM, RUN_IN_M, vehicle
from benchmarks.geometry.sensors import Fitted, readings
from benchmarks.geometry.things import Thing, scattered
from benchmarks.geometry.world import World
from benchmarks.passes import take
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.tables import events, sightings
from messages import envelope
from messages.types import Observation, Time

MISSES = 0.1
SPEEDS_KMH = (30.0, 40.0, 50.0)
_BEGIN = datetime(2026, 6, 15, 6, 30, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Verdict:
    """Of one street. `whole`: defects whose sightings are all of one case that holds nothing else."""

    observations: int
    seen: int
    cases: int
    whole: int
    mixed: int
    parted: int
    lines: tuple[str, ...]


def street(seed: int, passes: int, database: Database) -> Verdict:
    """Drive one random street again and again, each pass two days after the one before."""
    rng = np.random.default_rng([seed, 0])
    route = Route(winding(rng, LENGTH_M), heading_deg=float(rng.uniform(0, 360)))
    things = scattered(route, rng, per_km=PER_KM, from_m=0.0, to_m=route.length_m)
    owners: dict[tuple[str, str], str] = {}
    for number in range(passes):
        own = 1000 * seed + number
        motion = Motion([Go(route.length_m + 40, SPEEDS_KMH[number % 3])], start_m=-RUN_IN_M)
        world = World(route, motion, vehicle(3 * seed + number % 3), seed=own)
        run = drive(world, readings(world, Fitted(), seed=own), things, seed=own, misses=MISSES)
        for seen in run.seen:
            source, name = envelope.source_of(f"vehicle-{number % 3}"), f"pass-{number}-{seen.id}"
            data = _dated(seen.observation, number)
            owners[source, name] = seen.owner
            take(database, [envelope.Event(id=name, source=source, data=data)])
    return judge(database, owners, things)


def _dated(seen: Observation, number: int) -> Observation:
    moment = _BEGIN + timedelta(days=2 * number, seconds=seen.time.monotonic_s)
    utc = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    boot = f"pass-{number}"
    return replace(seen, time=Time(boot=boot, monotonic_s=seen.time.monotonic_s, quality="gnss", utc=utc))


def judge(database: Database, owners: dict[tuple[str, str], str], things: Sequence[Thing]) -> Verdict:
    """Which defects the cases hold."""
    held: dict[int, list[str]] = defaultdict(list)
    lies: dict[str, set[int]] = defaultdict(set)
    with database.reading() as connection:
        rows = connection.execute(
            select(sightings.c.case, events.c.source, events.c.id).join(
                events, events.c.received == sightings.c.received
            )
        )
        for row in rows:
            owner = owners[row.source, row.id]
            held[row.case].append(owner)
            lies[owner].add(row.case)
    mixed = {case: owned for case, owned in held.items() if len(set(owned)) > 1}
    parted = {owner: found for owner, found in lies.items() if len(found) > 1}
    whole = [owner for owner, found in lies.items() if len(found) == 1 and not found & mixed.keys()]
    named = {thing.id: f"{thing.id} {thing.label} at s {thing.s_m:.1f} t {thing.t_m:.1f}" for thing in things}
    lines = [f"mixed   case {case}: {', '.join(named[o] for o in sorted(set(owned)))}" for case, owned in mixed.items()]
    lines += [f"parted  {named[o]}: {[held[c].count(o) for c in sorted(found)]}" for o, found in parted.items()]
    return Verdict(len(owners), len(lies), len(held), len(whole), len(mixed), len(parted), tuple(lines))


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main() -> int:
    """Drive, join, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=_seeds, default=_seeds("1-10"))
    parser.add_argument("--passes", type=int, default=10)
    parser.add_argument("--list", action="store_true", help="name what was mixed or parted")
    options = parser.parse_args()
    told = []
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{Path(folder) / 'depot.sqlite'}")
            migrate(database)
            told.append(street(seed, options.passes, database))
            database.close()
        print(f"seed {seed}: {told[-1].seen} defects seen, {told[-1].cases} cases", file=sys.stderr)
        if options.list:
            print("\n".join(told[-1].lines))
    seen, whole = sum(one.seen for one in told), sum(one.whole for one in told)
    print(f"streets, observations                 {len(told)}, {sum(one.observations for one in told)}")
    print(f"defects that were seen                {seen}")
    print(f"cases                                 {sum(one.cases for one in told)}")
    print(f"defects that are exactly one case     {whole} ({whole / max(seen, 1):.1%})")
    print(f"cases that hold two defects           {sum(one.mixed for one in told)}")
    print(f"defects in more than one case         {sum(one.parted for one in told)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
