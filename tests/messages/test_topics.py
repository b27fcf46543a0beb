# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Topics: parsing is the inverse of formatting, and nothing else is ours."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messages.envelope import TYPES, kind_of
from messages.topics import KINDS, PREFIX, SHA256_PATTERN, VEHICLE_PATTERN, Topic, is_vehicle_name, parse
from messages.types import Message
from tests.messages.strategies import messages

VEHICLES = st.from_regex(VEHICLE_PATTERN, fullmatch=True)
TOPICS = st.builds(Topic, VEHICLES, st.sampled_from(KINDS)) | st.builds(
    Topic, VEHICLES, st.just("picture"), st.from_regex(SHA256_PATTERN, fullmatch=True)
)
TOPICS |= st.builds(
    Topic,
    VEHICLES,
    st.just("chunk"),
    st.from_regex(SHA256_PATTERN, fullmatch=True),
    st.integers(1, 9_999_999),
    st.integers(0, 999),
)


@given(TOPICS)
def test_a_topic_comes_back_from_its_text(topic: Topic) -> None:
    assert parse(str(topic)) == topic


@pytest.mark.parametrize("kind", TYPES.values())
def test_every_message_has_a_topic_of_its_own(kind: type) -> None:
    @settings(max_examples=5)
    @given(messages(kind))
    def check(message: Message) -> None:
        assert parse(f"{PREFIX}/bus-1/{kind_of(message)}") == Topic("bus-1", kind.__name__.lower())

    check()
    assert len(KINDS) == len(set(KINDS)) == len(TYPES)


@given(
    st.text(st.characters(codec="utf-8"))
    | TOPICS.map(str).flatmap(lambda text: st.text().map(lambda tail: text + tail))
)
def test_what_is_parsed_is_written_the_same_again(text: str) -> None:
    topic = parse(text)
    assert topic is None or str(topic) == text


@pytest.mark.parametrize(
    "text",
    [
        "wegewart/v1/bus-1/status\n",
        "wegewart/v2/bus-1/status",
        "wegewart/v1/Bus-1/status",
        "wegewart/v1/../status",
        "wegewart/v1/+/status",
        "wegewart/v1/bus-1/picture",
        "wegewart/v1/bus-1/picture/" + "A" * 64,
        "wegewart/v1/bus-1/statusx",
        "wegewart/v1//status",
        "wegewart/v1/bus-1/chunk/" + "a" * 64,
        "wegewart/v1/bus-1/chunk/" + "a" * 64 + "/40000/01",
        "wegewart/v1/bus-1/chunk/" + "a" * 64 + "/0/0",
        "wegewart/v1/bus-1/chunk/" + "a" * 64 + "/99999999/0",
        "wegewart/v1/bus-1/chunk/" + "a" * 64 + "/40000/-1",
    ],
)
def test_a_topic_that_is_nearly_ours_is_not_ours(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("name", ["", "-bus", "bus_1", "BUS", "a" * 64, "bus 1", "bus-1\n", "a/b"])
def test_a_name_that_would_break_topics_or_files_is_refused(name: str) -> None:
    assert not is_vehicle_name(name)


@given(VEHICLES)
def test_a_good_name_is_a_good_name(name: str) -> None:
    assert is_vehicle_name(name)
