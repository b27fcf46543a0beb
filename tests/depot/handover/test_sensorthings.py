# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""SensorThings: found by links, asked by the query options, wrong questions answered by one line."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.handover.entities import OBSERVATIONS
from depot.handover.odata import QueryError, parse_filter, parse_path
from tests.depot.handover.samples import add_case, add_sighting, add_vehicle, client, services

if TYPE_CHECKING:
    from depot.store.database import Database
    from tests.depot.handover.samples import Browser

ROOT = "/sensorthings/v1.1"


@pytest.fixture
def browser(database: Database) -> Browser:
    add_vehicle(database, "bus-12")
    add_vehicle(database, "tram-3", lon=None, lat=None)
    for case in (1, 2):
        add_case(database, case)
    add_sighting(database, 1, score=0.4, utc="2026-10-10T07:00:00Z")
    add_sighting(database, 1, score=0.9, utc="2026-10-10T07:00:00.5Z")
    add_sighting(database, 2, score=0.6, vehicle="tram-3", utc="2026-10-11T07:00:00Z", **{"class": "transverse_crack"})
    add_sighting(database, 2, utc=None)
    return client(services(database))


def ask(browser: Browser, path: str, **options: str) -> Any:
    answer = browser.get(f"{ROOT}/{path}", params={f"${name}": value for name, value in options.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def _ids(body: Any) -> list[Any]:
    return [entity["@iot.id"] for entity in body["value"]]


def test_every_link_of_every_entity_leads_somewhere(browser: Browser) -> None:
    waiting = [entry["url"] for entry in browser.get(ROOT).json()["value"]]
    assert len(waiting) == 8
    seen = set()
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        answer = browser.get(url)
        assert answer.status_code == 200, url
        body = answer.json()
        for entity in body.get("value", [body]):
            waiting += [value for key, value in entity.items() if key.endswith(("selfLink", "navigationLink"))]
    assert len(seen) > 40


def test_a_vehicle_a_stream_an_observation_and_its_place(browser: Browser) -> None:
    thing = ask(browser, "Things('bus-12')")
    assert thing["name"] == "bus-12"
    assert ask(browser, "Things('bus-12')/Locations")["value"][0]["location"] == {
        "type": "Point",
        "coordinates": [6.76, 51.43],
    }
    assert _ids(ask(browser, "Things('tram-3')/Locations")) == []
    seen = ask(browser, "Things('bus-12')/Datastreams('bus-12.defects')/Observations")["value"]
    assert [entity["result"] for entity in seen] == ["pothole", "pothole"]
    assert seen[0]["phenomenonTime"] == "2026-10-10T07:00:00Z"
    assert seen[0]["parameters"]["score"] == 0.4
    place = ask(browser, f"Observations({seen[0]['@iot.id']})/FeatureOfInterest")
    assert place["@iot.id"] == 1
    assert place["feature"]["type"] == "Point"
    assert ask(browser, "Things('bus-12')/name") == {"name": "bus-12"}
    assert browser.get(f"{ROOT}/Things('bus-12')/name/$value").text == "bus-12"


def test_a_sighting_without_a_time_is_not_shown(browser: Browser) -> None:
    assert ask(browser, "Observations", count="true")["@iot.count"] == 3


def test_next_links_give_every_entity_once(browser: Browser) -> None:
    body = ask(browser, "Observations", top="1", orderby="phenomenonTime desc", filter="result ne 'x'")
    ids = _ids(body)
    while "@iot.nextLink" in body:
        body = browser.get(body["@iot.nextLink"]).json()
        ids += _ids(body)
    assert ids == [3, 2, 1]
    assert ask(browser, "Observations", top="0")["value"] == []


FILTERS = [
    ("result eq 'pothole'", [1, 2]),
    ("result ne 'pothole'", [3]),
    ("parameters/score gt 0.5", [2, 3]),
    ("not parameters/score gt 0.5", [1]),
    ("parameters/score ge 0.4 and parameters/score lt 0.9", [1, 3]),
    ("result eq 'pothole' or result eq 'transverse_crack'", [1, 2, 3]),
    ("(result eq 'pothole' or parameters/score eq 0.6) and parameters/score le 0.6", [1, 3]),
    ("phenomenonTime gt 2026-10-10T07:00:00Z", [2, 3]),
    ("phenomenonTime le 2026-10-10T09:00:00%2B02:00".replace("%2B", "+"), [1]),
    ("phenomenonTime lt 2026-10-10T07:00:00.5Z", [1]),
    ("Datastream/Thing/id eq 'tram-3'", [3]),
    ("Datastream/id eq 'bus-12.defects'", [1, 2]),
    ("FeatureOfInterest/id eq 1", [1, 2]),
    ("startswith(result,'trans')", [3]),
    ("substringof('hole',result)", [1, 2]),
    ("endswith(result, 'crack')", [3]),
    ("startswith(result,'%')", []),
    ("parameters/line eq null", [1, 2, 3]),
    ("result eq 'it''s'", []),
]


def test_a_filter_gives_what_it_asks_for(browser: Browser) -> None:
    for text, ids in FILTERS:
        assert _ids(ask(browser, "Observations", filter=text)) == ids, text


def test_expand_brings_others_along(browser: Browser) -> None:
    thing = ask(browser, "Things('bus-12')", expand="Datastreams/Observations,Locations")
    assert [o["result"] for o in thing["Datastreams"][0]["Observations"]] == ["pothole", "pothole"]
    assert thing["Locations"][0]["name"] == "bus-12"
    options = "Datastreams($expand=Observations($top=1;$orderby=parameters/score desc;$count=true))"
    stream = ask(browser, "Things('bus-12')", expand=options)["Datastreams"][0]
    assert stream["Observations"][0]["parameters"]["score"] == 0.9
    assert stream["Observations@iot.count"] == 2
    following = browser.get(stream["Observations@iot.nextLink"]).json()
    assert following["value"][0]["parameters"]["score"] == 0.4
    observation = ask(browser, "Observations(3)", expand="FeatureOfInterest,Datastream/Thing", select="result")
    assert set(observation) == {"@iot.id", "@iot.selfLink", "result", "FeatureOfInterest", "Datastream"}
    assert observation["Datastream"]["Thing"]["name"] == "tram-3"


WRONG = [
    "Observations?$filter=result",
    "Observations?$filter=result eq pothole",
    "Observations?$filter=result eq 5",
    "Observations?$filter=colour eq 'red'",
    "Observations?$filter=result eq 'x' and",
    "Observations?$filter=(result eq 'x'",
    "Observations?$filter=result eq 'x')",
    "Observations?$filter=phenomenonTime gt 2026-99-99T00:00:00Z",
    "Observations?$filter=" + "(" * 400,
    "Observations?$filter=" + "not " * 200,
    "Observations?$filter=result eq '\0'",
    "Observations?$orderby=colour",
    "Observations?$top=-1",
    "Observations?$top=many",
    "Observations?$count=maybe",
    "Observations?$select=colour",
    "Observations?$expand=Colour",
    "Observations?$expand=Datastream/Thing/Datastreams",
    "Observations?$expand=Datastream($colour=1)",
    "Observations?$expand=Datastream(",
    "Things/Datastreams",
    "Things('bus-12'",
]


def test_a_question_that_is_none_is_a_400_of_one_line(browser: Browser) -> None:
    for question in WRONG:
        path, _, query = question.partition("?")
        name, _, value = query.partition("=")
        answer = browser.get(f"{ROOT}/{path}" + (f"?{name}={quote(value)}" if name else ""))
        assert answer.status_code == 400, question
        assert "\n" not in answer.json()["detail"]


def test_what_is_not_there_is_a_404(browser: Browser) -> None:
    for path in (
        "Colours",
        "Things('x')",
        "Observations(99)",
        "Observations('x')",
        "Observations(4)",
        "Things('bus-12')/x",
    ):
        assert browser.get(f"{ROOT}/{path}").status_code == 404, path


def test_who_may_not_read_sees_nothing(database: Database) -> None:
    for path in (ROOT, f"{ROOT}/Things"):
        assert client(services(database), None).get(path).status_code == 401
        assert client(services(database), "reporter").get(path).status_code == 403


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_a_clear_refusal(text: str) -> None:
    with contextlib.suppress(QueryError):
        parse_filter(text, OBSERVATIONS.fields)


@given(st.lists(st.sampled_from(["result", "eq", "'x'", "and", "or", "not", "(", ")", "5", "parameters/score", ","])))
def test_any_words_are_a_filter_or_a_clear_refusal(words: list[str]) -> None:
    with contextlib.suppress(QueryError):
        parse_filter(" ".join(words), OBSERVATIONS.fields)


@given(st.text(max_size=60))
def test_any_text_is_a_path_or_a_clear_refusal(text: str) -> None:
    with contextlib.suppress(QueryError):
        parse_path(text)
