# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-depot export-training`: what people decided, as pictures that a model can learn from."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from depot import cli as depot_cli
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.pictures import PictureFolder
from depot.store.tables import pictures
from depot.training.choosing import split
from depot.training.cli import export
from depot.training.reading import decided
from depot.training.writing import ExportError, Outcome
from tests.depot.training.city import BOX, City, frame, safe, seen

TRAIN = next(name for name in map("Straße {}".format, range(99)) if split(f"road {name.casefold()}") == "train")
VAL = next(name for name in map("Straße {}".format, range(99)) if split(f"road {name.casefold()}") == "val")


@pytest.fixture
def city(database: Database) -> City:
    return City(database)


def written(city: City, folder: Path, model: Any = "street") -> Outcome:
    return export(city.database, city.pictures, decided(city.database, []), folder, model)


def table(folder: Path, name: str = "train") -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / f"instances_{name}.json").read_text())
    return read


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_confirmed_case_is_a_box_and_a_rejected_one_says_that_its_class_is_absent(city: City, tmp_path: Path) -> None:
    city.case(road=TRAIN)
    city.case(road=TRAIN, state="rejected", reject_reason="not_a_defect")
    outcome = written(city, tmp_path / "set")
    assert outcome.written == Counter({("train", "defect"): 1, ("train", "no defect"): 1})
    coco = table(tmp_path / "set")
    names = {category["id"]: category["name"] for category in coco["categories"]}
    for image in coco["images"]:
        assert image["annotated_classes"] == ["pothole"]
        boxes = [one for one in coco["annotations"] if one["image_id"] == image["id"] and not one["iscrowd"]]
        assert [names[one["category_id"]] for one in boxes] == ([] if image["negative"] else ["pothole"])
    (box,) = (one["bbox"] for one in coco["annotations"] if not one["iscrowd"])
    assert box == pytest.approx([192, 192, 120, 70], abs=1)


def test_only_what_is_no_mosaic_can_teach(city: City, tmp_path: Path) -> None:
    city.case(road=TRAIN, seed=77)
    written(city, tmp_path / "set")
    coco = table(tmp_path / "set")
    (image,) = coco["images"]
    with Image.open(tmp_path / "set" / image["file_name"]) as opened:
        shown = np.asarray(opened.convert("RGB"))[..., ::-1].astype(int)
    known = np.ones(shown.shape[:2], bool)
    for one in coco["annotations"]:
        if one["iscrowd"]:
            x, y, w, h = (round(value) for value in one["bbox"])
            known[y : y + h, x : x + w] = False
    left, top = round(BOX[0] - 192), round(BOX[1] - 192)
    original = frame(77)[top : top + shown.shape[0], left : left + shown.shape[1]].astype(int)
    wrong = np.abs(shown - original).mean(2)
    assert wrong[known].mean() < 15
    assert wrong[~known].mean() > 40
    assert np.percentile(wrong[known], 99) < 40
    assert known.sum() > 0.9 * 120 * 1.3 * 70 * 1.3
    assert image["frame_width"] == 1280


def test_rejections_that_say_nothing_of_what_is_seen_are_left_out(city: City, tmp_path: Path) -> None:
    city.case(road=TRAIN)
    for reason in ("not_ours", "duplicate", "already_repaired", "bad_picture", "other"):
        city.case(road=TRAIN, state="rejected", reject_reason=reason)
    city.case(road=TRAIN, state="confirmed", by="rule:seen_again")
    city.case(road=TRAIN, **{"class": "=cmd|calc"})
    city.case(road=TRAIN, state="new")
    outcome = written(city, tmp_path / "set")
    assert sum(outcome.written.values()) == 1
    assert sorted(outcome.left_out.values()) == [1, 1, 5]


def test_the_class_is_that_of_the_case_and_cracks_are_one_family(city: City, tmp_path: Path) -> None:
    city.case(road=TRAIN, **{"class": "transverse_crack"})
    city.case(road=TRAIN, state="rejected", reject_reason="not_a_defect", **{"class": "alligator_crack"})
    written(city, tmp_path / "set")
    images = {image["negative"]: image for image in table(tmp_path / "set")["images"]}
    assert images[False]["annotated_classes"] == ["transverse_crack", "crack"]
    assert set(images[True]["annotated_classes"]) == {
        "longitudinal_crack",
        "transverse_crack",
        "alligator_crack",
        "crack",
    }


def test_where_a_person_called_it_otherwise_the_set_says_also_what_it_is_not(city: City, tmp_path: Path) -> None:
    city.case(road=TRAIN, class_by="erika", class_seen="pothole", **{"class": "transverse_crack"})
    written(city, tmp_path / "set")
    coco = table(tmp_path / "set")
    (image,) = coco["images"]
    assert image["annotated_classes"] == ["transverse_crack", "crack", "pothole"]
    names = {category["id"]: category["name"] for category in coco["categories"]}
    boxes = {
        crowd: [names[one["category_id"]] for one in coco["annotations"] if one["iscrowd"] == crowd] for crowd in (0, 1)
    }
    assert boxes[0] == ["transverse_crack"]
    assert Counter(boxes[1]) == {"crack": 4, "pothole": 4}, "outside the sharp part nobody knows of either"


def test_a_crack_without_a_type_does_not_say_that_it_is_of_none(city: City, tmp_path: Path) -> None:
    city.case(road=TRAIN, class_by="erika", class_seen="alligator_crack", **{"class": "crack"})
    written(city, tmp_path / "set")
    assert table(tmp_path / "set")["images"][0]["annotated_classes"] == ["crack"]


def test_what_is_no_defect_is_none_of_what_the_vehicles_saw(city: City, tmp_path: Path) -> None:
    said = {"class_by": "erika", "class_seen": "pothole", "class": "crack"}
    city.case(road=TRAIN, state="rejected", reject_reason="not_a_defect", **said)
    written(city, tmp_path / "set")
    assert table(tmp_path / "set")["images"][0]["annotated_classes"] == ["pothole"]


def test_the_tunnel_model_learns_from_the_lining_alone(city: City, tmp_path: Path) -> None:
    city.case(line="Tunnel Nord", surface="lining", **{"class": "spalling"})
    city.case(road=TRAIN)
    outcome = written(city, tmp_path / "set", "tunnel")
    assert sum(outcome.written.values()) == 1
    assert outcome.left_out["of a class that the model does not know"] == 1


def test_a_street_is_on_one_side_and_crossings_are_not_on_both(city: City, tmp_path: Path) -> None:
    for step in range(6):
        city.case(road=TRAIN, lon=6.70 + step / 100, lat=51.40)
        city.case(road=f" {VAL.upper().replace('SSE', 'ße')} ", lon=6.70 + step / 100, lat=51.45)
    city.case(road=VAL, lon=6.70, lat=51.4003)  # 33 m from one for training
    city.case(road=None, lon=None, lat=None)
    outcome = written(city, tmp_path / "set")
    assert outcome.written == Counter({("train", "defect"): 6, ("val", "defect"): 6})
    assert outcome.left_out == Counter({"for judging, but beside one for training": 1, "at no known place": 1})
    places = {(row["place"], row["split"]) for row in manifest(tmp_path / "set")}
    assert len(places) == 2


def test_the_manifest_proves_the_files_and_names_nobody(city: City, tmp_path: Path) -> None:
    city.case(road=TRAIN, note="Frau Meier wohnt hier")
    written(city, tmp_path / "set")
    (row,) = manifest(tmp_path / "set")
    file = tmp_path / "set" / row["file"]
    assert row["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (row["verdict"], row["class"], row["decided_on"], row["decided_by"]) == (
        "confirmed",
        "pothole",
        "2026-05-05",
        "person",
    )
    text = "".join(path.read_text() for path in (tmp_path / "set").iterdir() if path.is_file())
    for secret in ("erika", "bus-7", "10:11", "Meier", TRAIN):
        assert secret not in text


def test_hostile_pictures_are_counted_and_left_out(city: City, tmp_path: Path) -> None:
    good = safe(1)
    number = city.case(road=TRAIN, seed=5)
    bomb = good.jpeg[:200]
    nan = seen(safe(6), box=(1e308, 0.0, -1e308, 5.0))
    for n, (message, jpeg) in enumerate(
        [
            (seen(safe(11), width=good.width + 1), safe(11).jpeg),
            (seen(safe(12)), b"other bytes"),
            (seen(safe(13), sha256=hashlib.sha256(bomb).hexdigest()), bomb),
            (nan, safe(6).jpeg),
            (seen(safe(14), box=(-5.0, 0.0, 50.0, 50.0)), safe(14).jpeg),
            (seen(safe(15), box=(5.0, 5.0, 6.0, 6.0)), safe(15).jpeg),
        ]
    ):
        bad = city.case(road=TRAIN, lon=6.5 + n / 100, seed=100 + n)
        city.sight(bad, message, jpeg, score=0.99)
    outcome = written(city, tmp_path / "set")
    assert sum(outcome.written.values()) == 1 + 6
    assert outcome.left_out == Counter(
        {"with a picture that is not the one of the message": 3, "with a box that is none": 3}
    )
    assert number


def test_nothing_but_pixels_goes_into_the_set(city: City, tmp_path: Path) -> None:
    picture = safe(21)
    out = io.BytesIO()
    with Image.open(io.BytesIO(picture.jpeg)) as image:
        exif = Image.Exif()
        exif[0x010E] = "secret place"
        image.save(out, "JPEG", exif=exif, comment=b"secret place")
    number = city.case(road=TRAIN, seed=20)
    jpeg = out.getvalue() + b"secret place"
    city.sight(number, seen(picture, sha256=hashlib.sha256(jpeg).hexdigest()), jpeg, score=0.99)
    outcome = written(city, tmp_path / "set")
    assert sum(outcome.written.values()) == 2
    assert all(b"secret" not in file.read_bytes() for file in (tmp_path / "set").rglob("*.jpg"))


def test_pictures_with_people_and_those_that_came_later_or_are_gone_are_left_out(city: City, tmp_path: Path) -> None:
    picture, later = safe(31), safe(32)
    number = city.case(road=TRAIN)
    people = type(picture.anonymised)(method=picture.anonymised.method, people=1)
    city.sight(number, seen(later), later.jpeg, score=0.999, received_utc="2026-05-06T00:00:00.000Z")
    city.sight(number, seen(picture, anonymised=people), picture.jpeg, score=0.99)
    gone = city.case(road=TRAIN)
    with city.database.writing() as connection:
        at = connection.exec_driver_sql(f'SELECT picture FROM sightings WHERE "case" = {gone}').scalar_one()
        connection.execute(update(pictures).where(pictures.c.sha256 == at).values(expired_utc="2026-05-07"))
    outcome = written(city, tmp_path / "set")
    assert sum(outcome.written.values()) == 1
    assert outcome.left_out == Counter({"with people or vehicles hidden in the sharp part": 1, "without a picture": 1})
    assert hashlib.sha256(later.jpeg).hexdigest() not in {row["picture"] for row in manifest(tmp_path / "set")}


def test_a_case_teaches_with_its_two_best_pictures_that_may(city: City, tmp_path: Path) -> None:
    number = city.case(road=TRAIN, seed=200)  # the last of them by score
    hidden = {}
    for n, score in enumerate((0.99, 0.98, 0.97, 0.96)):
        picture = safe(201 + n)
        people = type(picture.anonymised)(method=picture.anonymised.method, people=1)
        changes = {"anonymised": people} if n in (0, 2) else {}
        city.sight(number, seen(picture, **changes), picture.jpeg, score=score)
        hidden[hashlib.sha256(picture.jpeg).hexdigest()] = n
    with city.database.writing() as connection:
        connection.exec_driver_sql("UPDATE cases SET best = NULL")  # so that the score alone says which is better
    outcome = written(city, tmp_path / "set")
    assert [hidden[row["picture"]] for row in manifest(tmp_path / "set")] == [1, 3]
    assert outcome.left_out == Counter({"with people or vehicles hidden in the sharp part": 2})


def test_a_folder_with_something_in_it_stays_as_it_is(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ExportError, match="no case teaches anything"):
        written(city, tmp_path / "set")
    assert not [path.name for path in tmp_path.iterdir() if "set" in path.name]
    city.case(road=TRAIN)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    written(city, Path())
    assert (tmp_path / "here" / "manifest.csv").exists()
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine").touch()
    with pytest.raises(ExportError, match="something already"):
        written(city, tmp_path / "set")
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["mine"]


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'data' / 'depot.sqlite'}")
    migrate(database)
    city = City(database)
    city.case(road=TRAIN)
    city.case(road=VAL, lon=7.0)
    folder = PictureFolder(tmp_path / "data" / "pictures")
    for name, content in city.pictures.content.items():
        folder.keep(name, content)
    database.close()
    file = tmp_path / "depot.toml"
    file.write_text('[data]\nfolder = "data"\n')
    out = tmp_path / "set"
    assert depot_cli.main(["export-training", "--config", str(file), str(out)]) == 0
    assert "train: 1 pictures with defect" in capsys.readouterr().out
    assert len(table(out, "val")["images"]) == 1
    assert depot_cli.main(["export-training", "--config", str(file), str(out)]) == 8
    assert capsys.readouterr().err.count("\n") == 1
