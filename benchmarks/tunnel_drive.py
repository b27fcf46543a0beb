# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How many true defects of a rendered tunnel's lining become one observation with chainage and height.

    python -m benchmarks.tunnel_drive [--seed N] [--km X] [--drive DIR]

The whole chain with the shipped street and tunnel packages, on a known line, into a tunnel without GNSS (a fifth of
the drive). A figure for rendered scenes, never for the model on real concrete: that stands in models/tunnel/CARD.md.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from msgspec.structs import replace

from benchmarks.matching import compare
from benchmarks.simulated_drive import config_for, observations
from edge.config import LineConfig, TunnelConfig
from edge.daemon import Daemon
from edge.delivery.jsonl import JsonlSink
from edge.errors import WegewartError
from edge.simulator import simulate
from edge.simulator.truth import Truth, load

#: The rendered tunnel as seen from the right lane.
LINING = TunnelConfig(model="tunnel", lining="box", left_m=6.35, right_m=3.05, crown_m=5.0)
#: Chainage at the start of the drive.
ZERO_M = 3_000.0


def line_file(truth: Truth, path: Path) -> Path:
    """The vehicle's own way as a line; chainage counts from `ZERO_M`."""
    rows = [
        f"K1,1,{ZERO_M + frame.s_m:.3f},{frame.lon:.9f},{frame.lat:.9f},{int(frame.in_tunnel)},"
        for frame in truth.frames
    ]
    path.write_text("\n".join(["line,track,chainage_m,lon,lat,tunnel,landmark", *rows[::5]]) + "\n", encoding="utf-8")
    return path


def run(drive: Path, truth: Truth, folder: Path) -> Path:
    """Drive with both packages; the file of events."""
    config = replace(config_for(drive), line=LineConfig(file=line_file(truth, folder / "line.csv")), tunnel=LINING)
    out = folder / "events.jsonl"
    Daemon(config, lambda _models, _calibration: JsonlSink(out, vehicle="benchmark")).run()
    return out


def table(truth: Truth, out: Path) -> list[str]:
    """The figures, one line each."""
    found = observations(out)
    lines = []
    for surface in ("lining", "road"):
        result = compare(truth, found, surface)
        right = sum(m.observation.defect_class == m.defect.label for m in result.matches)
        lines.append(
            f"{surface:6} clear {len(result.clear)}, found once {result.found_once}, repeated {len(result.repeated)}, "
            f"false {len(result.false) + len(result.unplaced)}, right class {right} of {len(result.matches)}"
        )
        if surface == "lining":
            along = [abs(m.observation.line.chainage_m - ZERO_M - m.defect.s_m)
                     for m in result.matches if m.observation.line is not None]  # fmt: skip
            height = [abs(m.observation.lining.height_m - m.defect.z_m)
                      for m in result.matches if m.observation.lining is not None]  # fmt: skip
            for what, errors in (("chainage", along), ("height", height)):
                middle = f"{statistics.median(errors):.2f} m" if errors else "none"
                lines.append(f"{surface:6} {what} error, median of {len(errors)}: {middle}")
    return lines


def main() -> int:
    """Render (unless a drive is given), run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drive", type=Path, help="folder of a simulated drive (default: render one)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--km", type=float, default=1.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        drive, folder = options.drive, Path(scratch)
        try:
            if drive is None:
                drive = folder / "drive"
                simulate(drive, seed=options.seed, km=options.km, scene="mixed")
            truth = load(drive / "truth.json")
            out = run(drive, truth, folder)
        except WegewartError as error:
            print(f"benchmark: {error}", file=sys.stderr)
            return error.exit_code
        print("\n".join(table(truth, out)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
