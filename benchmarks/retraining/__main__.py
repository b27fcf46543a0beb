# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Retraining from the depot, from the first frame to the exported set, with the real products in between.

    python -m benchmarks.retraining FOLDER [--streets N] [--km X] [--drives FOLDER] [--work FOLDER]

Streets are rendered (seeds that nothing else draws from), vehicles with the shipped models drive them
(`wegewart-edge replay`) and publish over a real Mosquitto to a real depot; a scripted clerk who knows the truth
confirms or rejects every case over the depot's API; `wegewart-depot export-training` writes FOLDER. Training and gate
follow in docs/models.md, "Retraining on your own streets".

A rendered city stands in for a real one: this proves that the way is whole, not what a real city gains by it. A real
clerk errs, and takes days.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks.retraining.clerk import Verdicts, decide_all
from benchmarks.retraining.streets import FIRST_SEED, Street, network, streets
from benchmarks.servers import BIN, HOST, Broker, Depot, ServerError, end_with_children, wait_for
from edge.errors import WegewartError

_SETTLED_S = 120.0
#: At the same time.
_VEHICLES = 3


def main() -> int:
    """Render, drive, decide, export, print. Exit code 1: a program of the way failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the exported set; must not be there yet")
    parser.add_argument("--streets", type=int, default=24)
    parser.add_argument("--km", type=float, default=0.4, help="of each street")
    parser.add_argument("--drives", type=Path, help="keep the rendered drives here, and take those that are there")
    parser.add_argument("--work", type=Path, help="keep the depot here")
    options = parser.parse_args()
    if options.folder.exists():
        parser.error(f"{options.folder} is there already: name a new folder")
    end_with_children()
    with ExitStack() as stack:
        work = options.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        seeds = range(FIRST_SEED, FIRST_SEED + options.streets)
        try:
            city = list(streets(options.drives or work / "drives", seeds, options.km))
            _run(city, work, options.folder.absolute(), stack)
        except (ServerError, WegewartError) as error:
            print(f"benchmark: {error}", file=sys.stderr)
            return 1
    return 0


def _run(city: Sequence[Street], work: Path, folder: Path, stack: ExitStack) -> None:
    broker = Broker(work)
    depot = Depot(work, broker)
    for server in (broker, depot):
        server.start()
        stack.callback(server.stop)
    depot.wait_connected()
    roads = work / "roads.geojson"
    roads.write_text(network(city), encoding="utf-8")
    config = depot.folder / "depot.toml"
    _program("wegewart-depot", "roads", "import", "--config", config, roads)
    began_s = time.monotonic()
    with ThreadPoolExecutor(_VEHICLES) as vehicles:
        every = vehicles.map(lambda number: _drive_all(number, city, work, broker), range(_VEHICLES))
        driven = sum(every, Counter[str]())
    _settle(depot, driven)
    print(f"streets {len(city)}, frames judged {driven['frames_judged']}, driven in {time.monotonic() - began_s:.0f} s")
    verdicts = decide_all(depot, city)
    print("\n".join(_told(driven, depot, verdicts)))
    print(_program("wegewart-depot", "export-training", "--config", config, folder))
    print("\n".join(_exported(folder)))


def _drive_all(number: int, city: Sequence[Street], work: Path, broker: Broker) -> Counter[str]:
    """One vehicle along its streets, one after another."""
    return sum((_drive(f"sweeper-{number + 1}", street, work, broker) for street in city[number::_VEHICLES]), Counter())


def _drive(vehicle: str, street: Street, work: Path, broker: Broker) -> Counter[str]:
    said = _program(
        "wegewart-edge", "replay", street.drive, "--track", street.track(work), "--vehicle", vehicle, "--data",
        work / vehicle, "--broker", f"mqtt://{HOST}:{broker.port}", "--threads", "1", "--drain-s", "120",
    )  # fmt: skip
    summary = json.loads(said.splitlines()[-1])
    return Counter({name: value for name, value in summary.items() if isinstance(value, int)})


def _settle(depot: Depot, driven: Counter[str]) -> None:
    """Until the depot has made cases of all that the vehicles confirmed."""

    def settled() -> bool:
        summary = depot.get("api/summary")
        return not summary["pending"] and summary["observations"] >= driven["observations_confirmed"]

    wait_for(settled, _SETTLED_S, "cases of all observations")


def _told(driven: Counter[str], depot: Depot, verdicts: Verdicts) -> list[str]:
    summary = depot.get("api/summary")
    return [
        f"observations confirmed on the vehicles  {driven['observations_confirmed']}",
        f"observations, pictures at the depot     {summary['observations']}, {summary['pictures']}",
        f"cases                                   {summary['cases']}",
        f"confirmed by the clerk                  {len(verdicts.confirmed)}",
        f"  of these, called by their true type     {len(verdicts.renamed)}",
        f"rejected as no defect                   {len(verdicts.rejected)}",
    ]


def _exported(folder: Path) -> list[str]:
    """What the set holds."""
    lines = []
    for split in ("train", "val"):
        coco = json.loads((folder / f"instances_{split}.json").read_text(encoding="utf-8"))
        names = {one["id"]: one["name"] for one in coco["categories"]}
        boxes = Counter(names[one["category_id"]] for one in coco["annotations"] if not one["iscrowd"])
        kinds = ", ".join(f"{count} {name}" for name, count in boxes.most_common()) or "none"
        lines.append(f"{split}: {len(coco['images'])} pictures, {boxes.total()} boxes: {kinds}")
    return lines


def _program(name: str, *arguments: str | Path) -> str:
    """Run one of ours; what it printed. Raises ServerError: it failed."""
    done = subprocess.run([BIN / name, *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise ServerError(f"{name} {arguments[0]} failed: {done.stderr.strip() or 'no reason given'}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
