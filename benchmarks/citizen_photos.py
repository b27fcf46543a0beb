# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the citizens' channel would do with pictures of road damage that people took by hand or put into the web.

    python -m benchmarks.citizen_photos FOLDER/instances_test.json [...]

Reads COCO JSON with `view` on each image; takes the views that are nearest to a citizen's photo. Counts what
`depot.reports.judging` decides of each picture in which people marked damage. It says nothing of people that the
detector did not see: nobody marked people in these pictures.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from statistics import median, quantiles

from depot.reports.judging import Found, Judged, Safe, judge_report
from edge.cameras.pictures import load_picture
from edge.privacy.anonymise import PRIVATE_LABELS
from edge.vision.detector import Detector
from edge.vision.package import load_package
from messages.types import Anonymised

_VIEWS = ("handheld_close", "web_close", "web_mixed")
_MODEL = Path(__file__).parent.parent / "models" / "street"
#: The sharp part reaches 15 % beyond the box on each side.
_SHARP = 1.3**2
_CROP = Safe(jpeg=b"", width=1, height=1, box=(0, 0, 1, 1), anonymised=Anonymised(method="none"))


def main() -> None:
    """Print one line a setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, nargs="+")
    options = parser.parse_args()
    detector = Detector(load_package(_MODEL, threads=2), 2)
    photos: list[Judged] = []
    for listing in options.sets:
        described = json.loads(listing.read_text(encoding="utf-8"))
        marked = {box["image_id"] for box in described["annotations"]}
        for image in described["images"]:
            if image["view"] in _VIEWS and image["id"] in marked:
                picture, _ = load_picture(listing.parent / image["file_name"])
                assert picture is not None
                found = tuple(
                    Found(
                        defect_class=d.label,
                        score=d.score,
                        box=d.box,
                        safe=None if d.label in PRIVATE_LABELS else _CROP,
                    )
                    for d in detector.detect(picture)
                )
                photos.append(Judged(width=picture.shape[1], height=picture.shape[0], detections=found))
    for on_people in ("refuse", "mosaic"):
        told: Counter[str] = Counter()
        sharp: list[float] = []
        for photo in photos:
            verdict = judge_report(photo, expected=None, on_people=on_people)  # type: ignore[arg-type]
            if verdict.safe is not None:
                (box,) = {d.box for d in photo.detections if d.score == verdict.score}
                sharp.append(_SHARP * (box[2] - box[0]) * (box[3] - box[1]) / (photo.width * photo.height))
            told["kept" if verdict.safe is not None else f"{verdict.reason}"] += 1
        shares = ", ".join(
            f"{name} {count} ({100 * count / len(photos):.0f} %)" for name, count in sorted(told.items())
        )
        print(f"on_people = {on_people}: {len(photos)} pictures: {shares}")
        print(f"  of a kept one sharp: median {median(sharp):.0%}, a tenth more than {quantiles(sharp, n=10)[-1]:.0%}")


if __name__ == "__main__":
    main()
