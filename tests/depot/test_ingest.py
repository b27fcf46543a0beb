# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Acknowledge only what is committed; answer what never can be; hold up, and lose nothing, while the store fails."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from depot.arrivals import Arrival
from depot.errors import StoreError
from depot.ingest import BATCH, Ingest, Reply, jitter, printable
from depot.intake import Accepted, Intake, Picture, Refused
from messages import envelope
from messages.types import Ack
from tests.depot import samples


class FakeStore:
    """Keeps batches in memory; `fails` makes that many saves fail first; `poison` is an id that it trips over."""

    def __init__(self, *, fails: int = 0, poison: str | None = None) -> None:
        self.fails = fails
        self.poison = poison
        self.saved: list[Intake] = []
        self.tried = threading.Semaphore(0)

    def save(self, batch: Sequence[Intake]) -> None:
        self.tried.release()
        if self.fails:
            self.fails -= 1
            raise StoreError("disk is full")
        if any(isinstance(item, Accepted) and item.event.id == self.poison for item in batch):
            raise ZeroDivisionError("a mistake of ours")
        self.saved += batch


class Outbox:
    """Collects replies and remembers what was committed when each came."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.replies: queue.Queue[tuple[Reply, int]] = queue.Queue()

    def __call__(self, reply: Reply) -> None:
        self.replies.put((reply, len(self.store.saved)))

    def next(self) -> Reply:
        return self.replies.get(timeout=10)[0]

    def acks(self, count: int) -> list[tuple[str, Ack]]:
        """Topic and content of acknowledgements, until `count` ids were answered."""
        got: list[tuple[str, Ack]] = []
        while sum(len(a.events) + len(a.pictures) + len(a.refused) for _, a in got) < count:
            for topic, payload in self.next().messages:
                data = envelope.decode(payload).data
                assert isinstance(data, Ack)
                got.append((topic, data))
        return got


@contextmanager
def ingesting(store: FakeStore) -> Iterator[tuple[Ingest, Outbox]]:
    ingest, outbox = Ingest(store), Outbox(store)  # type: ignore[arg-type]
    ingest.start(outbox)
    try:
        yield ingest, outbox
    finally:
        ingest.stop()


def observation(number: int, vehicle: str = samples.VEHICLE, token: object = None) -> Arrival:
    payload = samples.payload(samples.observation(), number, vehicle)
    return Arrival(samples.topic("observation", vehicle), payload, token)


def test_events_and_pictures_are_acknowledged_to_their_vehicle_after_the_commit():
    with ingesting(FakeStore()) as (ingest, outbox):
        content = samples.jpeg()
        ingest.put(observation(1, "v-1"))
        ingest.put(observation(2, "v-2"))
        ingest.put(Arrival(samples.picture_topic(content, "v-1"), content))
        acks = outbox.acks(3)
    by_topic: dict[str, set[str]] = {}
    for topic, ack in acks:
        by_topic.setdefault(topic, set()).update(ack.events, ack.pictures)
    assert by_topic == {
        "wegewart/v1/v-1/ack": {samples.event_id(1), samples.sha256(content)},
        "wegewart/v1/v-2/ack": {samples.event_id(2)},
    }


def test_without_a_commit_nothing_is_acknowledged_and_nothing_confirmed_to_the_broker():
    store = FakeStore(fails=10**9)
    with ingesting(store) as (ingest, outbox):
        ingest.put(observation(1, token="t"))
        assert store.tried.acquire(timeout=10)
        assert store.tried.acquire(timeout=10), "it is tried again"
        assert outbox.replies.empty()
    assert outbox.replies.empty(), "nor when it is stopped"


def test_a_store_that_recovers_gets_the_same_batch_and_only_then_is_it_acknowledged(caplog):
    store = FakeStore(fails=2)
    with ingesting(store) as (ingest, outbox), caplog.at_level(logging.WARNING):
        ingest.put(observation(1, token="t"))
        reply, committed = outbox.replies.get(timeout=20)
        assert committed == 1
        assert reply.tokens == ("t",)
    assert caplog.text.count("cannot store now") == 1


def test_what_comes_again_is_acknowledged_again():
    with ingesting(FakeStore()) as (ingest, outbox):
        for _ in range(3):
            ingest.put(observation(1))
        acks = outbox.acks(3)
    assert [event for _, ack in acks for event in ack.events] == [samples.event_id(1)] * 3


def test_a_status_or_health_is_stored_but_needs_no_answer():
    with ingesting(FakeStore()) as (ingest, outbox):
        ingest.put(Arrival(samples.topic("status"), samples.payload(samples.status()), "a"))
        ingest.put(Arrival(samples.topic("health"), samples.payload(samples.health()), "b"))
        tokens: list[object] = []
        while len(tokens) < 2:
            reply = outbox.next()
            assert reply.messages == ()
            tokens += reply.tokens
    assert len(outbox.store.saved) == 2


def test_revisions_and_roughness_are_acknowledged_as_all_that_a_vehicle_keeps():
    with ingesting(FakeStore()) as (ingest, outbox):
        ingest.put(Arrival(samples.topic("revision"), samples.payload(samples.revision(), 1)))
        ingest.put(Arrival(samples.topic("roughness"), samples.payload(samples.roughness(), 2)))
        acks = outbox.acks(2)
    assert {event for _, ack in acks for event in ack.events} == {samples.event_id(1), samples.event_id(2)}


def test_refusals_are_counted_answered_where_an_id_is_known_and_confirmed_to_the_broker():
    with ingesting(FakeStore()) as (ingest, outbox):
        ingest.put(Arrival(samples.topic("observation"), b"noise", 1))
        ingest.put(Arrival("somewhere/else", b"", 2))
        ingest.put(Arrival(samples.topic("observation"), samples.payload(samples.observation(), 9, "other"), 3))
        ((topic, ack),) = outbox.acks(1)
    assert topic == samples.topic("ack")
    assert [(refusal.id, refusal.reason.partition(":")[0]) for refusal in ack.refused] == [
        (samples.event_id(9), "wrong_vehicle")
    ]
    assert [item.reason for item in outbox.store.saved if isinstance(item, Refused)] == [
        "not_json", "unknown_topic", "wrong_vehicle",
    ]  # fmt: skip


def test_rubbish_without_end_is_told_in_few_lines(caplog):
    store = FakeStore(fails=1)  # until it works again, the rest gathers in one batch
    with ingesting(store) as (ingest, outbox), caplog.at_level(logging.WARNING):
        for number in range(BATCH):
            ingest.put(Arrival(samples.topic("observation", f"v-{number % 2}"), b"noise", number))
        tokens: list[object] = []
        while len(tokens) < BATCH:
            tokens += outbox.next().tokens
    told = [line for line in caplog.messages if line.startswith("refused from")]
    assert 2 <= len(told) <= 6
    assert "more: not_json" in told[-1]
    assert len(outbox.store.saved) == BATCH, "each is counted"


def test_one_event_that_the_store_trips_over_stops_no_other():
    store = FakeStore(poison=samples.event_id(2))
    with ingesting(store) as (ingest, outbox):
        for number in range(4):
            ingest.put(observation(number))
        acks = outbox.acks(4)
    assert {event for _, ack in acks for event in ack.events} == {samples.event_id(n) for n in (0, 1, 3)}
    assert [(r.id, r.reason.partition(":")[0]) for _, ack in acks for r in ack.refused] == [
        (samples.event_id(2), "rejected_by_store")
    ]


def test_a_full_queue_makes_the_network_wait_instead_of_growing():
    store = FakeStore(fails=10**9)
    ingest = Ingest(store)  # type: ignore[arg-type]
    ingest.start(lambda _reply: None)
    taken = threading.Semaphore(0)

    def feed() -> None:
        while ingest.put(observation(1)):
            taken.release()

    feeder = threading.Thread(target=feed)
    feeder.start()
    # The queue and the batch under way are filled, then nothing more is taken.
    for _ in range(2 * BATCH):
        assert taken.acquire(timeout=10)
    for _ in range(BATCH + 1):
        if not taken.acquire(timeout=1):
            break
    else:
        raise AssertionError("it takes without end")
    ingest.stop()
    feeder.join(10)
    assert not feeder.is_alive()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["wegewart/v1/v-1/observation", "wegewart/v1/v-1/status", "x", samples.picture_topic(b"")]),
            st.binary(max_size=50) | st.just(samples.payload(samples.observation(), 1, "v-1")),
        ),
        max_size=20,
    )
)
def test_whatever_comes_every_message_is_confirmed_once_and_the_thread_lives(messages):
    with ingesting(FakeStore()) as (ingest, outbox):
        for number, (topic, payload) in enumerate(messages):
            ingest.put(Arrival(topic, payload, number))
        tokens: list[object] = []
        while len(tokens) < len(messages):
            tokens += outbox.next().tokens
        assert tokens == list(range(len(messages)))
        assert ingest.alive


def test_an_acknowledgement_stays_small_however_many_long_refusals_it_carries():
    long_id = "\0" * 100
    with ingesting(FakeStore()) as (ingest, outbox):
        body = b'{"id": "' + b"\\u0000" * 100 + b'", "x": ' + b"[" * 3 + b"]" * 3 + b"}"
        for _ in range(2 * BATCH):
            ingest.put(Arrival(samples.topic("observation"), body))
        acks = outbox.acks(2 * BATCH)
    assert {refusal.id for _, ack in acks for refusal in ack.refused} == {long_id}


@given(st.integers(0, 100))
def test_waits_are_jittered_and_bounded(attempt):
    assert 0 <= jitter(attempt) <= 30


def test_what_strangers_send_stays_on_one_line_of_the_log():
    assert printable("a\nERROR faked\x1b[2J") == "a?ERROR faked?[2J"


def test_a_picture_is_stored_with_its_bytes():
    with ingesting(FakeStore()) as (ingest, outbox):
        ingest.put(Arrival(samples.picture_topic(samples.jpeg()), samples.jpeg()))
        outbox.acks(1)
    assert [item.content for item in outbox.store.saved if isinstance(item, Picture)] == [samples.jpeg()]
