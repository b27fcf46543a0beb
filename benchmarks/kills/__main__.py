# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments of drives: what was confirmed is shown, once. Exit code 0 only if it is.

    python -m benchmarks.kills [--kills N] [--victims daemon[,broker][,depot]] [--drive DIR] [--seed N]

`wegewart-edge run` replays a rendered drive with the shipped model over a real Mosquitto to a real depot, again and
again. At a random moment, four of five times after the first confirmation of that start, one of the victims gets
SIGKILL; a killed broker loses its disk every second time. In every second round the broker is frozen meanwhile, so that
nothing but the vehicle's store knows what was confirmed. At the end, with all three well, the outbox drains and three
lists are compared: what the witness saw `confirm` return (benchmarks/kills/vehicle.py), what the depot's database
holds, what its page shows.

SIGKILL leaves the operating system alive: this shows nothing about power cuts (see `scripts/torture --power-cuts`).
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.kills.rig import Rig, ServerError, VehicleError
from benchmarks.kills.verdict import judge, table
from benchmarks.servers import BIN, end_with_children

VICTIMS = ("daemon", "broker", "depot")
PROGRESS_EVERY_S = 20.0


def main() -> int:
    """Kill, compare, print."""
    options = _options()
    end_with_children()
    folder = Path(tempfile.mkdtemp(prefix="wegewart-kills-"))
    try:
        with Rig(folder, options.drive or _rendered(folder, options.km), random.Random(options.seed)) as rig:  # noqa: S311
            good = _torture(rig, options.kills, options.victims, as_json=options.json)
    except (ServerError, VehicleError) as error:
        print(f"kills: {error}; everything is still in {folder}", file=sys.stderr)
        return 1
    if good:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"everything is still in {folder}")
    return 0 if good else 1


def _torture(rig: Rig, kills: int, victims: list[str], *, as_json: bool) -> bool:
    rig.depot.wait_connected()
    life_s = rig.measure_life()
    began = told_s = time.monotonic()
    for number in range(1, kills + 1):
        rig.kill(victims)
        if time.monotonic() - told_s > PROGRESS_EVERY_S:
            told_s = time.monotonic()
            each_s = (told_s - began) / number
            print(f"{number} of {kills} kills, {each_s:.1f} s each", file=sys.stderr, flush=True)
    each_s = (time.monotonic() - began) / max(kills, 1)
    summary = rig.finish()
    verdict = judge(rig.journal, rig.depot)
    counters = rig.counters
    hits = ", ".join(f"{counters[f'{victim} kills']} {victim}" for victim in victims)
    print(f"kills                                  {hits}")
    print(f"of these with the broker frozen        {counters['offline']}")
    print(f"broker's disk wiped                    {counters['wiped']}")
    print(f"starts of the daemon, whole drives     {counters['starts']}, {counters['whole drives']}")
    print(f"one drive undisturbed, each kill took  {life_s:.1f} s, {each_s:.1f} s")
    print("\n".join(table(verdict)))
    good = verdict.is_good(kills + 1) and summary["drained"] is True
    if as_json:
        print(json.dumps({**verdict.figures(), "kills": kills, "good": good}))
        return good
    print("all confirmed is shown, once" if good else "THE PROMISE WAS BROKEN")
    return good


def _rendered(folder: Path, km: float) -> Path:
    drive = folder / "drive"
    command: list[str | Path] = [
        BIN / "wegewart-edge",
        "simulate",
        drive,
        "--seed",
        "1",
        "--km",
        str(km),
        "--scene",
        "street",
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return drive


def _victims(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in VICTIMS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(VICTIMS)}")
    return names


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kills", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100, help="default: %(default)s")
    parser.add_argument(
        "--victims", type=_victims, default=["daemon"], help="names with commas between (default: daemon)"
    )
    parser.add_argument("--drive", type=Path, help="folder of a rendered drive (default: render one)")
    parser.add_argument("--km", type=float, default=0.1, help="length of the rendered drive (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the moments and victims (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="figures of delivery as a last line of JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
