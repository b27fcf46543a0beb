# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Several ingest processes share what vehicles send: each message goes to one of them, none is lost or doubled."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import select

from depot.arrivals import Arrival
from depot.config import BrokerConfig
from depot.errors import ConfigError
from depot.ingest import Ingest
from depot.mqtt import SHARED, Link
from depot.store.appending import IntakeDatabase
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.pictures import PictureFolder
from depot.store.tables import events, vehicles
from messages.chunks import chunk_count, chunk_of
from messages.topics import Topic
from tests.depot import samples
from tests.servers import Mosquitto, mosquitto, need, wait_until

PROGRAM = (sys.executable, "-m", "depot.cli")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as running:
        yield running


class Member:
    """One who takes in, in this process; remembers what came over the network."""

    def __init__(self, broker: Mosquitto, database: Database, folder: Path, share: int | None) -> None:
        self.topics: list[str] = []
        self.ingest = Ingest(IntakeDatabase(database, PictureFolder(folder)))
        self.link = Link(BrokerConfig(port=broker.port), put=self._put, refused=lambda: None, share=share)
        self.ingest.start(self.link.reply)
        self.link.start()
        wait_until(lambda: self.link.connected, what="subscribed")

    def _put(self, arrival: Arrival) -> bool:
        self.topics.append(arrival.topic)
        return self.ingest.put(arrival)

    def stop(self) -> None:
        self.ingest.stop()
        self.link.stop()


@contextmanager
def members(broker: Mosquitto, database: Database, folder: Path, *shares: int | None) -> Iterator[list[Member]]:
    with ExitStack() as stack:
        made = []
        for share in shares:
            member = Member(broker, database, folder, share)
            stack.callback(member.stop)
            made.append(member)
        yield made


def stored(database: Database) -> list[str]:
    with database.reading() as connection:
        return sorted(connection.scalars(select(events.c.id)))


@pytest.mark.integration
def test_each_message_goes_to_one_of_those_who_share(broker, database, tmp_path):
    with (
        members(broker, database, tmp_path / "p", 1, 2, 3) as three,
        samples.fake_vehicle("127.0.0.1", broker.port) as v,
    ):
        sent = {v.send(samples.observation(), number) for number in range(60)}
        v.acknowledged(sent)
    assert stored(database) == sorted(sent)
    counts = [len(member.topics) for member in three]
    assert sum(counts) == 60, "no message came to two of them"
    assert min(counts) >= 10, "and each had its share"


def test_what_is_retained_is_not_shared():
    """MQTT 5, 4.8.2: nothing retained is sent to a shared subscription. (Mosquitto 2.0.11 sends it all the same.)"""
    assert "wegewart/v1/+/status" in SHARED


@pytest.mark.integration
def test_a_retained_status_reaches_one_who_comes_later(broker, database, tmp_path):
    with samples.fake_vehicle("127.0.0.1", broker.port) as vehicle:
        vehicle.send(samples.status("online"))
        with members(broker, database, tmp_path / "p", 2):

            def is_known() -> bool:
                with database.reading() as connection:
                    return connection.scalar(select(vehicles.c.status)) is not None

            wait_until(is_known, what="the status is stored")


@pytest.mark.integration
@pytest.mark.parametrize(("before", "after"), [(None, 1), (1, None)])
def test_who_changes_the_way_of_taking_in_gets_nothing_twice(broker, database, tmp_path, before, after):
    """Red without `unsubscribe`: the kept session would still hold the other subscriptions."""
    with members(broker, database, tmp_path / "p", before), samples.fake_vehicle("127.0.0.1", broker.port) as vehicle:
        vehicle.acknowledged({vehicle.send(samples.observation(), 1)})
    with (
        members(broker, database, tmp_path / "p", after) as (member,),
        samples.fake_vehicle("127.0.0.1", broker.port) as vehicle,
    ):
        vehicle.acknowledged({vehicle.send(samples.observation(), number) for number in range(2, 12)})
        assert len(member.topics) == 10
    assert len(stored(database)) == 11


@pytest.mark.integration
def test_chunks_that_go_to_different_members_make_one_picture(broker, database, tmp_path):
    content = samples.jpeg() + bytes(100_000)
    sha256 = samples.sha256(content)
    with members(broker, database, tmp_path / "p", 1, 2), samples.fake_vehicle("127.0.0.1", broker.port) as vehicle:
        for number in range(chunk_count(len(content))):
            topic = str(Topic(samples.VEHICLE, "chunk", sha256, len(content), number))
            vehicle.publish(topic, chunk_of(content, number))
        vehicle.acknowledged({sha256})
    assert PictureFolder(tmp_path / "p").read(sha256) == content


@pytest.mark.integration
def test_the_brokers_access_list_lets_the_depot_share(tmp_path):
    acl = Path(__file__).parents[3] / "docs" / "mosquitto" / "wegewart.acl"
    for name in ("depot", samples.VEHICLE):
        create = [] if (tmp_path / "logins").exists() else ["-c"]
        subprocess.run([need("mosquitto_passwd"), *create, "-b", tmp_path / "logins", name, "geheim"], check=True)
    (tmp_path / "password").write_text("geheim\n")
    extra = f"allow_anonymous false\npassword_file {tmp_path / 'logins'}\nacl_file {acl}"
    came: queue.Queue[Arrival] = queue.Queue()
    with mosquitto(tmp_path, extra=extra) as broker:
        login = BrokerConfig(port=broker.port, username="depot", password_file=tmp_path / "password")
        link = Link(login, put=lambda arrival: came.put(arrival) or True, refused=lambda: None, share=2)
        link.start()
        wait_until(lambda: link.connected, what="subscribed")
        vehicle = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        vehicle.username_pw_set(samples.VEHICLE, "geheim")
        vehicle.connect(broker.host, broker.port)
        vehicle.loop_start()
        vehicle.publish(samples.topic("observation"), b"x", qos=1)
        assert came.get(timeout=10).topic == samples.topic("observation")
        vehicle.disconnect()
        vehicle.loop_stop()
        link.stop()


def test_an_old_protocol_cannot_share():
    with pytest.raises(ConfigError, match=r'^broker\.protocol: 3\.1\.1 knows no shared subscriptions; set it to "5"$'):
        Link(BrokerConfig(protocol="3.1.1"), put=lambda _arrival: True, refused=lambda: None, share=1)


class Process:
    """`wegewart-depot ingest --number N`."""

    def __init__(self, config: Path, number: int) -> None:
        self.config = config
        self.number = number
        self.start()

    def start(self) -> None:
        command = [*PROGRAM, "ingest", "--config", str(self.config), "--number", str(self.number)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line == f"Wegewart depot: takes in, process {self.number}\n", self.process.communicate(timeout=5)

    def end(self, how: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


def config_file(folder: Path, broker: Mosquitto, url: str, by: str = "processes") -> Path:
    file = folder / "depot.toml"
    file.write_text(
        f'[broker]\nport = {broker.port}\n[data]\nfolder = "data"\n[database]\nurl = "{url}"\n[ingest]\nby = "{by}"\n'
    )
    return file


@pytest.mark.integration
def test_processes_that_are_killed_lose_nothing_and_store_nothing_twice(broker, database_url, tmp_path):
    migrate(database := Database(database_url))
    config = config_file(tmp_path, broker, database_url)
    processes = [Process(config, number) for number in (1, 2)]
    with samples.fake_vehicle("127.0.0.1", broker.port) as vehicle:
        sent: set[str] = set()
        for number in range(120):
            sent.add(vehicle.send(samples.observation(), number))
            if number % 40 == 25:
                victim = processes[number // 40 % 2]
                victim.end(signal.SIGKILL)
                victim.start()
        # Each process has its session back: what it had not confirmed comes again by itself.
        vehicle.acknowledged(sent, timeout_s=30)
    assert [process.end(signal.SIGTERM)[0] for process in processes] == [0, 0]
    assert stored(database) == sorted(sent)
    database.close()


@pytest.mark.integration
def test_a_process_that_is_not_wanted_says_so_in_one_line(broker, tmp_path):
    config = config_file(tmp_path, broker, f"sqlite:///{tmp_path}/depot.sqlite", by="serve")
    done = subprocess.run([*PROGRAM, "ingest", "--config", config], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        'wegewart-depot: ingest.by: is "serve", so the process of the page takes in; set it to "processes"\n'
    )


def test_migrate_makes_the_database_and_may_be_called_again(database_url, tmp_path):
    config = tmp_path / "depot.toml"
    config.write_text(f'[data]\nfolder = "data"\n[database]\nurl = "{database_url}"\n')
    for _ in range(2):
        done = subprocess.run([*PROGRAM, "migrate", "--config", config], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.endswith(": ready\n")
    database = Database(database_url)
    assert database.sequence() == 0
    database.close()
