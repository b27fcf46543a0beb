# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What would make the street model better: more pictures, a larger network, more pixels?

And what has the tunnel model from it: could both share everything before their heads?

    python -m benchmarks.learning_curve --out runs/curve --steps 700 --batch 16     (run again to go on after a cut)
    python -m benchmarks.learning_curve --out runs/curve --draw FILE.png            (what is done so far, as a picture)
    python -m benchmarks.learning_curve --points tunnel --out runs/curve_tunnel --steps 400 --batch 16
    python -m benchmarks.learning_curve --points size --out runs/curve_size --steps 1500 --batch 16

Trainings of equal length (`models/training/curve.py`), scored on `val`. They are far shorter than that of the model
that ships: what counts is the difference between two points, not their height. Needs what `scripts/train` needs, and
WEGEWART_SHARED; drawing needs matplotlib.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.training.curve import Point

COLUMNS = {
    "street": ("all pothole", "all crack", "forward_high pothole", "forward_high crack"),
    "tunnel": ("all crack", "all spalling", "all water_leakage", "all efflorescence", "all exposed_rebar"),
}
COLUMNS["size"] = COLUMNS["street"]
#: What differs from the first point. The most telling first: a run that is cut has them.
STREET: dict[str, dict[str, Any]] = {
    "share 100 %": {},
    "share 25 %": {"share": 0.25},
    "share 50 %": {"share": 0.5},
    "share 10 %": {"share": 0.1},
    "open licences only": {"open_only": True},
    "512x320": {"size": (512, 320)},
    "320x192": {"size": (320, 192)},
    "from nothing": {"start": ""},
    "defects pasted": {"pasted": 0.5},
    "rain and wet roads": {"weather": 0.3},
}
STREET_MODEL = "models/street/model-fp32.onnx"
TUNNEL: dict[str, dict[str, Any]] = {
    "from COCO": {"model": "tunnel"},
    "from the street model": {"model": "tunnel", "start": STREET_MODEL},
    "from the street model, open licences only": {"model": "tunnel", "start": STREET_MODEL, "open_only": True},
    "the street model's, heads alone learn": {"model": "tunnel", "start": STREET_MODEL, "held": True},
}
#: The start weights have one size, so networks of other sizes start from nothing, and need a longer training.
SIZE: dict[str, dict[str, Any]] = {
    "width 16, as shipped": {"start": "", "size": (320, 192)},
    "width 8": {"start": "", "size": (320, 192), "width": 8},
    "width 24": {"start": "", "size": (320, 192), "width": 24},
}
POINTS = {"street": STREET, "tunnel": TUNNEL, "size": SIZE}
SHARES = {"share 10 %": 10, "share 25 %": 25, "share 50 %": 50, "share 100 %": 100}


def point(name: str, group: str) -> Point:
    """The training of that name."""
    from models.training.curve import Point  # noqa: PLC0415 - PyTorch; drawing does without

    return Point(name=name, **POINTS[group][name])


def folder_of(out: Path, name: str) -> Path:
    """Where its checkpoint and its result are."""
    return out / "".join(char if char.isalnum() else "-" for char in name)


def results(out: Path, group: str = "street") -> dict[str, dict[str, Any]]:
    """What is done so far."""
    files = {name: folder_of(out, name) / "result.json" for name in POINTS[group]}
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}


def table(found: dict[str, dict[str, Any]], group: str = "street") -> str:
    """F1 (AP50) of every point."""
    columns = COLUMNS[group]
    lines = [
        "| training | pictures | minutes | " + " | ".join(columns) + " | mean F1 |",
        "| --- " * (len(columns) + 4) + "|",
    ]
    for name, one in found.items():
        cells = [f"{one['scores'][key]['f1']:.3f} ({one['scores'][key]['ap50']:.3f})" for key in columns]
        lines.append(
            f"| {name} | {one['pictures']} | {one['minutes']} | {' | '.join(cells)} | {mean(one, group):.3f} |"
        )
    return "\n".join(lines)


def mean(one: dict[str, Any], group: str = "street") -> float:
    """Mean F1 of its classes, all views."""
    of_all = [key for key in COLUMNS[group] if key.startswith("all ")]
    return float(sum(one["scores"][key]["f1"] for key in of_all) / len(of_all))


def draw(found: dict[str, dict[str, Any]], file: Path) -> None:
    """F1 of street over the share of the pictures, and beside it every other point."""
    import matplotlib as mpl  # noqa: PLC0415 - only drawing needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for key in COLUMNS["street"]:
        known = [(SHARES[name], found[name]["scores"][key]["f1"]) for name in SHARES if name in found]
        left.plot(*zip(*known, strict=True), marker="o", label=key)
    left.set_xscale("log", base=2)
    left.set_xticks(list(SHARES.values()), [f"{share} %" for share in SHARES.values()])
    left.set_xlabel("share of the training pictures (place by place, nested)")
    left.set_ylabel("F1 on val")
    left.set_ylim(bottom=0)
    left.legend(fontsize=8)
    names = [name for name in reversed(STREET) if name in found]
    right.barh(names, [mean(found[name]) for name in names])
    right.set_xlabel("mean F1 of potholes and cracks on val")
    for axis in (left, right):
        axis.grid(alpha=0.3)
    figure.savefig(file, dpi=90)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", choices=POINTS, default="street")
    parser.add_argument("--out", type=Path, default=Path("runs/curve"), help="checkpoints and results")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--teacher", type=Path, default=Path("runs/teacher.json"))
    parser.add_argument("--draw", type=Path, metavar="PNG", help="train nothing; draw what is done so far")
    arguments = parser.parse_args()
    group: str = arguments.points
    if arguments.draw is None:
        import cv2  # noqa: PLC0415
        import torch  # noqa: PLC0415

        from models.training import curve  # noqa: PLC0415 - needs PyTorch

        torch.set_num_threads(arguments.threads)
        cv2.setNumThreads(1)
        budget = curve.Budget(arguments.steps, arguments.batch)
        for name in POINTS[group]:
            curve.measure(point(name, group), budget, folder_of(arguments.out, name), arguments.teacher)
            print(table(results(arguments.out, group), group), flush=True)
        return
    if group != "street":
        parser.error("only street has a share to draw over")
    found = results(arguments.out)
    if not found:
        raise SystemExit(f"{arguments.out}: nothing is done yet")
    print(table(found))
    draw(found, arguments.draw)


if __name__ == "__main__":
    main()
