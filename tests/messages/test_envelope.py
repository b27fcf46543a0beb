# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Everything valid survives the wire unchanged; everything else is one `MessageError`."""

from __future__ import annotations

import contextlib
import json
import math

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from messages import envelope
from messages.envelope import TYPES, Event, MessageError, decode, encode, event_id
from messages.types import (
    Ack,
    Coverage,
    Health,
    LinePosition,
    LiningPlace,
    ModelRef,
    Observation,
    Position,
    Refusal,
    Revision,
    Roughness,
    RoughSection,
    Shock,
    Status,
    Time,
)  # fmt: skip
from tests.messages.strategies import NOT_FINITE, events, leaves, replaced

KINDS = list(TYPES.values())
ANY_EVENT = st.sampled_from(KINDS).flatmap(events)
TIME = Time(boot="b1", monotonic_s=1.0, quality="unset")


def status() -> dict:
    """A small valid event as decoded JSON."""
    data = Status(state="online", boot="b1", session=1, software="0.1.0")
    return json.loads(encode(Event(id="b1-00000001", source="wegewart/bus-1", data=data)))


def refused(payload: object, reason: str) -> MessageError:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    with pytest.raises(MessageError) as caught:
        decode(raw)
    assert caught.value.reason == reason
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_comes_back_as_it_was_sent(kind: type) -> None:
    @given(events(kind))
    def check(event: Event) -> None:
        payload = encode(event)
        assert decode(payload) == event
        assert len(payload) <= envelope.MAX_EVENT_BYTES
        assert event.vehicle == event.source.removeprefix("wegewart/")

    check()


@given(st.binary(max_size=300))
def test_random_bytes_only_ever_raise_message_error(payload: bytes) -> None:
    with pytest.raises(MessageError):
        decode(payload)


@given(ANY_EVENT, st.data())
def test_one_changed_value_is_read_or_refused_but_never_crashes(event: Event, data: st.DataObject) -> None:
    wire = json.loads(encode(event))
    path, _ = data.draw(st.sampled_from(leaves(wire)))
    junk = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
    try:
        decode(json.dumps(replaced(wire, path, data.draw(junk))).encode())
    except MessageError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both ways are right
        assert len(str(error)) < 400  # noqa: PT017


@given(ANY_EVENT, st.data())
def test_bytes_cut_or_flipped_are_read_or_refused_but_never_crash(event: Event, data: st.DataObject) -> None:
    payload = bytearray(encode(event))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MessageError):
        decode(bytes(payload[: data.draw(st.integers(0, len(payload)))]))


@given(ANY_EVENT)
def test_fields_of_a_newer_vehicle_are_ignored(event: Event) -> None:
    def newer(value: object, name: str = "") -> object:
        if isinstance(value, list):
            return [newer(item) for item in value]
        if isinstance(value, dict) and name not in ("counters", "gauges"):
            return {key: newer(item, key) for key, item in value.items()} | {"later_field": {"any": [1]}}
        return value

    assert decode(json.dumps(newer(json.loads(encode(event)))).encode()) == event


@given(ANY_EVENT, NOT_FINITE, st.data())
def test_a_number_that_is_not_finite_never_gets_on_the_wire(event: Event, bad: float, data: st.DataObject) -> None:
    plain = msgspec.to_builtins(event.data)
    numbers = [path for path, value in leaves(plain) if isinstance(value, float)]
    assume(numbers)
    try:
        broken = msgspec.convert(replaced(plain, data.draw(st.sampled_from(numbers)), bad), type(event.data))
    except msgspec.ValidationError:
        return  # infinity is beyond the field's bounds
    with pytest.raises(MessageError):
        encode(msgspec.structs.replace(event, data=broken))


def test_a_bound_that_the_vehicle_broke_is_found_before_sending() -> None:
    position = Position(lon=7.0, lat=51.0, error_m=-1.0, method="gnss")
    event = Event(id="1", source="wegewart/bus-1", data=_observation(position=position))
    with pytest.raises(MessageError, match=r"invalid.*error_m"):
        encode(event)


def test_a_heading_that_is_nan_is_not_taken_for_unknown() -> None:
    event = Event(id="1", source="wegewart/bus-1", data=_observation(heading_deg=math.nan))
    with pytest.raises(MessageError, match="not_finite"):
        encode(event)


def _observation(**fields: object) -> Observation:
    return Observation(
        defect_class="pothole",
        score=0.9,
        frames_seen=3,
        time=TIME,
        model=ModelRef(name="street", version="1", sha256="0" * 64),
        software="0.1.0",
        calibration="c",
        **fields,
    )


def test_too_large_an_event_is_neither_sent_nor_read() -> None:
    health = Health(time=TIME, counters={}, faults=("ä" * 500,) * 50)
    large = Event(id="1", source="wegewart/bus-1", data=health)
    fits = Event(id="1", source="wegewart/bus-1", data=msgspec.structs.replace(health, faults=("a" * 500,) * 50))
    assert decode(encode(fits)) == fits
    refused(b" " * envelope.MAX_EVENT_BYTES + json.dumps(status()).encode(), "too_large")
    path = tuple((7.0 + i / 3e6, 51.0 + i / 7e6) for i in range(1000))
    longest = Coverage(path=path, length_m=1.0, frames_judged=1, valid=True, time=TIME)
    encode(msgspec.structs.replace(large, data=longest))
    many = Ack(events=tuple(f"boot-{i:08d}" * 5 for i in range(1000)))
    with pytest.raises(MessageError, match="too_large"):
        encode(msgspec.structs.replace(large, data=many))


def test_a_kilometre_of_road_with_a_hundred_blows_fits_into_one_roughness() -> None:
    place = Position(lon=6.762345678, lat=51.434456789, error_m=1.2345, method="gnss", quality="rtk_fixed")
    line = LinePosition(line="U79", chainage_m=3412.125, error_m=4.5, track="1")
    path = tuple((6.762345678 + step / 3e6, 51.434456789) for step in range(4))
    section = RoughSection(path=path, length_m=10.0625, speed_mps=13.890625, rms_mps2=1.734375)
    shock = Shock(
        peak_mps2=12.5, speed_mps=13.890625, monotonic_s=12345.625, position=place, line=line, observation="b" * 40
    )
    full = Roughness(
        rule="rms-10m", reference_speed_mps=13.9, time=TIME, sections=(section,) * 100, shocks=(shock,) * 100
    )
    event = Event(id="1", source="wegewart/bus-1", data=full)
    assert decode(encode(event)) == event


@pytest.mark.parametrize("clock", [-0.5, 12.0, 90.0])
def test_a_place_that_no_clock_face_has_is_refused(clock: float) -> None:
    lining = LiningPlace(clock=clock, height_m=3.1, side="right")
    with pytest.raises(MessageError, match=r"invalid.*clock"):
        encode(Event(id="1", source="wegewart/bus-1", data=_observation(lining=lining)))


@pytest.mark.parametrize("number", [0, -1, 1_000_001])
def test_a_revision_without_a_place_in_the_order_is_refused(number: int) -> None:
    revision = Revision(observation="b1-00000001", number=number, reason="known_point", time=TIME)
    with pytest.raises(MessageError, match=r"invalid.*number"):
        encode(Event(id="1", source="wegewart/bus-1", data=revision))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_json_does_not_know_are_refused(number: str) -> None:
    health = Health(time=TIME, counters={}, gauges={"temperature_c": 0.125})
    payload = encode(Event(id="1", source="wegewart/bus-1", data=health)).replace(b"0.125", number.encode())
    with pytest.raises(MessageError):
        decode(payload)


def test_each_kind_of_refusal_has_its_own_name_to_count_by() -> None:
    good = status()
    refused(b"{", "not_json")
    refused(b'{"deep":' + b"[" * 60_000, "not_json")
    refused(b'{"specversion":"1.0","id":"\xff"}', "not_json")
    refused(good | {"specversion": "0.3"}, "wrong_version")
    refused(good | {"type": "wegewart.later.v1"}, "unknown_type")
    refused(good | {"id": ""}, "invalid")
    refused(good | {"time": "2026-01-01T00:00:00+01:00"}, "invalid")
    refused(good | {"data": good["data"] | {"session": -1}}, "invalid")


@pytest.mark.parametrize(
    "utc", ["2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "٢026-01-01T00:00:00Z", "2026-01-01T00:00:00Z\n"]
)
def test_a_time_that_is_none_is_refused(utc: str) -> None:
    refused(status() | {"time": utc}, "invalid")


def test_a_strangers_text_never_makes_a_refusal_too_long_to_send_back() -> None:
    good = status()
    error = refused(good | {"data": good["data"] | {"state": "x\n" * 20_000}}, "invalid")
    refusal = Ack(refused=(Refusal(id="1", reason=str(error)),))
    encode(Event(id="1", source="wegewart/bus-1", data=refusal))


def test_event_ids_sort_in_the_order_of_confirmation() -> None:
    ids = [event_id("b", counter) for counter in (1, 9, 10, 99_999_999)]
    assert ids == sorted(ids)
