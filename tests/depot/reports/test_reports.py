# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Citizens' reports over HTTP, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from depot.cases.merging import merge
from depot.people.roles import Role
from depot.reports import tables
from depot.reports.config import ReportsConfig
from depot.reports.detector import DetectorError, UnreadableError
from depot.reports.photos import photos_of
from depot.store.database import Database
from depot.store.pictures import PictureFolder
from depot.store.tables import audit, cases, sightings
from tests.depot.reports.conftest import NOW, FakeDetector, crop, found, jpeg, judged
from tests.depot.routing.conftest import Browser

Page = Callable[..., Browser]
#: Where nothing reaches the database, one kind of it is enough.
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PLACE = {"lon": "6.7623", "lat": "51.4344"}


def send(client: Browser, number: int = 1, photo: bytes | None = None, **fields: str) -> Any:
    data = {"id": f"r-{number}", **PLACE, **fields}
    return client.post("/api/reports", data=data, files={"picture": ("a.jpg", photo or jpeg(), "image/jpeg")})


def count(database: Database, table: Any) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def stored(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def test_a_photo_opens_a_case_with_text_and_office_and_only_the_crop_is_kept(
    page: Page, database: Database, pictures: PictureFolder, tmp_path: Path
) -> None:
    photo = jpeg((200, 0, 0))
    answer = send(page(), photo=photo, note="Vor Hausnummer 5")
    told = answer.json()
    assert answer.status_code == 201
    assert (told["state"], told["class"], told["merged"], told["office"]) == ("new", "pothole", False, "wbd-strassen")
    assert told["text"]["de"].startswith("Schlagloch.")
    assert "Eine Bürgermeldung vom 04.11.2026; bisher von keinem Fahrzeug gesehen." in told["text"]["de"]
    assert f"Fall {told['case']}" in told["answer"]["de"]
    assert pictures.read(told["picture"])
    assert photo not in stored(tmp_path)
    with database.reading() as connection:
        (shown,) = photos_of(connection, told["case"])
        seen = connection.execute(select(sightings).where(sightings.c.report == "r-1")).one()
    assert (shown.sha256, shown.box, shown.width, shown.kind) == (told["picture"], (10, 10, 30, 20), 40, "report")
    assert (seen.picture, seen.utc, seen.error_m) == (told["picture"], NOW, pytest.approx(8 / 1.51))


def test_a_second_report_of_the_same_place_makes_no_new_case(page: Page, database: Database) -> None:
    first = send(page()).json()
    second = send(page(), 2, lat="51.43441").json()
    assert (second["case"], second["merged"], first["merged"]) == (first["case"], True, False)
    assert count(database, cases) == 1
    assert "2 Bürgermeldungen" in second["text"]["de"]


def test_elsewhere_it_is_another_case(page: Page) -> None:
    assert send(page()).json()["case"] != send(page(), 2, lat="51.4444").json()["case"]


def test_the_same_report_again_is_answered_with_what_became_of_it(
    page: Page, database: Database, detector: FakeDetector
) -> None:
    first, again = send(page()), send(page())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(detector.asked) == 1
    assert (count(database, tables.reports), count(database, sightings)) == (1, 1)


def test_the_same_id_for_something_else_is_refused(page: Page) -> None:
    send(page())
    assert send(page(), note="another").status_code == 409
    assert send(page(), photo=jpeg((1, 2, 3))).status_code == 409
    assert send(page(name="somebody")).status_code == 409


def test_a_person_in_the_photo_is_a_hard_stop(
    page: Page, database: Database, detector: FakeDetector, tmp_path: Path
) -> None:
    detector.answer = judged(found(), found("person", (0, 0, 8, 8)))
    told = send(page()).json()
    assert (told["state"], told["reason"], told["case"], told["picture"]) == ("refused", "people", None, None)
    assert "Person" in told["answer"]["de"]
    assert count(database, cases) == 0
    assert not stored(tmp_path / "pictures")
    assert send(page()).json() == told
    assert send(page(settings=ReportsConfig(on_people="mosaic")), 2).json()["state"] == "new"


def test_without_a_defect_in_it_the_place_is_taken_and_the_photo_is_not(
    page: Page, detector: FakeDetector, tmp_path: Path
) -> None:
    detector.answer = judged()
    told = send(page()).json()
    assert (told["class"], told["reason"], told["picture"]) == ("unclear", "nothing", None)
    assert told["text"]["de"].startswith("Unklarer Schaden.")
    assert not stored(tmp_path / "pictures")
    named = send(page(), 2, **{"class": "crack", "lat": "51.45"}).json()
    assert named["class"] == "crack"


def test_without_a_photo_it_is_taken_for_what_is_known_there(page: Page, detector: FakeDetector) -> None:
    known = send(page()).json()
    told = page().post("/api/reports", files={name: (None, value) for name, value in {"id": "x", **PLACE}.items()})
    assert (told.json()["case"], told.json()["class"], told.json()["reason"]) == (known["case"], "pothole", "none")
    assert len(detector.asked) == 1


@ON_ONE
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"lon": "181"}, "lon: "),
        ({"lat": "north"}, "lat: "),
        ({"lat": "nan"}, "lat: "),
        ({"id": "a b"}, "id: "),
        ({"utc": "2026-11-04T09:30:12"}, "utc: a time with its zone"),
        ({"utc": "yesterday"}, "utc: a time with its zone"),
        ({"utc": "2026-11-04T09:50:12Z"}, "utc: lies in the future"),
        ({"utc": "2026-06-04T09:50:12Z"}, "utc: older than 90 days"),
        ({"class": "a\nb"}, "class: "),
        ({"note": "\x00"}, "note: "),
        ({"speed": "1"}, "speed: "),
        ({"accuracy_m": "0"}, "accuracy_m: "),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(page: Page, fields: dict[str, str], told: str) -> None:
    answer = send(page(), **fields)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(told)
    assert "\n" not in answer.json()["detail"]


def test_a_time_in_any_zone_is_kept_as_utc(page: Page, database: Database) -> None:
    send(page(), utc="2026-11-04T10:00:00+01:00")
    with database.reading() as connection:
        assert connection.execute(select(sightings.c.utc)).scalar_one() == "2026-11-04T09:00:00.000Z"


@pytest.mark.parametrize(
    ("error", "status"), [(UnreadableError("no picture"), 422), (DetectorError("the detector is not there"), 503)]
)
def test_whose_fault_it_is_shows_and_the_report_can_be_sent_again(
    page: Page, database: Database, detector: FakeDetector, error: Exception, status: int
) -> None:
    detector.raises = error
    answer = send(page())
    assert (answer.status_code, answer.json()["detail"]) == (status, str(error))
    assert count(database, tables.reports) == 0
    detector.raises = None
    assert send(page()).status_code == 201


@ON_ONE
def test_a_large_photo_is_never_put_into_a_temporary_file(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def to_disk(_self: object) -> None:
        raise AssertionError("a citizen's photo would have been written to a disk")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.rollover", to_disk)
    assert send(page(), photo=jpeg() + bytes(3_000_000)).status_code == 201


@ON_ONE
def test_a_photo_that_is_too_large_is_not_even_read(page: Page, detector: FakeDetector) -> None:
    client = page(settings=ReportsConfig(most_megabytes=1))
    assert send(client, photo=b"\xff\xd8\xff" + bytes(1_000_001)).status_code == 413
    assert not detector.asked


@ON_ONE
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"nonsense", "multipart/form-data"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="picture"\r\n\r\nabc\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\nA: b\r\n\r\nabc\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data; boundary=x; charset=hex"),
    ],
)
def test_what_is_no_form_is_refused(page: Page, body: bytes, kind: str) -> None:
    answer = page().post("/api/reports", content=body, headers={"content-type": kind})
    assert answer.status_code == 422
    assert "\n" not in answer.json()["detail"]


def test_a_sender_sees_its_own_reports_and_clerks_see_all(page: Page) -> None:
    told = send(page(), note="Achtung").json()
    assert page().get("/api/reports/r-1").json() == told
    assert told["note"] == "Achtung"
    assert page(name="somebody").get("/api/reports/r-1").status_code == 404
    assert page("reviewer", name="erika").get("/api/reports/r-1").json()["case"] == told["case"]
    assert page().get("/api/reports/r-2").status_code == 404


@ON_ONE
@pytest.mark.parametrize(("role", "status"), [(None, 401), ("reader", 403), ("viewer", 403), ("reviewer", 201)])
def test_who_may_hand_in_reports(page: Page, role: Role | None, status: int) -> None:
    assert send(page(role)).status_code == status


def test_the_record_says_that_a_report_came_to_the_case(page: Page, database: Database) -> None:
    told = send(page()).json()
    with database.reading() as connection:
        rows = connection.execute(select(audit).where(audit.c.action == "report")).all()
    assert [(row.who, row.subject, json.loads(row.after)) for row in rows] == [
        ("app", str(told["case"]), {"report": "r-1"})
    ]


def repair(client: Browser, case: int, photo: bytes | None = None, **fields: str) -> Any:
    return client.post(
        f"/api/cases/{case}/picture", data=fields, files={"picture": ("a.jpg", photo or jpeg(), "image/jpeg")}
    )


def test_a_crews_picture_stands_at_the_case_once(page: Page, database: Database, detector: FakeDetector) -> None:
    case = send(page()).json()["case"]
    detector.answer = judged(kept=crop((1, 1, 1)))
    sequence = database.sequence()
    client = page("dispatcher", name="erika")
    first = repair(client, case, box="0.1,0.2,0.5,0.6")
    again = repair(client, case, box="0.1,0.2,0.5,0.6")
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    assert (first.json()["kind"], first.json()["who"]) == ("repair", "erika")
    assert detector.asked[-1][1] == (0.1, 0.2, 0.5, 0.6)
    assert database.sequence() == sequence + 1
    with database.reading() as connection:
        assert [photo.kind for photo in photos_of(connection, case)] == ["repair", "report"]


def test_a_merged_case_brings_its_pictures_along(page: Page, database: Database, detector: FakeDetector) -> None:
    one, other = send(page()).json()["case"], send(page(), 2, lat="51.4444").json()["case"]
    detector.answer = judged(kept=crop((1, 1, 1)))
    repair(page("dispatcher"), other)
    with database.changing() as change:
        merge(change, one, other, "erika")
    with database.reading() as connection:
        assert sorted(photo.kind for photo in photos_of(connection, one)) == ["repair", "report", "report"]
    assert page().get("/api/reports/r-2").json()["case"] == one
    assert repair(page("dispatcher"), other).status_code == 409


def test_a_crews_picture_with_a_person_is_refused_with_words_for_the_page(
    page: Page, database: Database, detector: FakeDetector
) -> None:
    case = send(page()).json()["case"]
    detector.answer = judged(found("person", (0, 0, 8, 8)), kept=crop())
    answer = repair(page("dispatcher"), case)
    assert (answer.status_code, answer.json()["reason"]) == (422, "people")
    assert "Person" in answer.json()["text"]["de"]
    assert count(database, tables.photos) == 1


@ON_ONE
@pytest.mark.parametrize("box", ["1", "a,b,c,d", "0.5,0,0.5,1", "0,0,2,1", "nan,0,1,1"])
def test_a_box_that_is_none_is_refused(page: Page, box: str) -> None:
    assert repair(page("dispatcher"), 1, box=box).status_code == 422


@ON_ONE
def test_a_case_that_is_not_there_is_told(page: Page, detector: FakeDetector) -> None:
    assert repair(page("dispatcher"), 99).status_code == 404
    assert repair(page("reviewer"), 99).status_code == 403
    assert not detector.asked
