# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures in chunks: put together, resumed, refused, and never more of them than the bounds allow."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from depot.arrivals import Arrival
from depot.ingest import Ingest
from depot.intake import Chunk, Picture, Refused, judge
from depot.store import parts
from depot.store.appending import IntakeDatabase
from depot.store.database import Database
from depot.store.ingest_tables import chunk, partial
from depot.store.pictures import PictureFolder
from depot.store.tables import pictures
from messages import envelope
from messages.chunks import CHUNK_BYTES, chunk_count, chunk_of
from messages.topics import Topic
from messages.types import Ack, Part
from tests.depot import samples

#: A real JPEG of several chunks: what a decoder does not read may stand after its end.
PICTURE = samples.jpeg() + random.Random(1).randbytes(3 * CHUNK_BYTES)
SHA = samples.sha256(PICTURE)
COUNT = chunk_count(len(PICTURE))


def arrival(number: int, content: bytes | None = None, *, picture: bytes = PICTURE, vehicle: str = "v-1") -> Arrival:
    topic = str(Topic(vehicle, "chunk", samples.sha256(picture), len(picture), number))
    return Arrival(topic, chunk_of(picture, number) if content is None else content)


QUESTION = arrival(0, b"")


class Depot:
    """Ingest and store without a network: one batch in, its acknowledgement out."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.pictures = PictureFolder(folder)
        self.store = IntakeDatabase(database, self.pictures)

    def tell(self, *arrivals: Arrival) -> Ack:
        """What all of them are answered, taken together."""
        ingest = Ingest(self.store)
        stored = ingest._put_together(ingest._store_all([judge(each.topic, each.payload) for each in arrivals]))
        acks = [envelope.decode(payload).data for _, payload in ingest._acks(stored)]
        assert all(isinstance(ack, Ack) for ack in acks)
        return Ack(
            pictures=tuple(each for ack in acks for each in ack.pictures),
            refused=tuple(each for ack in acks for each in ack.refused),
            parts=tuple(each for ack in acks for each in ack.parts),
        )

    def kept(self) -> int:
        """Bytes of chunks in the store."""
        with self.database.reading() as connection:
            return int(connection.scalar(select(func.coalesce(func.sum(func.length(chunk.c.content)), 0))) or 0)

    def picture(self) -> bytes | None:
        """The picture as it is shown: its row and its bytes."""
        with self.database.reading() as connection:
            known = connection.scalar(select(pictures.c.sha256))
        return None if known is None else self.pictures.read(SHA)


@pytest.fixture
def depot(database: Database, tmp_path: Path) -> Depot:
    return Depot(database, tmp_path / "pictures")


def part(*have: int) -> Part:
    return Part(sha256=SHA, bytes=len(PICTURE), have=have)


def test_every_chunk_is_answered_with_all_that_is_here_and_the_last_one_with_the_picture(depot: Depot) -> None:
    """Red when `_look_at` names only the chunk that came: nobody could go on after a cut."""
    assert depot.tell(QUESTION).parts == (part(),)
    assert depot.tell(arrival(2)).parts == (part(2),)
    assert depot.tell(arrival(0), arrival(0)).parts == (part(0, 2),)
    last = depot.tell(arrival(1), arrival(3))
    assert last == Ack(pictures=(SHA,))
    assert depot.picture() == PICTURE
    assert depot.kept() == 0, "the chunks have done their work"


def test_after_a_kill_of_the_depot_only_the_rest_is_asked_for(depot: Depot, tmp_path: Path) -> None:
    """Red when chunks are kept in memory; the store is opened anew without a goodbye."""
    depot.tell(arrival(0), arrival(3))
    opened = Database(depot.database.engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    again = Depot(opened, tmp_path / "pictures")
    assert again.tell(QUESTION).parts == (part(0, 3),)
    assert again.tell(arrival(1), arrival(2)).pictures == (SHA,)
    opened.close()


def test_a_kill_between_the_last_chunk_and_the_picture_is_made_good_by_the_next_question(depot: Depot) -> None:
    """Red when only a chunk, not a question, leads to a look at what is here."""
    depot.store.save([judge(each.topic, each.payload) for each in map(arrival, range(COUNT))])
    assert depot.tell(QUESTION).pictures == (SHA,)
    assert depot.picture() == PICTURE


def test_a_picture_that_is_here_is_never_asked_for_again(depot: Depot) -> None:
    """Red without the look into `pictures` in `look`: an acknowledgement that was lost would cost 2 MB."""
    depot.tell(*map(arrival, range(COUNT)))
    assert depot.tell(QUESTION).pictures == (SHA,)
    assert depot.tell(arrival(1)).pictures == (SHA,)


def test_a_picture_that_came_whole_meanwhile_drops_its_chunks(depot: Depot) -> None:
    """Red without `parts.drop` for a `Picture`."""
    depot.tell(arrival(0))
    depot.tell(Arrival(samples.picture_topic(PICTURE, "v-2"), PICTURE))
    assert depot.kept() == 0


def test_chunks_that_do_not_make_the_picture_are_refused_and_dropped(depot: Depot) -> None:
    """Red without the hash in `judge_picture`, or without `parts.drop` for a `Refused`."""
    forged = arrival(1, bytes(CHUNK_BYTES))
    (refusal,) = depot.tell(arrival(0), forged, arrival(1), arrival(2), arrival(3)).refused
    assert refusal.id == SHA
    assert refusal.reason.startswith("wrong_hash: ")
    assert depot.kept() == 0
    assert depot.picture() is None


def test_what_is_no_picture_is_refused(depot: Depot) -> None:
    """Red when `_look_at` stores without `judge_picture`."""
    rubbish = bytes(CHUNK_BYTES + 5)
    (refusal,) = depot.tell(arrival(0, picture=rubbish), arrival(1, picture=rubbish)).refused
    assert refusal.reason.startswith("not_a_jpeg: ")


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (Topic("v-1", "chunk", SHA, 2_000_001, 0), bytes(CHUNK_BYTES), "too_large"),
        (Topic("v-1", "chunk", SHA, len(PICTURE), COUNT), b"", "wrong_chunk"),
        (Topic("v-1", "chunk", SHA, len(PICTURE), 500), b"", "wrong_chunk"),
        (Topic("v-1", "chunk", SHA, len(PICTURE), 1), b"", "wrong_chunk"),
        (Topic("v-1", "chunk", SHA, len(PICTURE), 0), bytes(CHUNK_BYTES - 1), "wrong_chunk"),
        (Topic("v-1", "chunk", SHA, len(PICTURE), 0), bytes(CHUNK_BYTES + 1), "wrong_chunk"),
        (Topic("v-1", "chunk", SHA, len(PICTURE), COUNT - 1), bytes(CHUNK_BYTES), "wrong_chunk"),
    ],
)
def test_a_chunk_that_cannot_be_one_is_refused(topic: Topic, payload: bytes, reason: str) -> None:
    """Red without the checks in `_judge_chunk`: chunks could overlap, or be more than the picture."""
    judged = judge(str(topic), payload)
    assert isinstance(judged, Refused)
    assert (judged.reason, judged.id) == (reason, SHA)


def test_chunks_of_one_vehicle_cannot_spoil_the_picture_of_another(depot: Depot) -> None:
    """Red when the vehicle is no part of the key."""
    depot.tell(arrival(1, bytes(CHUNK_BYTES), vehicle="v-bad"))
    assert depot.tell(*map(arrival, range(COUNT))).pictures == (SHA,)


def test_a_vehicle_that_never_ends_a_picture_holds_no_more_than_its_share(depot: Depot) -> None:
    """Red without `_bound`. The one under way longest ago gives way; who asks again learns it."""
    pictures = [bytes([n]) * (CHUNK_BYTES + 1) for n in range(40)]
    for picture in pictures:
        depot.tell(arrival(0, picture=picture))
        assert depot.kept() <= parts.PER_VEHICLE * CHUNK_BYTES
    assert depot.tell(arrival(0, b"", picture=pictures[0])).parts[0].have == ()
    assert depot.tell(arrival(0, b"", picture=pictures[-1])).parts[0].have == (0,)


def test_all_vehicles_together_hold_no_more_than_the_whole_bound(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red without the second half of `_bound`."""
    monkeypatch.setattr(parts, "TOTAL_BYTES", 10 * len(PICTURE))
    for number in range(30):
        depot.tell(arrival(0, vehicle=f"v-{number}"))
    assert depot.kept() == 10 * CHUNK_BYTES
    assert depot.tell(arrival(0, b"", vehicle="v-29")).parts == (part(0),)


def test_a_vehicle_cannot_push_out_the_others_alone(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red when the whole bound is looked at before the vehicle's own."""
    monkeypatch.setattr(parts, "TOTAL_BYTES", (parts.PER_VEHICLE + 1) * len(PICTURE))
    depot.tell(arrival(0, vehicle="v-good"))
    for n in range(20):
        depot.tell(arrival(0, picture=PICTURE[:-1] + bytes([n]), vehicle="v-bad"))
    assert depot.tell(arrival(0, b"", vehicle="v-good")).parts == (part(0),)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, COUNT), st.sampled_from(["good", "forged", "question", "short"])), max_size=12)
)
def test_whatever_comes_the_disk_is_bounded_and_a_shown_picture_is_the_true_one(
    depot: Depot, steps: list[tuple[int, str]]
) -> None:
    _forget(depot)
    for number, how in steps:
        good = chunk_of(PICTURE, number)
        content = {"good": good, "forged": bytes(len(good)), "question": b"", "short": good[:-1]}[how]
        depot.tell(arrival(number, content))
        assert depot.kept() <= len(PICTURE)
    assert depot.picture() in (None, PICTURE)
    depot.tell(*map(arrival, range(COUNT)))
    if depot.picture() is None:  # something forged was there first: refused, and good now
        assert depot.tell(*map(arrival, range(COUNT))).pictures == (SHA,)


def _forget(depot: Depot) -> None:
    with depot.database.writing() as connection:
        connection.execute(delete(pictures))
        connection.execute(delete(partial))
    depot.pictures.remove(SHA)


def test_two_who_put_the_same_picture_together_at_once_both_acknowledge_it(depot: Depot) -> None:
    """Red when what is held and what it makes are read one after the other: the second one would see nothing."""
    depot.tell(*map(arrival, range(COUNT - 1)))
    last = judge(arrival(COUNT - 1).topic, arrival(COUNT - 1).payload)
    assert isinstance(last, Chunk)
    depot.store.save([last])
    first, second = depot.store.look(last), depot.store.look(last)
    assert first == second == PICTURE
    whole = judge(samples.picture_topic(PICTURE, "v-1"), PICTURE)
    assert isinstance(whole, Picture)
    for _ in range(2):
        depot.store.save([whole])
    assert depot.store.look(last) is None
    assert depot.tell(QUESTION).pictures == (SHA,)


def test_a_question_takes_no_room(depot: Depot) -> None:
    judged = judge(QUESTION.topic, QUESTION.payload)
    assert isinstance(judged, Chunk)
    for n in range(50):
        depot.tell(arrival(0, b"", picture=bytes([n]) * 50_000))
    with depot.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(partial)) == 0
