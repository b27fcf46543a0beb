# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The broker's configuration of docs/mosquitto with a certificate per vehicle: who may say what, and as whom.

Real Mosquitto, real uplink, real `wegewart-depot command`.
"""

from __future__ import annotations

import os
import pwd
import queue
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from depot.commanding import send_command
from depot.config import BrokerConfig
from depot.errors import BrokerError as DepotBrokerError
from depot.errors import CommandError
from edge.config import VehicleConfig
from edge.delivery import Birth, BrokerSettings, Outbox, Tls, Uplink, check_broker
from edge.delivery.commands import read_setting
from edge.errors import BrokerError
from messages.types import Command, Health, Time
from tests.delivery.certificates import certificates
from tests.delivery.samples import observation
from tests.servers import HOST, free_port, listens, need, wait_until

pytestmark = [
    pytest.mark.integration,
    # paho leaves the socket of a failed handshake to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROOT = Path(__file__).parents[2]
DELIVERED = ROOT / "docs" / "mosquitto"


@dataclass(frozen=True)
class Broker:
    """The delivered configuration on a free port."""

    port: int
    files: Path

    def tls(self, name: str) -> Tls:
        return Tls(self.files / "ca.pem", self.files / f"{name}.pem", self.files / f"{name}.key")

    def settings(self, vehicle: str, certificate: str | None = None) -> BrokerSettings:
        return BrokerSettings(HOST, vehicle, self.port, tls=self.tls(certificate or vehicle), will_delay_s=0)

    def depot(self) -> BrokerConfig:
        tls = self.tls("depot")
        return BrokerConfig(host=HOST, port=self.port, tls_ca=tls.ca, tls_cert=tls.certificate, tls_key=tls.key)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("broker")
    program = need("mosquitto")
    names = {"broker": "localhost", "bus-1": "bus-1", "bus-2": "bus-2", "depot": "depot"}
    files = certificates(folder / "files", names)
    certificates(folder / "strangers", {"bus-1": "bus-1"})
    (files / "wegewart.acl").write_text((DELIVERED / "wegewart.acl").read_text())
    port = free_port()
    text = (DELIVERED / "wegewart.conf").read_text()
    for ours, here in (
        ("listener 8883", f"listener {port} {HOST}"),
        ("/etc/wegewart/broker", str(files)),
        ("/var/lib/mosquitto", str(folder)),
    ):
        assert ours in text
        text = text.replace(ours, here)
    (folder / "mosquitto.conf").write_text(f"{text}\nuser {pwd.getpwuid(os.getuid()).pw_name}\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(folder / "mosquitto.conf"), "-v"], stdout=log, stderr=log)
    try:
        wait_until(lambda: listens(HOST, port) or process.poll() is not None, what="mosquitto")
        assert process.poll() is None, (folder / "log").read_text()
        yield Broker(port, files)
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Client:
    """Somebody with a certificate who tries things. `got`: (topic, payload) of what came."""

    broker: Broker
    certificate: str
    name: str = "tester"
    clean: bool = True
    got: queue.Queue[tuple[str, bytes]] = field(default_factory=queue.Queue)
    answers: queue.Queue[tuple[str, bool]] = field(default_factory=queue.Queue)

    def __enter__(self) -> Client:  # noqa: PYI034 - Self is newer than Python 3.10
        tls = self.broker.tls(self.certificate)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.name, protocol=paho.MQTTv5)
        context = ssl.create_default_context(cafile=tls.ca)
        context.load_cert_chain(str(tls.certificate), str(tls.key))
        self._client.tls_set_context(context)
        ready = threading.Event()
        self._client.on_connect = lambda *_: ready.set()
        self._client.on_subscribe = lambda *_: self.answers.put(("subscribed", True))
        self._client.on_publish = lambda _c, _u, _m, code, _p: self.answers.put(("published", not code.is_failure))
        self._client.on_message = lambda _c, _u, message: self.got.put((message.topic, message.payload))
        self._client.connect(HOST, self.broker.port, clean_start=self.clean)
        self._client.loop_start()
        assert ready.wait(10), "not let in"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def may_publish(self, topic: str, payload: bytes = b"x") -> bool:
        self._client.publish(f"wegewart/v1/{topic}", payload, qos=1)
        return self.answers.get(timeout=10)[1]

    def subscribe(self, topic: str) -> None:
        self._client.subscribe(topic, 1)
        assert self.answers.get(timeout=10)[0] == "subscribed"


SHA = "0" * 64
OWN = (
    "status",
    "observation",
    "look",
    "revision",
    "coverage",
    "roughness",
    "health",
    "reply",
    f"picture/{SHA}",
    f"chunk/{SHA}/40000/1",
)


@pytest.mark.parametrize("kind", OWN)
def test_a_vehicle_may_write_below_its_own_name_only(broker: Broker, kind: str) -> None:
    """Red with `#` instead of `%u` in the access list."""
    with Client(broker, "depot", "listener") as depot, Client(broker, "bus-1") as vehicle:
        depot.subscribe("wegewart/v1/#")
        assert not vehicle.may_publish(f"bus-2/{kind}", b"forged")
        assert vehicle.may_publish(f"bus-1/{kind}", b"own")
        while (message := depot.got.get(timeout=10))[1] != b"own":  # what other tests left retained
            assert message[1] != b"forged"


@pytest.mark.parametrize(
    "topic", ["bus-1/command", "bus-1/ack", "bus-2/command", "bus-2/ack", "bus-1", "bus-1/x", "bus-1/chunk/x"]
)
def test_a_vehicle_may_command_nobody_and_acknowledge_nothing(broker: Broker, topic: str) -> None:
    """Red with `pattern readwrite wegewart/v1/%u/#`: a vehicle could make another, or itself, delete."""
    with Client(broker, "bus-1") as vehicle:
        assert not vehicle.may_publish(topic)


def test_a_vehicle_reads_its_own_answers_only(broker: Broker) -> None:
    """Red with `topic read wegewart/v1/#` for everybody. (Mosquitto lets the subscription pass, then sends nothing.)"""
    with Client(broker, "bus-1") as vehicle, Client(broker, "depot", "sender") as depot:
        vehicle.subscribe("wegewart/v1/+/ack")
        vehicle.subscribe("wegewart/v1/#")
        for topic in ("bus-2/ack", "bus-2/command", "bus-1/ack"):
            assert depot.may_publish(topic, topic.encode())
        assert vehicle.got.get(timeout=10) == ("wegewart/v1/bus-1/ack", b"bus-1/ack")


def test_a_thief_of_a_client_id_reads_nothing_and_costs_nothing(broker: Broker, tmp_path: Path) -> None:
    """A vehicle that connects under another one's client id takes over its session. Mosquitto gives it nothing that
    its certificate may not read; what that session loses comes again from the outbox.
    """
    settings = broker.settings("bus-2")
    uplink = Uplink(Outbox(tmp_path / "outbox.db"), settings, Birth("0.1.0"))
    uplink.wait_online(10)
    uplink.close()
    with Client(broker, "depot", "sender") as depot:
        assert depot.may_publish("bus-2/ack", b"waits in the session")
        with Client(broker, "bus-1", "wegewart-bus-2", clean=False) as thief:
            thief.subscribe("wegewart/v1/bus-1/ack")
            assert depot.may_publish("bus-2/ack", b"for bus-2")
            assert depot.may_publish("bus-1/ack", b"marker")
            assert thief.got.get(timeout=10) == ("wegewart/v1/bus-1/ack", b"marker")
        depot.subscribe("wegewart/v1/bus-2/observation")
        uplink = Uplink(Outbox(tmp_path / "outbox.db"), settings, Birth("0.1.0"))
        try:
            uplink.confirm(observation(uplink.boot))
            assert depot.got.get(timeout=10)[0] == "wegewart/v1/bus-2/observation"
        finally:
            uplink.close()


def test_the_depot_may_not_speak_for_a_vehicle(broker: Broker) -> None:
    with Client(broker, "depot") as depot:
        assert not depot.may_publish("bus-1/observation")


def test_without_a_certificate_or_with_one_of_a_stranger_nobody_gets_in(broker: Broker) -> None:
    """Red without `require_certificate`."""
    check_broker(broker.settings("bus-1"))
    with pytest.raises(BrokerError):
        check_broker(replace(broker.settings("bus-1"), tls=Tls(broker.files / "ca.pem")))
    strangers = broker.files.parent / "strangers"
    with pytest.raises(BrokerError):
        check_broker(
            replace(
                broker.settings("bus-1"),
                tls=Tls(broker.files / "ca.pem", strangers / "bus-1.pem", strangers / "bus-1.key"),
            )
        )


@dataclass
class Running:
    """A vehicle with a daemon that answers its commands."""

    uplink: Uplink
    done: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """What the daemon does with commands."""
        while not self.stopping.wait(0.01):
            for order in self.uplink.commands():
                self.done.append(order.id)
                command = order.command
                if command.action == "restart":
                    self.uplink.reply(order.id, ok=True, text="restarting")
                    continue
                try:
                    value = read_setting(VehicleConfig, command.key or "", command.value or "")
                except ValueError as error:
                    self.uplink.reply(order.id, ok=False, text=str(error))
                else:
                    self.uplink.reply(order.id, ok=True, text=f"{command.key} = {value}")


@pytest.fixture
def vehicle(broker: Broker, tmp_path: Path) -> Iterator[Running]:
    running = Running(Uplink(Outbox(tmp_path / "outbox.db"), broker.settings("bus-1"), Birth("0.1.0")))
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        running.uplink.wait_online(10)
        yield running
    finally:
        running.stopping.set()
        thread.join()
        running.uplink.close()


def command_line(broker: Broker, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    tls = broker.tls("depot")
    config = folder / "depot.toml"
    config.write_text(
        f'[broker]\nhost = "{HOST}"\nport = {broker.port}\n'
        f'tls_ca = "{tls.ca}"\ntls_cert = "{tls.certificate}"\ntls_key = "{tls.key}"\n'
    )
    return subprocess.run(
        [sys.executable, "-m", "depot.cli", "command", "--config", str(config), *arguments],
        capture_output=True, text=True, check=False, timeout=60, cwd=ROOT,
    )  # fmt: skip


def test_a_command_of_the_depot_is_done_and_answered(broker: Broker, vehicle: Running, tmp_path: Path) -> None:
    """Red without `sender.replies` in `Courier.step`."""
    said = command_line(broker, tmp_path, "bus-1", "restart")
    assert (said.returncode, said.stdout) == (0, "bus-1: restarting\n"), said.stderr
    said = command_line(broker, tmp_path, "bus-1", "set", "sampling.every_m", "3")
    assert (said.returncode, said.stdout) == (0, "bus-1: sampling.every_m = 3.0\n"), said.stderr
    said = command_line(broker, tmp_path, "bus-1", "set", "sampling.every_m", "999")
    assert said.returncode == 7
    assert said.stderr.startswith("wegewart-depot: vehicle bus-1: sampling.every_m = '999': ")
    assert len(vehicle.done) == len(set(vehicle.done)) == 3


def test_a_picture_is_sent_again_on_command(broker: Broker, vehicle: Running, tmp_path: Path) -> None:
    uplink = vehicle.uplink
    picture = b"picture" * 9_000
    sha256 = observation(picture=picture).picture.sha256  # type: ignore[union-attr]
    uplink.confirm(observation(uplink.boot, picture), picture)
    uplink._outbox.acknowledge([], [sha256])
    reply = send_command(broker.depot(), "bus-1", Command(action="send_picture", sha256=sha256), wait_s=20)
    assert reply.ok, reply.text
    reply = send_command(broker.depot(), "bus-1", Command(action="send_picture", sha256="f" * 64), wait_s=20)
    assert not reply.ok
    assert "not on the vehicle" in reply.text
    said = command_line(broker, tmp_path, "bus-1", "send-picture", "no-hash")
    assert said.returncode == 7
    assert said.stderr.startswith("wegewart-depot: not a command: ")
    assert len(said.stderr.splitlines()) == 1


def test_a_vehicle_that_is_away_does_not_do_it_when_it_comes_back_later(broker: Broker, tmp_path: Path) -> None:
    """Red without the expiry on the command: the broker keeps it for the vehicle's session."""
    settings = replace(broker.settings("bus-2"), session_expiry_s=600)
    uplink = Uplink(Outbox(tmp_path / "outbox.db"), settings, Birth("0.1.0"))
    uplink.wait_online(10)
    uplink.close()
    with pytest.raises(CommandError, match="vehicle bus-2: no reply within 1 s"):
        send_command(broker.depot(), "bus-2", Command(action="restart"), wait_s=1.0)
    done: list[str] = []
    with Client(broker, "depot", "marker") as depot:
        uplink = Uplink(Outbox(tmp_path / "outbox.db"), settings, Birth("0.1.0"))
        try:
            uplink.wait_online(10)
            assert depot.may_publish("bus-2/ack", b"nonsense that marks the end")
            wait_until(lambda: uplink.counters().get("delivery_bad_messages"), what="the marker")
            done = [order.id for order in uplink.commands()]
        finally:
            uplink.close()
    assert done == []


def test_who_may_not_command_is_told_so(broker: Broker, vehicle: Running) -> None:
    """A vehicle's certificate in the hands of a thief: another vehicle cannot be commanded with it."""
    tls = broker.tls("bus-2")
    thief = BrokerConfig(host=HOST, port=broker.port, tls_ca=tls.ca, tls_cert=tls.certificate, tls_key=tls.key)
    with pytest.raises(DepotBrokerError, match="does not let us command bus-1"):
        send_command(thief, "bus-1", Command(action="restart"), wait_s=10)
    assert vehicle.done == []
    with pytest.raises(CommandError, match="is no name"):
        send_command(thief, "bus/#", Command(action="restart"))


def test_nobody_there_is_one_clear_line() -> None:
    with pytest.raises(DepotBrokerError, match=r"broker 127\.0\.0\.1:\d+: "):
        send_command(BrokerConfig(port=free_port()), "bus-1", Command(action="restart"), wait_s=5)


def test_the_commands_time_is_looked_at_where_the_vehicle_knows_the_time(broker: Broker, vehicle: Running) -> None:
    """Red when `until` is not compared with the trusted UTC."""
    late = Time(boot=vehicle.uplink.boot, monotonic_s=1.0, quality="gnss", utc="2199-01-01T00:00:00Z")
    vehicle.uplink.publish_health(Health(time=late, counters={}))
    reply = send_command(broker.depot(), "bus-1", Command(action="restart"), wait_s=20)
    assert (reply.ok, reply.text) == (False, "it has expired")
