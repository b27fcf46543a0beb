# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The courier against a link that exists only in memory: every moment can be chosen."""

from __future__ import annotations

import itertools
import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.delivery.budget import BudgetLimits
from edge.delivery.commands import Order
from edge.delivery.courier import Courier
from edge.delivery.database import KINDS
from edge.delivery.herald import Birth
from edge.delivery.link import Connected, LinkEvent, Lost, Received, Refused, Taken, Waker
from edge.delivery.means import means_of
from edge.delivery.outbox import Outbox
from edge.delivery.port import LinkState
from edge.delivery.settings import BrokerSettings
from edge.errors import BrokerError, StoreError
from messages.envelope import Event, decode, encode, source_of
from messages.types import Ack, Command, Health, Refusal, Reply, Status, Time
from tests.delivery.conftest import FAST
from tests.delivery.samples import VEHICLE
from tests.delivery.test_outbox import confirm, confirm_record, keys, sha


@dataclass
class MemoryLink:
    """One connection; a test puts events in and looks at what was published (`looked_at`: how much of it already)."""

    world: World
    events: deque[LinkEvent] = field(default_factory=deque)
    published: list[tuple[str, bytes, bool]] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)
    closed: bool | None = None
    will: bytes = b""
    looked_at: int = 0

    def open(self, will_topic: str, will: bytes) -> None:
        if self.world.unreachable:
            raise BrokerError("broker: nobody there")
        self.will = will
        self.world.links.append(self)

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> int:
        self.published.append((topic.split("/", 3)[3], payload, retain))
        return len(self.published)

    def subscribe(self, topics: list[str]) -> None:
        assert not self.published, "an acknowledgement could be missed"
        self.subscribed += topics

    def turn(self, timeout_s: float) -> list[LinkEvent]:
        events = list(self.events)
        self.events.clear()
        return events

    def close(self, *, goodbye: bool) -> None:
        self.closed = goodbye

    def command(self, identity: str, **what: str) -> None:
        event = Event(id=identity, source=source_of("depot"), data=Command(**what))  # type: ignore[arg-type]
        self.events.append(Received(f"wegewart/v1/{VEHICLE}/command", encode(event), 60))

    def replies(self) -> list[Reply]:
        found = [decode(payload).data for topic, payload, _ in self.published if topic == "reply"]
        assert all(isinstance(reply, Reply) for reply in found)
        return found  # type: ignore[return-value]

    def sent(self) -> list[str]:
        """Events and pictures, by id or hash."""
        keys = []
        for topic, payload, _ in self.published:
            if topic in KINDS:
                keys.append(decode(payload).id)
            elif topic.startswith("picture/"):
                assert sha(payload) == topic[8:]
                keys.append(topic[8:])
        return keys

    def take_all(self) -> None:
        """PUBACK for everything."""
        self.events.extend(Taken(number + 1) for number in range(len(self.published)))

    def answer(self, data: object, topic: str = "ack") -> None:
        event = Event(id="a", source=source_of("depot"), data=data)
        self.events.append(Received(f"wegewart/v1/{VEHICLE}/{topic}", encode(event)))


class World:
    """Time, outbox, courier and every connection it made."""

    def __init__(self, folder: Path, budget: BudgetLimits | None = None) -> None:
        self.now_s = 1000.0
        self.unreachable = False
        self.links: list[MemoryLink] = []
        self.states: list[LinkState] = []
        self.waker = Waker()
        self.outbox = Outbox(folder / "outbox.db", monotonic=lambda: self.now_s)
        self.means = means_of(
            self.outbox,
            BrokerSettings("broker", VEHICLE, budget=budget or BudgetLimits()),
            Birth("0.1.0", calibration="cam-1"),
            lambda: self.now_s,
        )
        self.counters = self.means.counters
        self.courier = Courier(
            self.means, make_link=lambda: MemoryLink(self), waker=self.waker, on_state=self.states.append
        )
        self.waker.wait = lambda timeout_s: None  # type: ignore[method-assign]

    @property
    def link(self) -> MemoryLink:
        return self.links[-1]

    def steps(self, many: int = 3) -> None:
        for _ in range(many):
            self.courier.step()

    def go_online(self, *, session_present: bool = False, **limits: int) -> MemoryLink:
        """Begin a connection (after losing the present one) and have the broker let us in."""
        if self.courier._online:
            self.link.events.append(Lost("gone"))
            self.steps(1)
        while self.courier._link is None:
            self.now_s += 60.0
            self.steps(1)
        self.link.events.append(Connected(session_present, **limits))
        self.steps()
        return self.link

    def close(self) -> None:
        self.outbox.close()
        self.waker.close()


@pytest.fixture
def world(fast_path: Path) -> Iterator[World]:
    made = World(fast_path)
    yield made
    made.close()


def test_facts_are_sent_first_and_only_the_depot_takes_them_out(world: World) -> None:
    """Red when `_be_taken` calls `acknowledge`."""
    first, second = confirm(world.outbox, b"picture"), confirm(world.outbox)
    link = world.go_online()
    assert link.sent() == [first, second, sha(b"picture")]
    link.take_all()
    world.steps()
    assert keys(world.outbox) == [first, second, sha(b"picture")]
    link.answer(Ack(events=(first, second), pictures=(sha(b"picture"),)))
    world.steps()
    assert keys(world.outbox) == []
    assert world.outbox.counts().acknowledged == 2


def test_a_revision_has_its_own_topic_and_goes_when_the_depot_has_it(world: World) -> None:
    """Red when the uplink calls everything that is no observation a coverage."""
    rough, looked_at, moved, seen = (confirm_record(world.outbox, number) for number in range(4))
    link = world.go_online()
    sent = [(topic, decode(payload).id, retain) for topic, payload, retain in link.published[1:]]
    assert sent == [
        ("observation", seen, False),
        ("revision", moved, False),
        ("coverage", looked_at, False),
        ("roughness", rough, False),
    ]
    link.take_all()
    world.steps()
    assert moved in keys(world.outbox), "the broker's word is not enough"
    link.answer(Ack(events=(moved, rough)))
    world.steps()
    assert keys(world.outbox) == [seen, looked_at]


def test_a_puback_that_comes_after_the_acknowledgement_is_not_counted_twice(world: World) -> None:
    """Red when `mark_sent` does not ask whether the event still waits: more published than confirmed."""
    identity = confirm(world.outbox)
    link = world.go_online()
    link.answer(Ack(events=(identity,)))
    world.steps()
    link.take_all()
    world.steps()
    assert world.outbox.counts().published == 1


def test_the_birth_is_retained_and_the_will_of_the_same_session_says_offline(world: World) -> None:
    """Red with a session number that does not rise with each connection."""
    sessions = []
    for _ in range(2):
        link = world.go_online()
        will, (topic, birth, retain) = decode(link.will).data, link.published[0]
        assert isinstance(will, Status)
        status = decode(birth).data
        assert isinstance(status, Status)
        assert (topic, retain, status.state, will.state) == ("status", True, "online", "offline")
        assert status.session == will.session
        assert status.calibration == "cam-1"
        sessions.append(status.session)
        link.events.append(Lost("gone"))
        world.steps(1)
    assert sessions[0] < sessions[1]
    world.outbox.close()
    again = Outbox(world.outbox.path)
    assert again.start << 20 > sessions[1], "and with each start"
    again.close()


def test_a_link_that_breaks_is_replaced_and_the_rest_sent_again(world: World) -> None:
    """Red without `_window.lost` in `_drop_link`: what was under way would never be sent again."""
    identity = confirm(world.outbox)
    world.go_online().events.append(Lost("Keep alive timeout"))
    world.steps(1)
    assert world.states[-1].name == "unreachable"
    assert "Keep alive timeout" in world.states[-1].reason
    assert world.links[0].closed is False, "no goodbye: the will may go out"
    assert world.go_online(session_present=True).sent() == [identity]


def test_what_the_broker_lost_after_its_puback_is_sent_again(world: World) -> None:
    """Red without `session_present` handed to the window."""
    identity = confirm(world.outbox)
    link = world.go_online()
    link.take_all()
    world.steps()
    link.events.append(Lost("killed"))
    world.steps(1)
    assert world.go_online(session_present=False).sent() == [identity]


def test_a_depot_that_does_not_answer_leads_to_a_new_connection_and_a_second_sending(world: World) -> None:
    """Red without `_notice_silence`."""
    identity = confirm(world.outbox)
    link = world.go_online()
    link.take_all()
    world.steps()
    world.now_s += 61.0
    world.steps(1)
    assert link.closed is False
    assert world.counters["delivery_silences_depot"] == 1
    assert world.go_online(session_present=True).sent() == [identity]


def test_a_broker_that_accepts_but_never_answers_is_given_up(world: World) -> None:
    """Red without the `not self._online` part of `_notice_silence` (a half-open link would hang for ever)."""
    world.now_s += 60.0
    world.steps(2)
    world.now_s += 31.0
    world.steps(1)
    assert world.links[0].closed is False
    assert "does not answer" in world.states[-1].reason


def test_a_refused_login_is_said_clearly_and_tried_again(world: World) -> None:
    """Red when `Refused` ends the courier, or is not told from a lost link."""
    world.now_s += 60.0
    world.steps(1)
    world.link.events.extend([Refused("Not authorized"), Lost("Not authorized")])
    world.steps(1)
    assert world.states[-1].name == "refused"
    assert "Not authorized" in world.states[-1].reason
    assert "check user name, password, certificate and rights" in world.states[-1].reason
    world.go_online()
    assert world.states[-1].name == "online"


def test_attempts_are_spaced_by_the_back_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red without `_retry_later` after a failed attempt: a dead broker would be hammered."""
    monkeypatch.setattr("edge.delivery.courier.backoff_s", lambda attempt: 10.0 * attempt)
    world.unreachable = True
    attempts = []
    for _ in range(200):
        before = world.means.herald._connections
        world.steps(1)
        if world.means.herald._connections > before:
            attempts.append(world.now_s)
        world.now_s += 1.0
    assert [later - earlier for earlier, later in itertools.pairwise(attempts)] == [10, 20, 30, 40, 50]


def test_a_refused_event_is_not_sent_again(world: World) -> None:
    """Red without the loop over `ack.refused`."""
    identity = confirm(world.outbox, b"picture")
    world.go_online().answer(Ack(refused=(Refusal(id=identity, reason="invalid: no"),)))
    world.steps()
    assert world.outbox.counts().refused == 1
    world.link.events.append(Lost("gone"))
    world.steps(1)
    assert world.go_online().sent() == []


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("ack", b""),
        ("ack", b"\xff\xfe"),
        ("ack", b"{" * 5000),
        ("ack", b'{"specversion":"1.0","id":"a","source":"x","type":"wegewart.ack.v1","data":{"events":[7]}}'),
        ("ack", encode(Event(id="a", source="x", data=Command(action="restart")))),
        ("command", encode(Event(id="a", source="x", data=Ack()))),
        ("command", b'{"specversion":"1.0","id":"a","source":"x","type":"wegewart.command.v1","data":{"action":"rm"}}'),
        ("observation", encode(Event(id="a", source="x", data=Ack()))),
    ],
)
def test_a_malformed_answer_is_counted_and_changes_nothing(world: World, topic: str, payload: bytes) -> None:
    """Red without `except MessageError`, or without `case _` in `_receive`."""
    identity = confirm(world.outbox)
    link = world.go_online()
    link.events.append(Received(f"wegewart/v1/{VEHICLE}/{topic}", payload))
    world.steps()
    assert world.counters["delivery_bad_messages"] == 1
    assert keys(world.outbox) == [identity]
    assert world.states[-1].name == "online"


def test_an_acknowledgement_for_another_vehicle_is_not_ours(world: World) -> None:
    """Red when `_receive` does not compare the vehicle."""
    identity = confirm(world.outbox)
    ack = encode(Event(id="a", source="x", data=Ack(events=(identity,))))
    world.go_online().events.append(Received("wegewart/v1/other/ack", ack))
    world.steps()
    assert keys(world.outbox) == [identity]


def test_acknowledgements_of_unknown_ids_are_counted(world: World) -> None:
    """Red without `_counters` in `_be_answered`."""
    world.go_online().answer(Ack(events=("00099-x-00000001",), pictures=("0" * 64,)))
    world.steps()
    assert world.counters["delivery_unknown_acks"] == 2


def test_commands_go_to_the_daemon_and_a_picture_is_sent_again_at_once(world: World) -> None:
    """Red without `resend_picture` in `_be_commanded`, or when restart is not handed on."""
    identity = confirm(world.outbox, b"picture")
    link = world.go_online()
    link.answer(Ack(events=(identity,), pictures=(sha(b"picture"),)))
    world.steps()
    link.command("c-1", action="send_picture", sha256=sha(b"picture"))
    link.command("c-2", action="send_picture", sha256="0" * 64)
    link.command("c-3", action="restart")
    world.steps()
    assert link.sent().count(sha(b"picture")) == 2
    assert world.counters["delivery_pictures_not_here"] == 1
    assert world.means.desk.take() == [Order("c-3", Command(action="restart"))]
    assert [(reply.command, reply.ok) for reply in link.replies()] == [("c-1", True), ("c-2", False)]


def test_a_reply_that_a_broken_link_carried_is_sent_again(world: World) -> None:
    """Red without `put_back` in `Sender.end`; red without the PUBACK taking it out: it would come for ever."""
    link = world.go_online()
    link.command("c-1", action="restart")
    world.steps()
    world.means.desk.reply("c-1", ok=True, text="now")
    world.steps()
    assert [reply.text for reply in link.replies()] == ["now"]
    link = world.go_online()
    assert [reply.text for reply in link.replies()] == ["now"]
    link.take_all()
    world.steps()
    assert world.go_online().replies() == []


def test_a_picture_that_the_broker_does_not_allow_blocks_nothing(world: World) -> None:
    """Red without `_maximum_packet`: the broker would cut the link again and again."""
    confirm(world.outbox, b"x" * 5000)
    small = confirm(world.outbox, b"small")
    link = world.go_online(maximum_packet=4000)
    assert sha(b"x" * 5000) not in link.sent()
    assert {small, sha(b"small")} <= set(link.sent())
    assert world.courier.sender.too_large == {sha(b"x" * 5000)}


def test_a_publish_that_the_broker_refuses_is_a_fault_and_not_published(world: World) -> None:
    """Red when `Taken.error` is not looked at."""
    confirm(world.outbox)
    link = world.go_online()
    link.events.append(Taken(2, "Not authorized"))
    world.steps()
    assert world.outbox.counts().published == 0
    assert "Not authorized" in (world.courier.sender.publish_fault or "")


def test_health_is_sent_while_online_and_never_kept_for_later(world: World) -> None:
    """Red without `self.health = None` in `_connect_or_wait`."""
    health = Health(time=Time(boot="b", monotonic_s=1.0, quality="unset"), counters={"frames": 1})
    world.courier.health = health
    link = world.go_online()
    assert [topic for topic, _, _ in link.published] == ["status"]
    world.courier.health = health
    world.steps()
    assert [topic for topic, _, _ in link.published] == ["status", "health"]


def test_a_health_message_that_is_too_large_harms_nobody(world: World) -> None:
    """Red without `except MessageError` in `_send_health`: it would end the uplink."""
    link = world.go_online()
    world.courier.health = Health(
        time=Time(boot="b", monotonic_s=1.0, quality="unset"), counters={f"counter {n}": n for n in range(9999)}
    )
    world.steps()
    assert world.counters["delivery_health_refused"] == 1
    assert [topic for topic, _, _ in link.published] == ["status"]


def test_somebody_who_waits_for_the_drain_does_not_wait_for_the_back_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red without `hurry` in `step`."""
    monkeypatch.setattr("edge.delivery.courier.backoff_s", lambda attempt: 60.0)
    world.unreachable = True
    world.steps(2)
    world.unreachable = False
    begin_s = world.now_s
    while not world.links and world.now_s < begin_s + 100:
        world.now_s += 0.5
        world.courier.step(hurry=True)
    assert world.now_s - begin_s <= 2.0


def test_a_store_that_cannot_write_the_answer_down_is_reported_and_the_event_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red without `except StoreError` in `step`: a full disk would end the uplink."""
    identity = confirm(world.outbox)
    link = world.go_online()

    def full(*_: object) -> None:
        raise StoreError("outbox: disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(world.outbox, "acknowledge", full)
        link.answer(Ack(events=(identity,)))
        world.steps(1)
        assert world.courier.store_fault == "outbox: disk is full"
    again = world.go_online(session_present=True)
    assert again.sent() == [identity]
    again.answer(Ack(events=(identity,)))
    world.steps()
    assert world.outbox.counts().acknowledged == 1
    assert world.courier.store_fault is None


def test_goodbye_says_stopped_and_keeps_the_will_back(world: World) -> None:
    """Red without `goodbye=` in `Courier.goodbye`."""
    link = world.go_online()
    link.events.append(Taken(3))
    world.courier.health = Health(time=Time(boot="b", monotonic_s=1.0, quality="unset"), counters={})
    world.courier.goodbye()
    assert [topic for topic, _, _ in link.published] == ["status", "health", "status"], "the last health, too"
    topic, payload, retain = link.published[-1]
    status = decode(payload).data
    assert isinstance(status, Status)
    assert (topic, status.state, retain, link.closed) == ("status", "stopped", True, True)


SCRIPT = st.lists(
    st.tuples(
        st.sampled_from(["confirm", "record", "picture", "take", "answer", "lose", "online", "late"]), st.integers(0, 9)
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(SCRIPT)
def test_whatever_the_link_does_everything_arrives(script: list[tuple[str, int]]) -> None:
    """Red without `_notice_silence` (what a broker lost stays lost), or with `acknowledge` on a PUBACK."""
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        world = World(Path(folder))
        stored: set[str] = set()
        confirmed: set[str] = set()

        def deliver(link: MemoryLink, upto: int | None = None) -> None:
            arrived = link.sent()[:upto]
            stored.update(arrived)
            events = tuple(key for key in arrived if len(key) != 64)
            link.answer(Ack(events=events, pictures=tuple(key for key in arrived if len(key) == 64)))

        for what, number in script:
            if what == "confirm":
                confirmed.add(confirm(world.outbox))
            elif what == "record":
                confirmed.add(confirm_record(world.outbox, number))
            elif what == "picture":
                confirmed |= {confirm(world.outbox, b"%d" % number), sha(b"%d" % number)}
            elif what == "online":
                world.go_online(session_present=number % 2 == 0)
            elif what == "late":
                world.now_s += 40.0
            elif world.links:
                if what == "take":
                    world.link.take_all()
                elif what == "answer":
                    deliver(world.link, number)
                else:
                    world.link.events.append(Lost("gone"))
            world.steps(1)
            assert confirmed - set(keys(world.outbox)) <= stored, "let go without the depot"
        for _ in range(30):
            if not keys(world.outbox):
                break
            world.now_s += 7200.0
            world.steps(2)
            if world.states and world.states[-1].name != "online":
                world.go_online(session_present=True)
            world.link.take_all()
            deliver(world.link)
            world.steps()
        assert stored >= confirmed
        assert keys(world.outbox) == []
        world.close()
