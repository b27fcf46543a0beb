# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Every shipped model on aarch64 beside x86-64: raw outputs, final boxes, self tests, and the daemon's own command.

    python -m benchmarks.arm [--package FOLDER ...] [--cpu cortex-a72 ...]

The processors are those of the Raspberry Pi 4 (no 8-bit dot product) and of the Pi 5 (with it), emulated by qemu: what
they compute is real, how fast is not. Ends with 1 if something lies outside the tolerance.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arm.environment import CPUS, ROOT, Arm, make
from edge.boxes import iou
from edge.vision.package import load_package

#: Of every score, and of 99 of 100 edges of boxes in pixels of the input, where a score is at least FLOOR. Final boxes
#: above their threshold by more than the first have to be there on both sides, with LEAST_OVERLAP. Integers are the
#: same everywhere, but the float stages differ in their last bits, and a value next to a rounding step takes another.
TOLERANCES = {"fp32": (0.001, 0.1), "int8": (0.06, 12.0)}
FLOOR = 0.1
LEAST_OVERLAP = 0.7
MODULES = (
    "cryptography.x509, gpxpy, installer, msgspec, numpy, onnxruntime, cv2, paho.mqtt.client, pynmeagps, serial, tuf",
    "edge.daemon, edge.uplinks, edge.keeper, edge.doctor, edge.cli, edge.update.cli",
)
#: What the installed `wegewart-edge` does.
COMMAND = "import sys; from edge.cli import main; sys.exit(main())"


def compare(here: Path, there: Path) -> Iterator[tuple[str, bool]]:
    """One line per file of a package, and whether it lies within the tolerance."""
    ours, theirs = (json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) for path in (here, there))
    raw, raw_there = np.load(here.with_suffix(".npz")), np.load(there.with_suffix(".npz"))
    for name, test in theirs["self_tests"].items():
        keys = [one["key"] for one in ours["pictures"] if one["key"].startswith(f"{name} ")]
        score = max(_apart(raw, raw_there, key, "scores") for key in keys)
        edge = max(_apart(raw, raw_there, key, "boxes") for key in keys)
        of_score, of_edge = TOLERANCES[name.split()[-1]]
        pairs = [(_found(ours, key), _found(theirs, key)) for key in keys]
        lost = sum(_unmatched(a, b, of_score) + _unmatched(b, a, of_score) for a, b in pairs)
        good = score <= of_score and edge <= of_edge and lost == 0 and test.startswith("holds")
        boxes = "/".join(str(sum(map(len, side))) for side in zip(*pairs, strict=True))
        apart = f"{score:.4f} (<= {of_score}) | {edge:.2f} px (<= {of_edge})"
        yield f"| {name} | {len(keys)} | {apart} | {boxes}, {lost} without partner | {test} |", good


def _apart(a: Any, b: Any, key: str, what: str) -> float:
    """The largest difference; of boxes, what 99 of 100 edges keep where either side is sure enough to matter."""
    difference = np.abs(a[f"{key} {what}"] - b[f"{key} {what}"])
    if what == "scores":
        return float(difference.max())
    sure = np.maximum(a[f"{key} scores"], b[f"{key} scores"]).max(1) >= FLOOR
    return float(np.quantile(difference[sure], 0.99)) if sure.any() else 0.0


def _found(told: dict[str, Any], key: str) -> list[dict[str, Any]]:
    detections: list[dict[str, Any]] = next(one["detections"] for one in told["pictures"] if one["key"] == key)
    return detections


def _unmatched(found: list[dict[str, Any]], others: list[dict[str, Any]], tolerance: float) -> int:
    """Final boxes that the other side does not have, though they are not at their threshold's very edge."""
    return sum(
        one["margin"] > tolerance
        and not any(
            other["label"] == one["label"]
            and abs(other["score"] - one["score"]) <= tolerance
            and iou(other["box"], one["box"]) >= LEAST_OVERLAP
            for other in others
        )
        for one in found
    )


def daemon(arm: Arm, packages: list[Path], cpu: str) -> Iterator[tuple[str, bool]]:
    """Imports what a vehicle imports, and lets the vehicle's own command judge the stored pictures."""
    for names in MODULES:
        done = arm.run("-c", f"import {names}", cpu=cpu)
        yield f"import {names}: {'ok' if done.returncode == 0 else _last(done)}", done.returncode == 0
    for package in packages:
        if load_package(package, threads=1).manifest.task == "privacy":
            continue  # it judges no road; the drive's models use it
        pictures = sorted(str(path) for path in (package / "selftest").glob("*.jpg"))
        options = ("--json", "--threads", "1", "--model", str(package))
        done = arm.run("-c", COMMAND, "detect", *options, *pictures, cpu=cpu)
        lines = done.stdout.splitlines()
        good = done.returncode == 0 and len(lines) == len(pictures)
        yield f"wegewart-edge detect {package.name}: {f'{len(lines)} pictures' if good else _last(done)}", good


def _last(done: subprocess.CompletedProcess[str]) -> str:
    return f"exit {done.returncode}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, nargs="+", help="default: every package in models/")
    parser.add_argument("--cpu", nargs="+", choices=CPUS, default=CPUS)
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "arm", help="of the environment")
    arguments = parser.parse_args()
    packages = arguments.package or [path.parent for path in sorted((ROOT / "models").glob("*/model.toml"))]
    packages = [path.resolve() for path in packages]
    arm = make(arguments.folder.resolve())
    good = True
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / "here"
        names = [str(path) for path in packages]
        subprocess.run([sys.executable, "-m", "benchmarks.arm.look", str(here), *names], cwd=ROOT, check=True)
        for cpu in arguments.cpu:
            there = Path(folder) / cpu
            inputs = ("--inputs", str(here.with_suffix(".npz")))
            done = arm.run("-m", "benchmarks.arm.look", str(there), *names, *inputs, cpu=cpu)
            if done.returncode:
                raise SystemExit(f"{cpu}: {_last(done)}")
            told = json.loads(there.with_suffix(".json").read_text(encoding="utf-8"))
            print(
                f"\n{cpu}: {told['machine']}, Python {told['python']}, onnxruntime {told['onnxruntime']}, "
                f"opencv {told['opencv']}"
            )
            print("| file | pictures | scores apart | edges apart | final boxes here/there | self test there |")
            print("| --- | --- | --- | --- | --- | --- |")
            for line, fine in compare(here, there):
                print(line if fine else f"{line} OUTSIDE")
                good &= fine
        for line, fine in daemon(arm, packages, arguments.cpu[-1]):
            print(line)
            good &= fine
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
