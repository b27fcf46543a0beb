# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Filing at the city: once, whatever happens on the way, and its status comes back into the case."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from depot.errors import ConfigError
from depot.handover import calling
from depot.handover.config import HandoverConfig, Open311Config
from depot.handover.open311_answers import AnswerError, records
from depot.handover.open311_client import Open311Client
from depot.handover.picture_links import PictureLinks
from depot.handover.records import handed_over
from depot.handover.tables import handovers
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.tables import audit, cases
from tests.depot.handover.city import City, Clock, city
from tests.depot.handover.samples import PICTURE, add_case, add_sighting, app_of, client, services
from tests.depot.handover.test_ogc import _served
from tests.servers import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOK_S, FOLLOW_S = 120, 3600


class Setup:
    """A depot with its clock, and a city that it files at."""

    def __init__(self, database: Database, there: City, folder: Path) -> None:
        key = folder / "key"
        key.write_text("secret\n")
        self.database = database
        self.clock = Clock(database)
        self.city = there
        self.settings = HandoverConfig(
            public_url="https://depot.example",
            open311=Open311Config(
                url=there.url,
                jurisdiction="du",
                api_key_file=key,
                services={"pothole": "042", "*": "099"},
                automatic=True,
                delay_s=0,
                look_after_s=LOOK_S,
                follow_every_s=FOLLOW_S,
                timeout_s=10,
            ),
        )

    def set(self, **values: Any) -> None:
        self.settings = replace(self.settings, open311=replace(self.settings.open311, **values))

    def run(self, **values: Any) -> int:
        worker = Open311Client(self.database, self.settings, PictureLinks(self.database), **values)
        try:
            return worker.run_once()
        finally:
            worker.close()

    def shown(self, number: int = 1) -> Any:
        with self.database.reading() as connection:
            found = handed_over(connection, number)
        return found[0] if found else None

    def record(self, number: int = 1) -> list[str]:
        with self.database.reading() as connection:
            wanted = select(audit.c.action).where(audit.c.kind == "case", audit.c.subject == str(number))
            return list(connection.execute(wanted.order_by(audit.c.number)).scalars())


@pytest.fixture
def setup(database: Database, tmp_path: Path) -> Iterator[Setup]:
    with city() as there:
        add_case(database, 1, state="confirmed")
        yield Setup(database, there, tmp_path)


def test_a_confirmed_case_is_filed_once_with_place_text_and_picture(setup: Setup) -> None:
    add_sighting(setup.database, 1, picture=PICTURE)
    add_case(setup.database, 2)  # not confirmed
    add_case(setup.database, 3, state="confirmed", lon=None, lat=None)  # has no place
    for _ in range(5):
        setup.run()
        setup.clock.forward(FOLLOW_S)
    (filed,) = setup.city.taken
    assert filed["service_code"] == "042"
    assert (float(filed["lat"]), float(filed["long"])) == pytest.approx((51.4344, 6.7624))
    assert "Königstraße" in filed["description"]
    assert filed["media_url"].startswith(f"https://depot.example/open311/v2/pictures/{PICTURE}.jpg?")
    assert (setup.shown().state, setup.shown().request) == ("accepted", "du/1")
    assert setup.record()[:2] == ["handover", "handover accepted"]


def test_its_status_comes_back_into_the_case_until_it_is_closed(setup: Setup) -> None:
    setup.run()
    before = setup.database.sequence()
    setup.clock.forward(FOLLOW_S)
    setup.run()
    assert setup.shown().status == "open"
    setup.city.status[1] = ("closed", "repariert & gut")
    setup.clock.forward(FOLLOW_S)
    setup.run()
    assert (setup.shown().status, setup.shown().status_notes) == ("closed", "repariert & gut")
    assert setup.record()[-2:] == ["handover status", "handover status"]
    assert setup.database.sequence() > before  # pages show it anew
    with setup.database.reading() as connection:
        assert connection.execute(select(cases.c.state)).scalar_one() == "confirmed"  # people decide, not the city
    asked = len(setup.city.asked)
    setup.clock.forward(FOLLOW_S)
    assert setup.run() == 0
    assert len(setup.city.asked) == asked


@pytest.mark.parametrize("mood", ["drop", "fail", "nonsense"])
def test_what_was_taken_without_a_usable_answer_is_found_and_not_sent_again(setup: Setup, mood: str) -> None:
    for number in range(2, 6):  # so that it stands on a later page
        add_case(setup.database, number, state="confirmed")
    setup.city.moods = ["take", "take", "take", "take", mood]
    setup.run()
    assert setup.shown(5).state == "sending"
    setup.run()  # not yet: the answer may be on its way
    setup.clock.forward(LOOK_S)
    setup.run()
    assert (setup.shown(5).state, setup.shown(5).request) == ("accepted", "du/5")
    assert len(setup.city.taken) == 5


def test_a_process_that_dies_after_sending_files_nothing_twice(setup: Setup) -> None:
    class Dies(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            super().handle_request(request).read()
            raise SystemExit

    with pytest.raises(SystemExit):
        setup.run(client=httpx.Client(transport=Dies()))
    assert len(setup.city.taken) == 1
    setup.clock.forward(LOOK_S)
    setup.run()
    assert setup.shown().state == "accepted"
    assert len(setup.city.taken) == 1


def test_where_the_list_tells_nothing_a_person_settles_it(setup: Setup) -> None:
    setup.city.hides_texts = True
    setup.city.moods = ["drop"]
    for _ in range(6):
        setup.run()
        setup.clock.forward(LOOK_S)
    assert setup.shown().state == "unclear"
    assert "wgw-" in setup.shown().error
    assert len(setup.city.taken) == 1
    browser = client(services(setup.database), "dispatcher", setup.settings)
    path = "/api/cases/1/handover"
    assert browser.post(path).status_code == 409
    answer = browser.post(path, json={"request": "du/1"})
    assert answer.json()["handed_over"][0]["state"] == "accepted"
    setup.run()
    assert setup.shown().status == "open"
    assert len(setup.city.taken) == 1


def test_what_never_arrived_is_sent_again_where_that_is_allowed(setup: Setup) -> None:
    setup.set(resend=True)
    setup.city.moods = ["lose"]
    for _ in range(6):
        setup.run()
        setup.clock.forward(LOOK_S)
    assert setup.shown().state == "accepted"
    assert len(setup.city.taken) == 1


def test_while_nobody_listens_it_waits_ever_longer_and_then_files_once(setup: Setup) -> None:
    good = setup.settings
    setup.set(url=f"http://{HOST}:{free_port()}/v2")
    setup.run()
    assert setup.shown().state == "waiting"
    assert setup.run() == 0
    setup.clock.forward(61)
    assert setup.run() == 1
    setup.clock.forward(61)
    assert setup.run() == 0  # now it waits for two minutes
    with setup.database.writing() as connection:
        connection.execute(update(handovers).values(endpoint=setup.city.url))
    setup.settings = good
    setup.clock.forward(3600)
    setup.run()
    assert len(setup.city.taken) == 1


def test_a_refusal_is_shown_and_tried_again_only_by_a_person(setup: Setup) -> None:
    setup.city.moods = ["refuse"]
    setup.run()
    assert setup.shown().state == "refused"
    assert "kein Ort" in setup.shown().error
    setup.clock.forward(10 * FOLLOW_S)
    assert setup.run() == 0
    browser = client(services(setup.database), "dispatcher", setup.settings)
    assert browser.post("/api/cases/1/handover").status_code == 200
    setup.run()
    assert setup.shown().state == "accepted"
    assert browser.post("/api/cases/1/handover").status_code == 409
    assert browser.post("/api/cases/99/handover").status_code == 404
    reviewer = client(services(setup.database), "reviewer", setup.settings)
    assert reviewer.post("/api/cases/1/handover").status_code == 403


def test_an_endpoint_that_is_busy_says_for_how_long(setup: Setup) -> None:
    setup.city.moods = ["busy"]
    setup.run()
    setup.clock.forward(899)
    assert setup.run() == 0
    setup.clock.forward(2)
    setup.run()
    assert setup.shown().state == "accepted"


def test_a_token_becomes_a_number_later(setup: Setup) -> None:
    setup.city.moods = ["token", "pending", "pending"]
    setup.run()
    for _ in range(3):
        assert setup.shown().state == "token"
        setup.clock.forward(3)
        setup.run()
    assert (setup.shown().state, setup.shown().request) == ("accepted", "du/1")


def test_a_case_that_is_rejected_in_time_is_never_filed_and_can_be_later(setup: Setup) -> None:
    setup.set(delay_s=600)
    setup.run()
    with setup.database.writing() as connection:
        connection.execute(update(cases).values(state="rejected"))
    setup.clock.forward(601)
    setup.run()
    assert setup.shown() is None
    assert setup.city.taken == []
    with setup.database.writing() as connection:
        connection.execute(update(cases).values(state="confirmed"))
    setup.run()
    setup.clock.forward(601)
    setup.run()
    assert len(setup.city.taken) == 1


def test_only_cases_of_the_named_offices_and_classes_are_filed_by_themselves(setup: Setup) -> None:
    add_case(setup.database, 2, state="confirmed", office="Tunnelbau")
    add_case(setup.database, 3, state="confirmed", **{"class": "spalling"})
    setup.set(offices=("Straßenunterhaltung",), services={"pothole": "042"})
    setup.run()
    assert len(setup.city.taken) == 1
    setup.set(automatic=False)
    add_case(setup.database, 4, state="confirmed")
    setup.run()
    assert len(setup.city.taken) == 1


def test_two_processes_on_a_bad_line_file_each_case_once(setup: Setup) -> None:
    for number in range(2, 21):
        add_case(setup.database, number, state="confirmed")
    luck = random.Random(311)
    setup.city.moods = [luck.choice(["take", "drop", "fail", "nonsense", "busy", "token"]) for _ in range(40)]
    for _ in range(12):
        threads = [threading.Thread(target=setup.run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        setup.clock.forward(1000)
    references = [filed["description"].rpartition("wgw-")[2] for filed in setup.city.taken]
    assert len(references) == len(set(references)) == 20
    assert {setup.shown(number).state for number in range(1, 21)} == {"accepted"}


@pytest.mark.parametrize("form", ["xml", "json"])
def test_our_client_and_our_server_understand_each_other(database: Database, tmp_path: Path, form: Any) -> None:
    add_case(database, 1, state="confirmed")
    clock = Clock(database)
    theirs = Database(f"sqlite:///{tmp_path / 'city.sqlite'}")
    migrate(theirs)
    with _served(app_of(services(theirs), "reporter")) as url:
        own = Open311Config(
            url=f"{url}/open311/v2", services={"*": "pothole"}, automatic=True, delay_s=0, format=form, look_after_s=1
        )
        worker = Open311Client(database, HandoverConfig(open311=own), PictureLinks(database))
        worker.run_once()
        clock.forward(FOLLOW_S)
        worker.run_once()
        with database.reading() as connection:
            (found,) = handed_over(connection, 1)
        worker.close()
    assert (found.request, found.status, found.status_notes) == ("1", "open", "Gemeldet, noch nicht geprüft")
    with theirs.reading() as connection:
        assert connection.execute(select(cases.c["class"])).scalar_one() == "pothole"
    theirs.close()


def test_an_answer_without_end_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "_MOST_BYTES", 1000)
    endless = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=b"x" * 2000)))
    with pytest.raises(calling.NoAnswerError, match="larger"):
        calling.call(endless, endless.build_request("GET", "http://x/"), timeout_s=5)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"<a", b"5", b"[" * 100_000, b"\xff", b'<!DOCTYPE x [<!ENTITY a "b">]><x><y><z>&a;</z></y></x>']
)
def test_what_is_no_answer_is_said_in_one_line(body: bytes) -> None:
    for form in ("xml", "json"):
        with pytest.raises(AnswerError, match=r"^[^\n]+$"):
            records(form, body)


def test_a_json_answer_may_be_wrapped_and_may_have_numbers() -> None:
    assert records("json", b'{"service_requests": [{"service_request_id": 42, "status": null}, 5]}') == [
        {"service_request_id": "42"}
    ]
    assert records("json", b'{"service_request_id": "a"}') == [{"service_request_id": "a"}]


def test_a_key_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path) -> None:
    settings = HandoverConfig(
        open311=Open311Config(url="https://x.example/v2", services={"*": "1"}, api_key_file=tmp_path / "none")
    )
    unused: Any = None
    with pytest.raises(ConfigError, match=r"handover\.open311\.api_key_file"):
        Open311Client(unused, settings, unused)
