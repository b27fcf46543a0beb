# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Our Open311 endpoint: in XML and JSON, as the city's citizen channel uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import select

from depot.people.tokens import add as add_token
from depot.reports.tables import reports
from depot.store.tables import cases
from tests.depot.handover.samples import PICTURE, add_case, add_sighting, client, services

if TYPE_CHECKING:
    from depot.store.database import Database
    from tests.depot.handover.samples import Browser

ROOT = "/open311/v2"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REPORT = {"service_code": "pothole", "lat": "51.4344", "long": "6.7700", "description": "Tiefes Loch, Tel. 0203 1"}


@pytest.fixture
def browser(database: Database) -> Browser:
    database.now_utc = lambda: "2026-10-12T08:00:00.000Z"
    add_case(database, 1, state="confirmed")
    add_sighting(database, 1, picture=PICTURE)
    add_case(database, 2, state="repaired", opened_utc="2026-10-11T07:00:00Z", **{"class": "crack"})
    add_case(database, 3, state="merged", merged_into=2)
    add_case(database, 4, opened_utc="2026-01-01T07:00:00Z")
    return client(services(database), "reporter")


def _rows(text: str) -> list[dict[str, str | None]]:
    return [{field.tag: field.text for field in row} for row in ET.fromstring(text)]


def _ids(answer: Any) -> list[str]:
    return [row["service_request_id"] for row in answer.json()]


def test_services_are_the_same_in_both_forms(browser: Browser) -> None:
    of_json = browser.get(f"{ROOT}/services.json").json()
    of_xml = browser.get(f"{ROOT}/services.xml")
    assert of_xml.headers["content-type"].startswith("text/xml")
    assert [row["service_code"] for row in of_json] == [row["service_code"] for row in _rows(of_xml.text)]
    assert of_json[1]["service_name"] == "Schlagloch"
    assert browser.get(f"{ROOT}/discovery.xml").status_code == 200
    assert browser.get(f"{ROOT}/services/pothole.json").json()[0]["service_code"] == "pothole"


def test_a_request_tells_what_became_of_a_case(browser: Browser) -> None:
    row = browser.get(f"{ROOT}/requests/1.json").json()[0]
    assert row["status"] == "open"
    assert row["status_notes"] == "Geprüft und bestätigt"
    assert row["address"] == "Königstraße, Mitte"
    assert row["requested_datetime"] == "2026-10-10T07:00:05.000Z"
    assert (row["lat"], row["long"]) == pytest.approx((51.4344, 6.7624))
    assert _rows(browser.get(f"{ROOT}/requests/1.xml").text)[0]["status"] == "open"


def test_the_number_of_a_merged_case_tells_of_the_one_it_went_into(browser: Browser) -> None:
    row = browser.get(f"{ROOT}/requests/3.json").json()[0]
    assert row["service_request_id"] == "3"
    assert row["status"] == "closed"
    assert row["service_code"] == "crack"


LISTS = [
    ("", ["2", "1"]),
    ("?status=open", ["1"]),
    ("?status=closed", ["2"]),
    ("?status=open,closed", ["2", "1"]),
    ("?service_code=crack,spalling", ["2"]),
    ("?start_date=2025-12-01T00:00:00Z", ["2", "1", "4"]),
    ("?start_date=2026-10-11T09:00:00%2B02:00", ["2"]),
    ("?end_date=2026-03-01T00:00:00Z", ["4"]),
    ("?page_size=1", ["2"]),
    ("?page_size=1&page=2", ["1"]),
    ("?service_request_id=4,1,x,99", ["4", "1"]),
    ("?jurisdiction_id=duisburg.de&extensions=true", ["2", "1"]),
]


def test_the_list_obeys_the_standards_parameters(browser: Browser) -> None:
    for query, numbers in LISTS:
        assert _ids(browser.get(f"{ROOT}/requests.json{query}")) == numbers, query


def test_what_is_wrong_is_an_error_in_the_form_that_was_asked_for(browser: Browser) -> None:
    for query in (
        "?status=done",
        "?start_date=yesterday",
        "?page=0",
        "?page_size=5000",
        "?end_date=0001-01-01T00:00:00Z",
    ):
        row = browser.get(f"{ROOT}/requests.json{query}")
        assert row.status_code == row.json()[0]["code"] == 400, query
    missing = browser.get(f"{ROOT}/requests/99.xml")
    assert missing.status_code == 404
    assert _rows(missing.text)[0]["code"] == "404"


def test_a_picture_can_be_seen_by_its_link_without_a_login_and_only_so(database: Database, browser: Browser) -> None:
    made = services(database)
    made.pictures.keep(PICTURE, b"jpeg")
    link = browser.get(f"{ROOT}/requests/1.json").json()[0]["media_url"]
    anybody = client(made, None)
    assert anybody.get(link).content == b"jpeg"
    assert anybody.get(link.replace(PICTURE, "cd" * 32)).status_code == 403
    assert anybody.get(link.replace("until=1", "until=2")).status_code == 403
    database.now_utc = lambda: "2027-10-12T08:00:00.000Z"
    assert anybody.get(link).status_code == 403


def test_a_report_opens_a_case_and_the_same_again_gets_the_same_number(database: Database, browser: Browser) -> None:
    first = browser.post(f"{ROOT}/requests.json", data=REPORT)
    number = first.json()[0]["service_request_id"]
    again = browser.post(f"{ROOT}/requests.xml", data=REPORT)
    assert _rows(again.text)[0]["service_request_id"] == number
    with database.reading() as connection:
        row = connection.execute(select(cases).where(cases.c.number == int(number))).one()
        notes = connection.execute(select(reports.c.note)).scalars().all()
    assert (row.state, row.reports, row.sightings) == ("new", 1, 1)
    assert notes == [REPORT["description"]]


def test_a_report_of_a_known_defect_gets_its_number(browser: Browser) -> None:
    first = browser.post(f"{ROOT}/requests.json", data=REPORT)
    second = browser.post(f"{ROOT}/requests.json", data={**REPORT, "lat": "51.43441", "description": "Hier auch"})
    assert second.json() == first.json()


def test_names_addresses_and_links_of_the_sender_are_not_kept(database: Database, browser: Browser) -> None:
    personal = {"first_name": "Erika", "email": "erika@example.org", "phone": "0203", "media_url": "http://10.0.0.1/x"}
    browser.post(f"{ROOT}/requests.json", data={**REPORT, **personal})
    with database.reading() as connection:
        row = str(connection.execute(select(reports)).one())
    assert "Erika" not in row
    assert "example.org" not in row


def test_a_report_that_cannot_be_used_is_refused_by_one_line(browser: Browser) -> None:
    for change, status in (
        ({"service_code": "cat"}, 404),
        ({"lat": ""}, 400),
        ({"lat": "91"}, 400),
        ({"lat": "nan"}, 400),
        ({"description": "x" * 5000}, 400),
    ):
        answer = browser.post(f"{ROOT}/requests.json", data={**REPORT, **change})
        assert answer.status_code == status, change
        assert answer.json()[0]["description"]


def test_a_form_with_a_file_or_without_end_is_refused(browser: Browser) -> None:
    photo = browser.post(f"{ROOT}/requests.json", data=REPORT, files={"media": b"jpeg"})
    assert photo.status_code == 400
    assert browser.post(f"{ROOT}/requests.json", content=b"x=" + b"y" * 200_000, headers=FORM).status_code == 413
    assert browser.post(f"{ROOT}/requests.json", content=b"&".join([b"a=1"] * 500), headers=FORM).status_code == 400
    assert browser.post(f"{ROOT}/requests.json", content=b"description=\xff", headers=FORM).status_code == 400


def test_a_token_may_come_as_api_key(database: Database) -> None:
    with database.changing() as change:
        good = add_token(change, who="erika", name="channel", role="reporter")
        reader = add_token(change, who="erika", name="qgis", role="reader")
    nobody = client(services(database), None)
    assert nobody.post(f"{ROOT}/requests.json", data=REPORT).status_code == 401
    assert nobody.post(f"{ROOT}/requests.json", data={**REPORT, "api_key": "x"}).status_code == 401
    assert nobody.post(f"{ROOT}/requests.json", data={**REPORT, "api_key": reader}).status_code == 403
    assert nobody.post(f"{ROOT}/requests.json", data={**REPORT, "api_key": good}).status_code == 200
    assert nobody.get(f"{ROOT}/requests.json?api_key={good}").status_code == 200
    refused = nobody.get(f"{ROOT}/requests.xml")
    assert refused.status_code == 401
    assert "WWW-Authenticate" in refused.headers
