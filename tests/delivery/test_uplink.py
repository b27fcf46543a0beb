# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The uplink with real brokers: Mosquitto (MQTT 5 and 3.1.1) and rumqttd in iotcore's wheel."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.delivery import Birth, BrokerSettings, Outbox, Tls, Uplink, check_broker
from edge.delivery.link import PahoLink, Received, Refused, Waker
from edge.delivery.receiving import Receiver
from edge.delivery.uplink import STUCK_S
from edge.delivery.window import Limits
from edge.errors import BrokerError, ConfigError
from messages.types import Ack, Command, Health, Refusal, Time
from scripts._broker import available, broker
from tests.delivery.certificates import certificates
from tests.delivery.little_depot import LittleDepot
from tests.delivery.samples import MODEL, RECORDS, VEHICLE, coverage, observation
from tests.servers import Mosquitto, free_port, missing, mosquitto, need, wait_until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
QUICK = Limits(link_timeout_s=0.5, ack_timeout_s=1.0, slowest_bytes_per_s=1e9)
BIRTH = Birth("0.1.0", models=(MODEL,), calibration="cam-1")


@pytest.fixture(autouse=True)
def quick_reconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real back-off is tested without a network; here it only costs time."""
    monkeypatch.setattr("edge.delivery.courier.backoff_s", lambda attempt: 0.05)


@dataclass(frozen=True)
class Address:
    host: str
    port: int
    protocol: str


@pytest.fixture(params=["mosquitto 5", "mosquitto 3.1.1", "iotcore 5"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Address]:
    kind, protocol = request.param.split()
    if kind not in available():
        missing(f"broker {kind} is not installed")
    with broker(tmp_path / "broker", kind=kind) as (host, port, _, _):
        yield Address(host, port, protocol)


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as server:
        yield server


def settings_for(server: Address | Mosquitto, **changes: object) -> BrokerSettings:
    protocol = server.protocol if isinstance(server, Address) else "5"
    made = BrokerSettings(server.host, VEHICLE, server.port, protocol, will_delay_s=0, limits=QUICK)  # type: ignore[arg-type]
    return replace(made, **changes)  # type: ignore[arg-type]


@contextlib.contextmanager
def uplink_to(settings: BrokerSettings, folder: Path) -> Iterator[Uplink]:
    uplink = Uplink(Outbox(folder / "outbox.db"), settings, BIRTH)
    try:
        yield uplink
    finally:
        uplink.close()


def test_everything_arrives_and_the_store_knows_it(address: Address, tmp_path: Path) -> None:
    """Red without `_outbox.acknowledge` in `_be_answered`; with a picture's topic wrong; without the PUBACK freeing
    the window (30 events are more than its 20).
    """
    dice = random.Random(1)
    pictures = [dice.randbytes(size) for size in (1_990_000, 20_000, 300_000)]
    with LittleDepot(address.host, address.port) as depot, uplink_to(settings_for(address), tmp_path) as uplink:
        confirmed = [uplink.confirm(observation(uplink.boot, picture), picture) for picture in pictures]
        confirmed += [uplink.confirm(RECORDS[number % 4]) for number in range(30)]
        assert uplink.close(30.0)
        assert uplink.counts().confirmed == uplink.counts().published == uplink.counts().acknowledged == 33
        assert uplink.counts().pictures_acknowledged == 3
        assert sorted(depot.events) == confirmed
        assert set(depot.events.values()) == set(depot.pictures.values()) == {1}
        assert uplink.faults() == ()


def test_birth_and_goodbye_are_retained(address: Address, tmp_path: Path) -> None:
    """Red without `retain=True`: a depot that starts later would not know the vehicle."""
    with uplink_to(settings_for(address), tmp_path) as uplink:
        uplink.wait_online(10.0)
        with LittleDepot(address.host, address.port) as depot:
            born, retained = depot.status("online")
            assert retained
            assert (born.boot, born.software, born.models, born.calibration) == (
                uplink.boot,
                "0.1.0",
                (MODEL,),
                "cam-1",
            )
            uplink.close()
            stopped, _ = depot.status("stopped")
            assert stopped.session == born.session
    # rumqttd sends retained messages to new sessions only, so this one is new.
    with LittleDepot(address.host, address.port, name="later") as depot:
        assert depot.status("stopped")[1], "and no last will came after it"


_RUN_UPLINK = """
import sys
from edge.delivery import *
settings = BrokerSettings(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], will_delay_s=0)
uplink = Uplink(Outbox(sys.argv[5]), settings, Birth("0.1.0"))
uplink.wait_online(20)
print(uplink.boot, flush=True)
sys.stdin.read()
"""


def test_a_killed_vehicle_is_offline_by_its_last_will(address: Address, tmp_path: Path) -> None:
    """Red without `will_set`."""
    arguments = [address.host, VEHICLE, str(address.port), address.protocol, str(tmp_path / "outbox.db")]
    with LittleDepot(address.host, address.port) as depot:
        process = subprocess.Popen(
            [sys.executable, "-c", _RUN_UPLINK, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        born, _ = depot.status("online")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        offline, _ = depot.status("offline")
        assert (offline.boot, offline.session) == (born.boot, born.session)
    with LittleDepot(address.host, address.port, name="later") as depot:
        assert depot.status("offline")[1], "it is retained"


def test_health_expires_and_records_do_not(private: Mosquitto, tmp_path: Path) -> None:
    """Red without `expiry_s`, or with it on records: the broker would drop facts."""
    with LittleDepot(private.host, private.port) as depot, uplink_to(settings_for(private), tmp_path) as uplink:
        uplink.wait_online(10.0)
        time_now = Time(boot=uplink.boot, monotonic_s=1.0, quality="unset")
        uplink.publish_health(Health(time=time_now, counters={"frames": 7}))
        health, message = depot.first("health")
        assert health.counters == {"frames": 7}
        assert 0 < message.properties.MessageExpiryInterval <= 60
        assert message.properties.ContentType == "application/cloudevents+json"
        uplink.confirm(coverage(uplink.boot))
        _, message = depot.first("coverage")
        assert not hasattr(message.properties, "MessageExpiryInterval")


def test_what_a_killed_and_wiped_broker_had_taken_is_sent_again(private: Mosquitto, tmp_path: Path) -> None:
    """Red when a PUBACK lets an event go (`acknowledge` in `_be_taken`), or without `session_present`."""
    with uplink_to(settings_for(private, limits=Limits()), tmp_path) as uplink:
        identity = uplink.confirm(coverage(uplink.boot))
        wait_until(lambda: uplink.counts().published == 1, what="the PUBACK")
        assert uplink.counts().acknowledged == 0
        private.kill()
        private.wipe()
        private.start()
        with LittleDepot(private.host, private.port) as depot:
            wait_until(lambda: uplink.counts().acknowledged == 1, timeout_s=20, what="the acknowledgement")
            assert depot.events[identity] >= 1


def test_a_broker_that_dies_again_and_again_costs_nothing(private: Mosquitto, tmp_path: Path) -> None:
    """Red without `_window.lost` in `_drop_link`."""
    confirmed = []
    with LittleDepot(private.host, private.port) as depot, uplink_to(settings_for(private), tmp_path) as uplink:
        for _ in range(4):
            confirmed += [uplink.confirm(coverage(uplink.boot)) for _ in range(25)]
            private.kill()
            private.wipe()
            private.start()
        assert uplink.close(30.0), uplink.faults()
        assert sorted(depot.events) == confirmed
        assert uplink.counts().acknowledged == 100


def test_a_frozen_broker_is_noticed_and_left(private: Mosquitto, tmp_path: Path) -> None:
    """Red without `_notice_silence`: the socket stays open, paho alone would wait for two keep-alives."""
    with LittleDepot(private.host, private.port) as depot, uplink_to(settings_for(private), tmp_path) as uplink:
        uplink.wait_online(10.0)
        private.freeze()
        identity = uplink.confirm(coverage(uplink.boot))
        wait_until(lambda: uplink.counters().get("delivery_silences_broker", 0) > 0, what="the silence")
        assert any("takes nothing" in fault for fault in uplink.faults())
        private.thaw()
        assert uplink.close(20.0)
        assert depot.events[identity] >= 1


def test_a_depot_that_comes_back_gets_everything_once_in_its_store(private: Mosquitto, tmp_path: Path) -> None:
    """Red without the patience in `Window.silent`: what this depot had forgotten would never come again."""
    with uplink_to(settings_for(private), tmp_path) as uplink:
        with LittleDepot(private.host, private.port, answering=False) as depot:
            confirmed = [uplink.confirm(coverage(uplink.boot)) for _ in range(10)]
            wait_until(lambda: len(depot.events) == 10, what="the first sending")
        with LittleDepot(private.host, private.port) as depot:
            assert uplink.close(30.0), uplink.faults()
            assert sorted(depot.events) == confirmed
        assert uplink.counters()["delivery_silences_depot"] >= 1


def test_a_restarted_vehicle_goes_on_where_it_was_killed(private: Mosquitto, tmp_path: Path) -> None:
    """Red when the outbox is not read at the start."""
    outbox = Outbox(tmp_path / "outbox.db")
    arguments = [private.host, VEHICLE, str(private.port), "5", str(tmp_path / "outbox.db")]
    outbox.close()
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN_UPLINK.replace("sys.stdin", """
from tests.delivery.samples import coverage
print(*[uplink.confirm(coverage()) for _ in range(50)], flush=True)
sys.stdin"""), *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    confirmed = process.stdout.readline().split()
    process.kill()
    process.communicate()
    with LittleDepot(private.host, private.port) as depot, uplink_to(settings_for(private), tmp_path) as uplink:
        assert uplink.close(30.0)
        assert set(confirmed) <= set(depot.events)
        assert uplink.counts().acknowledged == 50


def test_nonsense_from_the_depot_changes_nothing(address: Address, tmp_path: Path) -> None:
    """Red without `except MessageError` in `_receive`."""
    with (
        LittleDepot(address.host, address.port, answering=False) as depot,
        uplink_to(settings_for(address, limits=Limits()), tmp_path) as uplink,
    ):
        identity = uplink.confirm(coverage(uplink.boot))
        depot.first("coverage")
        depot.tell(b"\xff not json")
        depot.tell(Ack(events=("00001-unknown-00000001",)))
        depot.tell(Command(action="restart"), topic="ack")
        depot.tell(Command(action="restart"), topic="command")
        wait_until(lambda: uplink.counters().get("delivery_commands_expired"), what="the command without an end")
        assert uplink.counters()["delivery_bad_messages"] == 2
        assert uplink.counters()["delivery_unknown_acks"] == 1
        assert uplink.counts().pending == 1
        depot.tell(Ack(refused=(Refusal(id=identity, reason="invalid: test"),)))
        assert uplink.close(10.0)
        assert uplink.counts().refused == 1


def test_a_vehicle_that_may_not_read_the_answers_is_refused(private: Mosquitto) -> None:
    """Red without `on_subscribe`: it would send everything again and again, for ever. (Mosquitto's own access
    list lets every subscription pass, so the broker's answer is put in by hand.)
    """
    waker = Waker()
    link = PahoLink(settings_for(private), waker, client_id="reader")
    link._client.on_subscribe(
        link._client, None, 1, [ReasonCode(PacketTypes.SUBACK, "Not authorized")], Properties(PacketTypes.SUBACK)
    )
    assert Refused("may not read its topics ack and command: Not authorized") in link.turn(0.0)
    waker.close()


def test_nobody_there_is_one_clear_line(tmp_path: Path) -> None:
    """Red without `except` around `connect` in `PahoLink.open`."""
    settings = BrokerSettings("127.0.0.1", VEHICLE, free_port(), connect_timeout_s=2.0, limits=QUICK)
    with pytest.raises(BrokerError, match=r"broker 127\.0\.0\.1:\d+: .*refused"):
        check_broker(settings)
    with uplink_to(settings, tmp_path) as uplink:
        uplink.confirm(coverage(uplink.boot))
        with pytest.raises(BrokerError, match=r"refused"):
            uplink.wait_online(1.0)
        assert not uplink.close(0.2)
        assert uplink.counts().pending == 1
    with pytest.raises(BrokerError, match=r"broker no-such-host\.invalid:1883: "):
        check_broker(replace(settings, host="no-such-host.invalid", port=1883))


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_refused_login_is_reported_once_and_tried_again(tmp_path: Path, protocol: str) -> None:
    """Red when `on_fatal` is not called; when a refusal ends the thread."""
    passwords, mine = tmp_path / "passwords", tmp_path / "mine"
    tool = need("mosquitto_passwd")
    subprocess.run([tool, "-b", "-c", str(passwords), VEHICLE, "right"], check=True, capture_output=True)
    passwords.chmod(0o600)
    mine.write_text("wrong\n")
    with mosquitto(tmp_path, extra=f"allow_anonymous false\npassword_file {passwords}") as server:
        settings = settings_for(server, protocol=protocol, password_file=mine)
        with pytest.raises(BrokerError, match=r"(?i)not auth"):
            check_broker(settings)
        fatal: list[BrokerError] = []
        told = threading.Event()
        uplink = Uplink(
            Outbox(tmp_path / "outbox.db"), settings, BIRTH, on_fatal=lambda error: (fatal.append(error), told.set())
        )
        try:
            assert told.wait(10)
            assert "login of vehicle 'truck-7' refused" in str(fatal[0])
            assert fatal[0].exit_code == 5
            with pytest.raises(BrokerError, match="check user name, password"):
                uplink.wait_online(5.0)
            mine.write_text("right\n")
            wait_until(lambda: uplink.state.name == "online", what="the login")
            assert len(fatal) == 1
        finally:
            uplink.close()
        check_broker(settings)
        assert "right" not in repr(settings)


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_with_a_certificate_of_the_vehicle(tmp_path: Path) -> None:
    """Red without `tls_set_context`; a wrong CA or no certificate is refused with a word about it. (The look at
    `pending()` of the TLS layer only saves waits of up to a second; this test does not need it.)
    """
    files = certificates(tmp_path, {"broker": "localhost", "vehicle": VEHICLE})
    listener = (
        f"cafile {files}/ca.pem\ncertfile {files}/broker.pem\nkeyfile {files}/broker.key\n"
        "require_certificate true\nuse_identity_as_username true"
    )
    server = Mosquitto(tmp_path, listener=listener)
    server.start()
    try:
        tls = Tls(files / "ca.pem", files / "vehicle.pem", files / "vehicle.key")
        settings = settings_for(server, tls=tls)
        check_broker(settings)
        with pytest.raises(BrokerError, match=r"(?i)certificate verify failed"):
            check_broker(replace(settings, tls=Tls()))
        with pytest.raises(BrokerError):
            check_broker(replace(settings, tls=Tls(files / "ca.pem")))
        picture = random.Random(2).randbytes(1_900_000)
        with uplink_to(replace(settings, limits=Limits()), tmp_path) as uplink:
            confirmed = [uplink.confirm(observation(uplink.boot, picture), picture)]
            confirmed += [uplink.confirm(coverage(uplink.boot)) for _ in range(60)]
            wait_until(lambda: uplink.counts().published == 61, what="the PUBACKs")
            uplink._outbox.acknowledge(confirmed)
    finally:
        server.stop()


def test_wrong_files_are_errors_of_the_start_and_name_the_key(tmp_path: Path) -> None:
    """Red without the first `make_link()` in `Uplink.__init__`."""
    outbox = Outbox(tmp_path / "outbox.db")
    settings = BrokerSettings("localhost", VEHICLE)
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("no certificate")
    for changes, message in (
        ({"password_file": tmp_path / "none"}, r"broker\.password_file: .*none"),
        ({"tls": Tls(ca=tmp_path / "none")}, r"broker\.tls\.ca: .*none is not a file"),
        ({"tls": Tls(ca=rubbish)}, r"broker\.tls: .*rubbish"),
        ({"tls": Tls(certificate=rubbish)}, "belong together"),
    ):
        with pytest.raises(ConfigError, match=message):
            Uplink(outbox, replace(settings, **changes), BIRTH)  # type: ignore[arg-type]
    outbox.close()


class HangingLink(PahoLink):
    """A link that hangs in `open` like a name resolution that never ends, until the test lets it go."""

    hang = threading.Event()
    hanging = threading.Event()

    def open(self, will_topic: str, will: bytes) -> None:
        self.hanging.set()
        self.hang.wait(60)
        super().open(will_topic, will)


def test_a_thread_that_hangs_is_replaced_and_what_it_wakes_up_to_harms_nothing(
    private: Mosquitto, tmp_path: Path
) -> None:
    """Red without `_replace_if_stuck`; red without `courier is self._courier`: two would send at once."""
    ahead_s = [0.0]
    links: list[type[PahoLink]] = [PahoLink, HangingLink]  # the first is only made to read the files
    settings = settings_for(private, limits=Limits())
    waker = Waker()
    uplink = Uplink(
        Outbox(tmp_path / "outbox.db"),
        settings,
        BIRTH,
        make_link=lambda: (links.pop(0) if links else PahoLink)(settings, waker, client_id="wegewart-truck-7"),
        monotonic=lambda: time.monotonic() + ahead_s[0],
    )
    health = Health(time=Time(boot=uplink.boot, monotonic_s=1.0, quality="unset"), counters={})
    try:
        assert HangingLink.hanging.wait(10)
        uplink.publish_health(health)
        assert uplink.counters().get("delivery_uplinks_replaced", 0) == 0, "a minute is no reason yet"
        ahead_s[0] = STUCK_S + 1.0
        uplink.publish_health(health)
        assert uplink.counters()["delivery_uplinks_replaced"] == 1
        with LittleDepot(private.host, private.port) as depot:
            identity = uplink.confirm(coverage(uplink.boot))
            wait_until(lambda: uplink.counts().acknowledged == 1, what="the new thread's delivery")
            HangingLink.hang.set()
            wait_until(lambda: sum(thread.name == "uplink" for thread in threading.enumerate()) == 1, what="one thread")
            wait_until(lambda: uplink.state.name == "online", what="the new one is in charge")
            second = uplink.confirm(coverage(uplink.boot))
            assert uplink.close(20.0), uplink.faults()
            assert {identity, second} <= set(depot.events)
    finally:
        HangingLink.hang.set()
        uplink.close()
        waker.close()


def test_a_mistake_of_ours_ends_a_connection_and_never_the_uplink(
    private: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red without `except Exception` in `_step`: the thread would be gone, and nobody would know."""
    trips = [ZeroDivisionError("oops"), ZeroDivisionError("oops")]
    receive = Receiver.receive

    def trip(self: Receiver, message: Received) -> None:
        if trips:
            raise trips.pop()
        receive(self, message)

    monkeypatch.setattr(Receiver, "receive", trip)
    with LittleDepot(private.host, private.port) as depot, uplink_to(settings_for(private), tmp_path) as uplink:
        identity = uplink.confirm(coverage(uplink.boot))
        assert uplink.close(20.0), uplink.faults()
        assert depot.events[identity] >= 1
        assert uplink.counters()["delivery_mistakes"] == 2
