# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes a drive's folder: pictures, tables, the camera's calibration and the boxes in COCO's form."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import cv2

from edge.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from edge.geometry import Calibration
    from edge.simulator.noise import Image
    from edge.simulator.sensors import Readings
    from edge.simulator.truth import Sighting, Truth

JPEG_QUALITY = 90
CATEGORIES = {
    "longitudinal_crack": ("crack", 1),
    "transverse_crack": ("crack", 2),
    "alligator_crack": ("crack", 3),
    "pothole": ("pothole", 4),
    "person": ("person", 5),
    "vehicle": ("vehicle", 6),
}
#: Fainter or smaller boxes are marked `iscrowd`: neither right nor wrong to find.
SURE_SHARE, SURE_PX = 0.35, 10.0


class Recording:
    """The output folder; the truth is written last, so a folder with `truth.json` is complete."""

    def __init__(self, out: Path) -> None:
        self.out = out
        try:
            if out.is_dir() and any(out.iterdir()) and not (out / "calibration.toml").is_file():
                raise InputError(f"{out}: holds other files; name an empty or a new folder for the simulated drive")
            (out / "frames").mkdir(parents=True, exist_ok=True)
            (out / "truth.json").unlink(missing_ok=True)
            for old in (out / "frames").glob("[0-9]*.jpg"):
                old.unlink()
        except OSError as error:
            raise InputError(f"{out}: cannot be written ({error.strerror}); name a folder that can") from None

    def frame(self, name: str, picture: Image) -> None:
        """Write one picture."""
        if not cv2.imwrite(str(self.out / "frames" / name), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
            raise InputError(f"{self.out / 'frames' / name}: cannot be written; the disk is full or the folder is gone")

    def tables(self, calibration: Calibration, readings: Readings, frames: list[tuple[str, float]]) -> None:
        """Write what the vehicle's other inputs said, and when each frame was taken."""
        self._lines("frames.csv", "frame,t_s", [f"{name},{t:.4f}" for name, t in frames])
        self._lines("track.csv", "t_s,lat,lon,heading_deg,speed_mps,error_m,utc", readings.track)
        self._lines("odometry.csv", "t_s,distance_m,yaw_rate_dps", readings.odometry)
        fields = dataclasses.asdict(calibration)
        self._lines(
            "calibration.toml", "# Camera of a simulated drive.", [f"{k} = {_toml(v)}" for k, v in fields.items()]
        )

    def _lines(self, name: str, head: str, rows: list[str]) -> None:
        (self.out / name).write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")

    def instances(self, truth: Truth) -> None:
        """Write the boxes in COCO's form, all six classes annotated in every picture."""
        (self.out / "instances.json").write_text(
            json.dumps(coco(truth), separators=(",", ":")) + "\n", encoding="utf-8"
        )


def _toml(value: str | float) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def coco(truth: Truth) -> dict[str, Any]:
    """The boxes of the road's defects, people and vehicles of a drive."""
    number = {frame.frame: i + 1 for i, frame in enumerate(truth.frames)}
    images = [
        {
            "id": number[frame.frame],
            "file_name": f"frames/{frame.frame}",
            "width": truth.camera["width"],
            "height": truth.camera["height"],
            "annotated_classes": list(CATEGORIES),
            "view": "forward",
            "source": "simulated",
            "seq": f"simulated-{truth.seed}",
        }
        for frame in truth.frames
    ]
    seen = [(d.label, sighting) for d in truth.defects if d.surface == "road" for sighting in d.frames]
    seen += [(o.label, sighting) for o in truth.objects if o.label in CATEGORIES for sighting in o.frames]
    return {
        "info": {"description": "simulated drive, no real pictures", "seed": truth.seed},
        "licenses": [],
        "images": images,
        "annotations": [_annotation(i + 1, number[s.frame], label, s) for i, (label, s) in enumerate(seen)],
        "categories": [{"id": i, "name": name, "supercategory": parent} for name, (parent, i) in CATEGORIES.items()],
    }


def _annotation(number: int, image: int, label: str, seen: Sighting) -> dict[str, Any]:
    x1, y1, x2, y2 = seen.box
    wide, high = round(x2 - x1, 1), round(y2 - y1, 1)
    sure = seen.visible_share >= SURE_SHARE and max(wide, high) >= SURE_PX
    return {
        "id": number,
        "image_id": image,
        "category_id": CATEGORIES[label][1],
        "bbox": [x1, y1, wide, high],
        "area": round(wide * high, 1),
        "iscrowd": 0 if sure else 1,
        "superclass": CATEGORIES[label][0],
    }
