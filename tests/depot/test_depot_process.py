# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole depot as a process, with a real Mosquitto and a vehicle-like client."""

from __future__ import annotations

import functools
import signal
import subprocess
import sys
import threading

import httpx
import pytest

from depot.config import BrokerConfig
from depot.ingest import Ingest, Reply
from depot.mqtt import Link, _Token
from messages.topics import Topic
from tests.depot import samples
from tests.depot.test_ingest import FakeStore
from tests.servers import Mosquitto, mosquitto, need, wait_until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(params=["5", "3.1.1"])
def depot(request, tmp_path, broker: Mosquitto):
    client_id = f"depot-{tmp_path.name}"
    more = f'client_id = "{client_id[:60]}"\nprotocol = "{request.param}"'
    with samples.depot_process(tmp_path, broker.port, more) as running:
        wait_until(lambda: running.get("/healthz")["broker"] == "connected", what="depot connects")
        yield running


def name_of(request) -> str:
    """Each test has a vehicle of its own: the broker is shared and keeps what is retained."""
    return f"v{abs(hash(request.node.nodeid)) % 10**9}"


def test_an_observation_and_its_picture_are_acknowledged_and_shown_once(depot, broker, request):
    content = samples.jpeg()
    with samples.fake_vehicle(broker.host, broker.port, name_of(request)) as vehicle:
        seen = samples.observation(picture=samples.picture_ref(content))
        event = vehicle.send(seen)
        vehicle.send_picture(content)
        vehicle.acknowledged({event, samples.sha256(content)})
        vehicle.send(seen)
        vehicle.acknowledged({event})

    assert depot.shown() == [event]
    (case,) = depot.cases()
    assert (case["lon"], case["lat"]) == (6.7623, 51.4344)
    assert case["picture_stored"] is True
    assert httpx.get(f"{depot.url}/pictures/{case['picture']}.jpg").content == content
    assert depot.settled()["observations"] == 1


def test_a_revision_that_comes_first_and_a_roughness_are_acknowledged_and_shown(depot, broker, request):
    with samples.fake_vehicle(broker.host, broker.port, name_of(request)) as vehicle:
        vehicle.acknowledged({vehicle.send(samples.revision(1, 1), 5), vehicle.send(samples.roughness(1), 6)})
        assert depot.settled()["revisions_waiting"] == 1
        vehicle.acknowledged({vehicle.send(samples.observation(), 1)})
    (case,) = depot.cases()
    assert (case["lon"], case["lat"]) == (6.7623, 51.4345)
    assert case["shock_mps2"] == 12.5
    assert len(depot.get("/api/roughness")["features"]) == 4
    assert depot.settled()["revisions_waiting"] == 0


def test_what_came_without_utc_is_dated_by_the_clock_that_its_vehicle_sends_later(depot, broker, request):
    with samples.fake_vehicle(broker.host, broker.port, name_of(request)) as vehicle:
        vehicle.acknowledged({vehicle.send(samples.observation(time=samples.undated(12.5)), 1)})
        assert depot.cases()[0]["seen"][0]["utc"] is None
        vehicle.acknowledged({vehicle.send(samples.clock(), 2)})
    (case,) = depot.cases()
    assert case["first_seen_utc"] == case["seen"][0]["utc"] == "2026-05-04T09:58:32.500Z"


def test_what_can_never_be_stored_is_answered_with_its_id_and_counted(depot, broker, request):
    name = name_of(request)
    with samples.fake_vehicle(broker.host, broker.port, name) as vehicle:
        vehicle.publish(samples.topic("observation", name), b"{nonsense")
        vehicle.publish(samples.topic("observation", name), samples.payload(samples.observation(), 7, "somebody-else"))
        vehicle.publish(str(Topic(name, "picture", "0" * 64)), samples.jpeg())
        refused = {}
        while len(refused) < 2:
            refused |= {refusal.id: refusal.reason for refusal in vehicle.next_ack().refused}
    assert refused[samples.event_id(7)].startswith("wrong_vehicle: ")
    assert refused["0" * 64].startswith("wrong_hash: ")
    assert depot.settled()["refused"] == {"not_json": 1, "wrong_hash": 1, "wrong_vehicle": 1}
    assert "Traceback" not in depot.log


def test_a_vehicle_that_vanishes_is_shown_offline(depot, broker, request):
    name = name_of(request)
    vehicle = samples.FakeVehicle(broker.host, broker.port, name)

    def state() -> str | None:
        known = {v["id"]: v["properties"]["state"] for v in depot.get("/api/vehicles")["features"]}
        return known.get(name)

    vehicle.send(samples.status("online"))
    wait_until(lambda: state() == "online", what="online")
    vehicle.vanish()
    wait_until(lambda: state() == "offline", what="last will arrives")


def test_a_depot_killed_again_and_again_loses_nothing_and_shows_nothing_twice(tmp_path, broker):
    name, count = "v-kill", 300
    depot = samples.DepotProcess(tmp_path, broker.port, 'client_id = "depot-killed"').start()
    sent: dict[str, samples.Observation] = {}
    with samples.fake_vehicle(broker.host, broker.port, name) as vehicle:
        pending: set[str] = set()
        lock = threading.Lock()

        def collect() -> None:
            while (ack := vehicle.acks.get()) is not None:
                with lock:
                    pending.difference_update(ack.events)

        collector = threading.Thread(target=collect)
        collector.start()
        for number in range(count):
            seen = samples.observation(time=samples.time_at(float(number)))
            sent[samples.event_id(number)] = seen
            with lock:
                pending.add(samples.event_id(number))
            vehicle.send(seen, number)
            if number % 75 == 40:
                depot.end(signal.SIGKILL)
                depot.start()
        # What the vehicle does, too: what stays unacknowledged is sent again.
        wait_until(lambda: depot.get("/healthz")["broker"] == "connected", what="depot is back")
        for event in sorted(pending):
            vehicle.send(sent[event], int(event.rpartition("-")[2]))
        wait_until(lambda: not pending, timeout_s=30, what="all acknowledged")
        vehicle.acks.put(None)  # type: ignore[arg-type]
        collector.join()
    assert sorted(depot.shown()) == sorted(sent)
    assert depot.end() == 0


def test_what_is_published_while_the_depot_is_down_arrives_when_it_returns(tmp_path, broker):
    depot = samples.DepotProcess(tmp_path, broker.port, 'client_id = "depot-away"').start()
    wait_until(lambda: depot.get("/healthz")["broker"] == "connected", what="depot connects")
    with samples.fake_vehicle(broker.host, broker.port, "v-away") as vehicle:
        vehicle.acknowledged({vehicle.send(samples.observation(), 0)})
        depot.end(signal.SIGKILL)
        sent = {vehicle.send(samples.observation(), number) for number in range(1, 50)}
        depot.start()
        vehicle.acknowledged(sent)
    assert depot.settled()["observations"] == 50
    depot.end()


def test_a_broker_that_is_not_there_is_waited_for_with_one_line(tmp_path):
    broker = Mosquitto(tmp_path)
    with samples.depot_process(tmp_path, broker.port) as depot:
        assert depot.get("/healthz") == {"status": "ok", "broker": "waiting"}
        wait_until(lambda: "no connection to the broker" in depot.log, what="it says so")
        broker.start()
        try:
            wait_until(lambda: depot.get("/healthz")["broker"] == "connected", timeout_s=60, what="depot connects")
            assert depot.log.count("no connection to the broker") == 1
        finally:
            broker.stop()


def test_a_broker_that_refuses_the_login_ends_the_depot_with_code_5(tmp_path):
    extra = "allow_anonymous false"
    with mosquitto(tmp_path, extra=extra) as broker:
        config = samples.DepotProcess(tmp_path, broker.port).config
        ended = subprocess.run(
            [sys.executable, "-m", "depot.cli", "serve", "--config", str(config)],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert ended.returncode == 5
    assert "refuses our login" in ended.stderr
    assert "Traceback" not in ended.stderr


def secured(tmp_path) -> tuple[str, str]:
    """A certificate for this machine, a login; lines for the broker and for the depot."""
    run = functools.partial(subprocess.run, check=True, capture_output=True, cwd=tmp_path)
    run([need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem",
         "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"])  # fmt: skip
    run([need("mosquitto_passwd"), "-c", "-b", "logins", "depot", "geheim"])
    (tmp_path / "password").write_text("geheim\n")
    broker = f"allow_anonymous false\npassword_file {tmp_path}/logins"
    depot = 'username = "depot"\npassword_file = "password"\ntls_ca = "cert.pem"'
    return broker, depot


def test_it_logs_in_over_tls(tmp_path):
    extra, more = secured(tmp_path)
    listener = f"certfile {tmp_path}/cert.pem\nkeyfile {tmp_path}/key.pem"
    with (
        mosquitto(tmp_path, extra=extra, listener=listener) as broker,
        samples.depot_process(tmp_path, broker.port, more) as depot,
    ):
        wait_until(lambda: depot.get("/healthz")["broker"] == "connected", what="depot connects")


def test_a_broker_with_a_certificate_of_somebody_else_is_not_spoken_to(tmp_path):
    _, more = secured(tmp_path)
    listener = f"certfile {tmp_path}/cert.pem\nkeyfile {tmp_path}/key.pem"
    other = tmp_path / "other"
    other.mkdir()
    secured(other)
    with mosquitto(tmp_path, listener=listener) as broker:
        (tmp_path / "cert.pem").write_bytes((other / "cert.pem").read_bytes())
        with samples.depot_process(tmp_path, broker.port, more) as depot:
            wait_until(lambda: "certificate verify failed" in depot.log, what="it says so")
            assert depot.get("/healthz")["broker"] == "waiting"


@pytest.fixture
def own_broker(tmp_path):
    """A broker without anything that other tests left in it."""
    with mosquitto(tmp_path) as running:
        yield running


def test_the_broker_keeps_what_was_taken_but_not_committed(own_broker):
    """The vehicle sends once only; the first depot gets it, cannot store it and dies; the second one stores it."""
    store, settings = FakeStore(fails=10**9), BrokerConfig(port=own_broker.port)
    ingest, link = depot_parts(settings, store)
    wait_until(lambda: link.connected, what="subscribed")
    with samples.fake_vehicle(own_broker.host, own_broker.port) as vehicle:
        event = vehicle.send(samples.observation())
        assert store.tried.acquire(timeout=10)
        ingest.stop()
        link.stop()
        good = FakeStore()
        ingest, link = depot_parts(settings, good)
        vehicle.acknowledged({event})
        ingest.stop()
        link.stop()
    assert len(good.saved) == 1


def depot_parts(settings: BrokerConfig, store: FakeStore) -> tuple[Ingest, Link]:
    ingest = Ingest(store)  # type: ignore[arg-type]
    link = Link(settings, put=ingest.put, refused=lambda: None)
    ingest.start(link.reply)
    link.start()
    return ingest, link


def test_what_came_over_an_earlier_connection_is_not_confirmed_on_the_next():
    link = Link(BrokerConfig(), put=lambda _arrival: True, refused=lambda: None)
    confirmed: list[tuple[int, int]] = []
    link._client.ack = lambda mid, qos: confirmed.append((mid, qos))  # type: ignore[method-assign,assignment]
    link._connection = 2
    link.reply(Reply((), (_Token(1, 5, 1), _Token(2, 6, 1))))
    link._send_replies()
    assert confirmed == [(6, 1)]
    link._wake_read.close()
    link._wake_write.close()


def test_sigterm_ends_it_cleanly_even_with_a_live_page_open(depot):
    with httpx.stream("GET", f"{depot.url}/api/events", timeout=10) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: change"
        assert depot.end() == 0
