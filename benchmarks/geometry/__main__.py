# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Every figure about position, size and counting, against the truth of a numeric world.

    python -m benchmarks.geometry [--short] [--seeds 1-20] [--json FILE] [ROW...]

Nothing is rendered: the world knows where everything is, sensors and body are noisy as real ones, the detector gives
the true boxes with 1.5 px of noise at their edges, the vehicle's own stages do the rest as `edge.daemon` wires them.
Exit code 0: every figure holds its bound; 1: one does not; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2

from benchmarks.geometry.figure import Figure, Plan, Row, table

ROWS = ("street", "tunnel", "scenarios", "real", "cost", "lining", "roughness", "bad_input")
WORKERS = 2


def rows(names: Sequence[str]) -> dict[str, Row]:
    """The modules by name."""
    return {name: import_module(f"benchmarks.geometry.rows.{name}") for name in names}


def measure(plan: Plan, names: Sequence[str] = ROWS, *, workers: int = WORKERS) -> list[Figure]:
    """Run rows and give their figures in order."""
    modules = rows(names)
    # A fork of a process with threads (OpenCV, ONNX Runtime) may hang.
    spawn = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        running = {name: [pool.submit(job.run) for job in module.jobs(plan)] for name, module in modules.items()}
        return [figure for name, module in modules.items() for figure in _figures(name, module, running[name])]


def _figures(name: str, module: Row, running: Sequence[Future[Any]]) -> list[Figure]:
    """A row that breaks is a figure that fails; the others are still told."""
    try:
        return module.figures([future.result() for future in running])
    except Exception as error:  # noqa: BLE001 - whatever it is
        traceback.print_exc()
        return [Figure(name, f"{name}: broke", "runs", f"{type(error).__name__}: {error}", ok=False)]


def _seeds(text: str) -> tuple[int, ...]:
    first, _, last = text.partition("-")
    seeds = tuple(range(int(first), int(last or first) + 1))
    if not seeds or seeds[0] < 0:
        raise ValueError(text)
    return seeds


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.geometry", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="a few seeds of everything, below a minute")
    parser.add_argument("--seeds", type=_seeds, default=_seeds("1-20"), metavar="FIRST-LAST")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"only these: {', '.join(ROWS)}")
    options = parser.parse_args()
    unknown = set(options.rows) - set(ROWS)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; choose of {', '.join(ROWS)}")
    started = time.monotonic()
    plan = Plan(options.seeds, short=options.short)
    figures = measure(plan, options.rows or ROWS)
    failed = [figure for figure in figures if figure.ok is False]
    print(table(figures))
    print(
        f"\nseeds {options.seeds[0]}-{options.seeds[-1]}{', short' if options.short else ''}:"
        f" {len(figures)} figures, {len(failed)} failed, {time.monotonic() - started:.0f} s"
    )
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
