# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Large pictures on a bad link and a small budget: after the facts, and after a cut only the rest."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.delivery.budget import BudgetLimits
from edge.delivery.link import Lost
from messages.chunks import CHUNK_BYTES, chunk_count, chunk_of
from messages.topics import parse
from messages.types import Ack, Part, Refusal, Time
from tests.delivery.samples import VEHICLE
from tests.delivery.test_courier import MemoryLink, World
from tests.delivery.test_outbox import confirm, keys, sha

PICTURE = random.Random(5).randbytes(10 * CHUNK_BYTES + 77)
COUNT = chunk_count(len(PICTURE))
SHA = sha(PICTURE)
LATE = Time(boot="b", monotonic_s=1.0, quality="gnss", utc="2026-11-22T23:30:00Z")


class Store:
    """The depot's side of chunks, over any number of connections."""

    def __init__(self) -> None:
        self.have: dict[str, dict[int, bytes]] = {}
        self.arrived: Counter[tuple[str, int]] = Counter()
        self.questions = 0

    def take(self, link: MemoryLink, upto: int | None = None) -> None:
        """Take in what was published since the last time (only `upto` of it arrive), and answer."""
        new = link.published[link.looked_at :][:upto]
        link.looked_at = len(link.published)
        for name, payload, _ in new:
            topic = parse(f"wegewart/v1/{VEHICLE}/{name}")
            if topic is None or topic.kind != "chunk" or topic.sha256 is None:
                continue
            assert topic.size is not None
            assert topic.number is not None
            have = self.have.setdefault(topic.sha256, {})
            self.questions += not payload
            if payload:
                self.arrived[topic.sha256, topic.number] += 1
                have[topic.number] = payload
            if len(have) == chunk_count(topic.size):
                link.answer(Ack(pictures=(topic.sha256,)))
            else:
                link.answer(Ack(parts=(Part(sha256=topic.sha256, bytes=topic.size, have=tuple(sorted(have))),)))

    def picture(self, sha256: str) -> bytes:
        return b"".join(content for _, content in sorted(self.have[sha256].items()))


@pytest.fixture
def world(fast_path: Path) -> Iterator[World]:
    made = World(fast_path)
    yield made
    made.close()


def chunks_on(link: MemoryLink) -> list[str]:
    return [topic for topic, payload, _ in link.published if topic.startswith("chunk/") and payload]


def go_on(world: World, store: Store, rounds: int = 1) -> None:
    for _ in range(rounds):
        store.take(world.link)
        world.link.take_all()
        world.steps()


def test_a_large_picture_arrives_whole_and_each_chunk_once(world: World) -> None:
    """Red when `told` or `done` forgets the keys that it answers; when the question is left out."""
    confirm(world.outbox, PICTURE)
    world.go_online()
    store = Store()
    go_on(world, store, 10)
    assert store.picture(SHA) == PICTURE
    assert store.questions == 1
    assert set(store.arrived.values()) == {1}
    assert world.outbox.counts().pictures_acknowledged == 1
    assert not any("/" in key for key in world.courier.sender.window.open), "the window is free for the next"


def test_after_a_cut_only_the_rest_goes(world: World) -> None:
    """Red when `begin` of a connection takes all chunks for missing: SIM cards pay for every cut."""
    confirm(world.outbox, PICTURE)
    store = Store()
    for _ in range(3):
        world.go_online()
        go_on(world, store, 2)
        world.link.events.append(Lost("tunnel"))
        world.steps(1)
    world.go_online()
    go_on(world, store, 10)
    assert store.picture(SHA) == PICTURE
    assert sum(store.arrived.values()) <= COUNT + 3 * 4, "at most the window was under way at each cut"


def test_after_a_restart_of_the_vehicle_only_the_rest_goes(fast_path: Path) -> None:
    """Red when what the depot has is known from memory only."""
    world, store = World(fast_path), Store()
    confirm(world.outbox, PICTURE)
    world.go_online()
    go_on(world, store, 2)
    half = sum(store.arrived.values())
    assert 0 < half < COUNT
    world.close()
    world = World(fast_path)
    world.go_online()
    go_on(world, store, 10)
    assert store.picture(SHA) == PICTURE
    assert sum(store.arrived.values()) == COUNT
    world.close()


def test_a_depot_that_dropped_its_chunks_gets_them_again(world: World) -> None:
    """Red when what was answered once counts for ever on a connection."""
    confirm(world.outbox, PICTURE)
    world.go_online()
    store = Store()
    go_on(world, store, 2)
    store.have.clear()
    go_on(world, store, 10)
    assert store.picture(SHA) == PICTURE


def test_facts_overtake_a_picture_that_is_under_way(world: World) -> None:
    """Red when chunks may fill the window, or are chosen before records."""
    confirm(world.outbox, PICTURE)
    world.go_online()
    store = Store()
    go_on(world, store, 2)
    before = len(chunks_on(world.link))
    fact = confirm(world.outbox)
    world.steps(1)
    assert fact in world.link.sent()
    assert len(chunks_on(world.link)) - before <= 4


def test_a_picture_that_the_depot_refuses_is_not_sent_on(world: World) -> None:
    """Red without `transfers.done` for refusals."""
    confirm(world.outbox, PICTURE)
    world.go_online()
    store = Store()
    go_on(world, store, 2)
    world.link.answer(Ack(refused=(Refusal(id=SHA, reason="wrong_hash: x"),)))
    world.steps()
    before = len(chunks_on(world.link))
    go_on(world, store, 3)
    assert len(chunks_on(world.link)) == before
    assert world.outbox.counts().pictures_refused == 1


def test_a_depot_that_never_says_that_it_is_whole_is_not_flooded(world: World) -> None:
    """Red when a picture without missing chunks is asked about again at once."""
    confirm(world.outbox, PICTURE)
    link = world.go_online()
    for _ in range(20):
        link.answer(Ack(parts=(Part(sha256=SHA, bytes=len(PICTURE), have=tuple(range(COUNT))),)))
        link.take_all()
        world.steps()
    assert len(link.published) <= 3, "birth, the fact and one question"


def test_a_depot_that_speaks_of_another_size_is_not_believed(world: World) -> None:
    """Red when the chunks are counted by the size that the depot names."""
    confirm(world.outbox, PICTURE)
    link = world.go_online()
    link.answer(Ack(parts=(Part(sha256=SHA, bytes=2_000_000),)))
    world.steps()
    assert chunks_on(link) == []
    world.go_online()
    store = Store()
    go_on(world, store, 10)
    assert store.picture(SHA) == PICTURE


def test_a_picture_damaged_on_the_disk_is_counted_and_holds_nothing_up(world: World) -> None:
    """Red when `payload` does not look at what `read` says."""
    confirm(world.outbox, PICTURE)
    small = confirm(world.outbox, b"small")
    folder = world.outbox.path.with_name(world.outbox.path.name + ".pictures")
    for file in folder.rglob("*"):
        if file.is_file() and file.read_bytes() == PICTURE:
            file.write_bytes(b"rotten")
    world.go_online()
    store = Store()
    go_on(world, store, 5)
    assert {small, sha(b"small")} <= set(world.link.sent())
    assert world.outbox.counts().pictures_lost == 1


def test_outside_the_days_budget_only_facts_go_and_health_says_so(fast_path: Path) -> None:
    """Red without `budget.allows` in `Sender.records`."""
    world = World(fast_path, BudgetLimits(bytes_per_day=150_000))
    confirm(world.outbox, PICTURE)
    world.go_online()
    store = Store()
    go_on(world, store, 10)
    sent = len(chunks_on(world.link))
    assert sent * CHUNK_BYTES < 150_000
    fact = confirm(world.outbox)
    go_on(world, store, 3)
    assert fact in world.link.sent()
    assert len(chunks_on(world.link)) == sent
    assert "used up" in (world.means.budget.fault() or "")
    world.means.budget.limits = BudgetLimits()
    go_on(world, store, 10)
    assert store.picture(SHA) == PICTURE
    world.close()


def test_the_days_budget_holds_over_a_restart_and_ends_with_the_trusted_day(fast_path: Path) -> None:
    """Red without the file, and without `budget.now` in `Sender.records`."""
    store = Store()
    for _ in range(5):
        world = World(fast_path, BudgetLimits(bytes_per_day=150_000))
        world.means.utc.note(LATE)
        if not keys(world.outbox):
            confirm(world.outbox, PICTURE)
        world.go_online()
        go_on(world, store, 5)
        world.close()
    first_day = sum(store.arrived.values())
    assert 0 < first_day <= 150_000 // CHUNK_BYTES
    world = World(fast_path, BudgetLimits(bytes_per_day=150_000))
    world.means.utc.note(LATE)
    world.now_s += 3600.0  # past midnight
    world.go_online()
    go_on(world, store, 10)
    assert first_day < sum(store.arrived.values()) <= 2 * (150_000 // CHUNK_BYTES) + 1, "the last one is short"
    world.close()


def test_bytes_a_second_are_kept_to(fast_path: Path) -> None:
    """Red without the balance in `allows`."""
    world = World(fast_path, BudgetLimits(bytes_per_s=10_000.0))
    confirm(world.outbox, PICTURE)
    world.go_online()
    begin_s, store = world.now_s, Store()
    while SHA in keys(world.outbox) and world.now_s < begin_s + 1000:
        world.now_s += 1.0
        go_on(world, store)
    assert store.picture(SHA) == PICTURE
    assert 0.85 * len(PICTURE) / 10_000 <= world.now_s - begin_s <= 1.3 * len(PICTURE) / 10_000
    world.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["take", "some", "cut", "late", "fact", "picture"]), st.integers(0, 8))))
def test_whatever_the_link_does_every_picture_arrives_whole(
    tmp_path_factory: pytest.TempPathFactory, script: list[tuple[str, int]]
) -> None:
    world, store = World(tmp_path_factory.mktemp("w")), Store()
    pictures = {sha(PICTURE): PICTURE}
    confirm(world.outbox, PICTURE)
    world.go_online()
    for what, number in script:
        if what == "take":
            go_on(world, store)
        elif what == "some":
            store.take(world.link, number)
            world.link.take_all()
        elif what == "cut":
            world.go_online(session_present=number % 2 == 0)
        elif what == "late":
            world.now_s += 40.0
        elif what == "fact":
            confirm(world.outbox)
        else:
            picture = chunk_of(PICTURE, 0) + bytes([number]) * 9
            pictures[sha(picture)] = picture
            confirm(world.outbox, picture)
        world.steps(1)
    facts = [key for key in keys(world.outbox) if len(key) != 64]
    for _ in range(60):
        if not keys(world.outbox):
            break
        world.now_s += 7200.0
        world.steps(2)
        if world.states[-1].name != "online":
            world.go_online()
        for _ in range(6):
            world.link.answer(Ack(events=tuple(facts)))
            go_on(world, store)
    assert keys(world.outbox) == []
    for name, picture in pictures.items():
        assert store.picture(name) == picture
    world.close()
