# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes arrive: a good event, a good picture or a counted refusal, never an exception."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from depot.intake import Accepted, Picture, Refused, judge
from messages import envelope
from tests.depot import samples

KINDS = st.sampled_from(["observation", "look", "revision", "coverage", "roughness", "health", "status"])


def refusal(kind: str, content: bytes) -> Refused:
    item = judge(samples.topic(kind), content)
    assert isinstance(item, Refused)
    return item


@pytest.mark.parametrize(
    "data",
    [
        samples.observation(), samples.look(), samples.revision(), samples.coverage(), samples.roughness(),
        samples.health(), samples.status(),
    ],
)  # fmt: skip
def test_a_good_event_on_its_own_topic_is_accepted(data):
    item = judge(samples.topic(type(data).__name__.lower()), samples.payload(data))
    assert isinstance(item, Accepted)
    assert item.event.data == data
    assert item.vehicle == samples.VEHICLE


def test_an_event_of_another_vehicle_is_refused_with_its_id():
    item = refusal("observation", samples.payload(samples.observation(), 3, "other-1"))
    assert (item.reason, item.vehicle, item.id) == ("wrong_vehicle", samples.VEHICLE, samples.event_id(3))


def test_a_revision_by_another_vehicle_than_the_topics_is_refused():
    item = refusal("revision", samples.payload(samples.revision(), 3, "other-1"))
    assert (item.reason, item.id) == ("wrong_vehicle", samples.event_id(3))


def test_a_source_that_only_ends_like_ours_is_refused():
    text = samples.payload(samples.observation()).replace(b'"wegewart/', b'"elsewhere/')
    assert refusal("observation", text).reason == "wrong_vehicle"


def test_an_event_on_the_topic_of_another_kind_is_refused():
    assert refusal("coverage", samples.payload(samples.observation())).reason == "wrong_topic"


def test_nobody_but_the_depot_speaks_on_the_topics_of_the_depot():
    assert refusal("ack", samples.payload(samples.observation())).reason == "wrong_topic"


def test_the_id_of_an_event_that_breaks_the_rules_is_still_read():
    broken = json.loads(samples.payload(samples.observation(), 5))
    broken["data"]["score"] = 1.5
    item = refusal("observation", json.dumps(broken).encode())
    assert (item.reason, item.id) == ("invalid", samples.event_id(5))


def test_an_event_with_a_character_that_no_database_keeps_is_refused_with_its_id():
    data = samples.observation(calibration="front\0")
    item = refusal("observation", samples.payload(data, 5))
    assert (item.reason, item.id) == ("invalid", samples.event_id(5))


def test_an_event_that_is_too_large_is_refused():
    assert refusal("observation", b" " * (envelope.MAX_EVENT_BYTES + 1)).reason == "too_large"


@pytest.mark.parametrize("topic", ["", "wegewart/v1/UPPER/observation", "wegewart/v1/a/picture/123", "a/b", "\0"])
def test_a_topic_that_is_none_of_ours_is_refused(topic):
    assert judge(topic, b"{}") == Refused("unknown_topic", topic)


@given(KINDS, st.binary(max_size=400))
def test_random_bytes_never_raise(kind, content):
    assert isinstance(judge(samples.topic(kind), content), Refused)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(KINDS, st.data())
def test_events_with_one_thing_changed_never_raise(kind, data):
    made = {"observation": samples.observation(picture=samples.picture_ref(samples.jpeg())),
            "look": samples.look(), "revision": samples.revision(), "roughness": samples.roughness(),
            "coverage": samples.coverage(), "health": samples.health(), "status": samples.status()}  # fmt: skip
    event = json.loads(samples.payload(made[kind]))
    place = data.draw(st.sampled_from([event, event["data"], event["data"].get("time", event)]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(VALUES)
    item = judge(samples.topic(kind), json.dumps(event).encode("utf-8", "surrogatepass"))
    assert isinstance(item, Accepted | Refused)


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_events_cut_off_or_cut_into_are_refused(start, length):
    whole = samples.payload(samples.observation())
    cut = whole[: start % len(whole)] + whole[start % len(whole) + 1 + length % 50 :]
    assert isinstance(judge(samples.topic("observation"), cut), Accepted | Refused)
    assert isinstance(judge(samples.topic("observation"), whole[: start % len(whole)]), Refused)


def test_json_nested_without_end_is_refused():
    assert refusal("observation", b"[" * 60_000).reason in {"not_json", "invalid"}


def test_a_picture_with_the_hash_of_its_topic_is_accepted_with_its_size():
    content = samples.jpeg()
    item = judge(samples.picture_topic(content), content)
    assert isinstance(item, Picture)
    assert (item.sha256, item.content, item.width, item.height) == (samples.sha256(content), content, 320, 180)


def test_a_picture_with_another_hash_is_refused_and_named():
    item = judge(samples.picture_topic(samples.jpeg(1)), samples.jpeg(2))
    assert isinstance(item, Refused)
    assert (item.reason, item.id) == ("wrong_hash", samples.sha256(samples.jpeg(1)))


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return out.getvalue()


def huge_jpeg() -> bytes:
    """Claims 60,000 x 60,000 pixels in a few hundred bytes."""
    content = bytearray(samples.jpeg())
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = b"\xea\x60\xea\x60"
    return bytes(content)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", png(), samples.jpeg()[:-200], huge_jpeg()])
def test_what_is_no_whole_jpeg_of_sane_size_is_refused(content):
    item = judge(samples.picture_topic(content), content)
    assert isinstance(item, Refused)
    assert item.reason == "not_a_jpeg"


def test_a_picture_above_the_size_limit_is_refused():
    content = samples.jpeg() + b"\0" * envelope.MAX_PICTURE_BYTES
    item = judge(samples.picture_topic(content), content)
    assert isinstance(item, Refused)
    assert item.reason == "too_large"


@given(st.binary(max_size=60), st.integers(0, 4000))
def test_damaged_pictures_never_raise(noise, at):
    whole = samples.jpeg()
    content = whole[: at % len(whole)] + noise + whole[at % len(whole) + len(noise) :]
    assert isinstance(judge(samples.picture_topic(content), content), Picture | Refused)
