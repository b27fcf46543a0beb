# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures for a made-up city: drawn in a moment for tests, or out of rendered drives for the pictures in docs/."""

from __future__ import annotations

import io
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from edge.cameras.pictures import load_picture
from edge.privacy.anonymise import PrivacySettings, anonymise
from edge.simulator import truth
from edge.types import Detection

Box = tuple[float, float, float, float]
#: A frame that shows a defect of a class: of which defect of its class (any number), and on which pass.
Photos = Callable[[str, int, int], "Photo | None"]


@dataclass(frozen=True)
class Photo:
    """A JPEG, its size in pixels and the defect's box in it."""

    content: bytes
    width: int
    height: int
    box: Box


def drawn(label: str, defect: int, at: int) -> Photo:
    """A street in a few strokes."""
    rng = random.Random(f"{label} {defect} {at}")
    image = Image.new("RGB", (320, 180), (96, 100, 104))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 320, 60), fill=(168, 186, 200))
    pen.line((160, 60, 160, 180), fill=(210, 210, 200), width=3)
    x, y, w, h = rng.randint(40, 200), rng.randint(80, 130), rng.randint(30, 80), rng.randint(16, 40)
    pen.ellipse((x, y, x + w, y + h), fill=(40, 38, 36))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return Photo(out.getvalue(), 320, 180, (x, y, x + w, y + h))


def rendered(*drives: Path) -> Photos:
    """Pictures as a vehicle sends them, from drives that `edge.simulator.simulate` has made: those that show it best.

    Of a class that several drives have, the first drive's are taken.
    """
    found: dict[str, list[list[tuple[Path, Box]]]] = {}
    hidden: dict[Path, list[Box]] = defaultdict(list)
    for drive in drives:
        told = truth.load(drive / "truth.json")
        here: dict[str, list[list[tuple[Path, Box]]]] = defaultdict(list)
        frames = {path.stem: path for path in (drive / "frames").iterdir()}
        for seen_object in told.objects:
            if seen_object.label in {"person", "plate"}:
                for seen in seen_object.frames:
                    hidden[frames[Path(seen.frame).stem]].append(seen.box)
        for defect in told.defects:
            clear = sorted((seen for seen in defect.frames if seen.clear), key=lambda seen: seen.distance_m)
            shown = [(frames[Path(seen.frame).stem], seen.box) for seen in clear if Path(seen.frame).stem in frames]
            if shown:
                here[defect.label].append(shown)
        found = here | found

    def photo(label: str, defect: int, at: int) -> Photo | None:
        of_class = found.get(label)
        if not of_class:
            return None
        shown = of_class[defect % len(of_class)]
        path, box = shown[at % min(len(shown), 4)]
        private = [Detection("person", 1.0, part) for part in hidden[path]]
        picture, _ = load_picture(path)
        assert picture is not None
        safe = anonymise(picture, box, private, PrivacySettings(), horizon_row=None)
        out = io.BytesIO()
        # Each case has a picture of its own bytes, as it has in truth: the comment tells them apart.
        Image.open(io.BytesIO(safe.jpeg)).save(out, "JPEG", quality=88, comment=f"{label} {defect} {at}")
        return Photo(out.getvalue(), safe.width, safe.height, safe.box)

    return photo
