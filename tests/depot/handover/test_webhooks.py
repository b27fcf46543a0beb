# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Webhooks: signed, told once in the outbox, tried until they arrive, and never a way into our own network."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from depot.handover.addresses import problem
from depot.handover.config import HandoverConfig, WebhooksConfig
from depot.handover.webhooks import Webhooks
from depot.people import audit
from depot.store.tables import cases
from tests.depot.handover.city import Clock, served
from tests.depot.handover.samples import add_case, client, services
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from depot.store.database import Database
    from tests.depot.handover.samples import Browser

OPEN = WebhooksConfig(allow_networks=("127.0.0.0/8",), allow_http=True, timeout_s=5, give_up_after_h=2)


class Receiver:
    """Takes deliveries; `moods` are the statuses that it answers next, 0 hangs up."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.moods: list[int] = []
        self.url = ""

    def answer(self, _method: str, _path: str, headers: Any, body: bytes) -> Any:
        self.got.append(({name.lower(): value for name, value in headers.items()}, body))
        mood = self.moods.pop(0) if self.moods else 204
        return None if mood == 0 else (mood, "", {"Location": "http://127.0.0.1:1/"} if mood == 302 else {})

    def kinds(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]


class Setup:
    def __init__(self, database: Database, receiver: Receiver) -> None:
        self.database = database
        self.clock = Clock(database)
        self.receiver = receiver
        self.settings = HandoverConfig(public_url="https://depot.example", webhooks=OPEN)
        self.browser: Browser = client(services(database), "admin", self.settings)

    def hook(self, **values: Any) -> Any:
        answer = self.browser.post("/api/webhooks", json={"url": self.receiver.url} | values)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def run(self, settings: HandoverConfig | None = None, **values: Any) -> int:
        worker = Webhooks(self.database, settings or self.settings, **values)
        try:
            return worker.run_once()
        finally:
            worker.close()

    def decide(self, number: int, action: str, **after: Any) -> None:
        with self.database.changing() as change:
            change.connection.execute(
                update(cases).where(cases.c.number == number).values(changed=change.next(), **after)
            )
            audit.record(
                change.connection,
                utc=change.now_utc,
                who="erika",
                action=action,
                kind="case",
                subject=number,
                after=after,
            )

    def deliveries(self, number: int = 1) -> list[Any]:
        found: list[Any] = self.browser.get(f"/api/webhooks/{number}/deliveries").json()["deliveries"]
        return found


@pytest.fixture
def setup(database: Database) -> Iterator[Setup]:
    receiver = Receiver()
    with served(receiver.answer) as url:
        receiver.url = f"{url}/hook?x=1"
        yield Setup(database, receiver)


def test_what_happens_from_now_on_is_told_once_and_signed(setup: Setup) -> None:
    add_case(setup.database, 1)
    secret = setup.hook()["secret"]
    add_case(setup.database, 2)
    setup.decide(2, "confirm", state="confirmed")
    setup.run()
    setup.run()
    assert setup.receiver.kinds() == ["case.opened", "case.confirm"]
    headers, body = setup.receiver.got[1]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    data = json.loads(body)["data"]
    assert (data["who"], data["after"], data["case"]["case"]) == ("erika", {"state": "confirmed"}, 2)
    assert [delivery["state"] for delivery in setup.deliveries()] == ["delivered", "delivered"]


def test_only_the_kinds_that_were_asked_for_are_told(setup: Setup) -> None:
    setup.hook(events=["case.reject", "case.handover_status"])
    add_case(setup.database, 1)
    setup.decide(1, "confirm", state="confirmed")
    setup.decide(1, "reject", state="rejected")
    setup.decide(1, "handover status")
    setup.run()
    assert setup.receiver.kinds() == ["case.reject", "case.handover_status"]


def test_a_delivery_is_tried_ever_more_slowly_with_the_same_id_until_it_arrives(setup: Setup) -> None:
    setup.hook()
    add_case(setup.database, 1)
    setup.receiver.moods = [0, 500, 302]
    setup.run()
    assert setup.run() == 0
    for wait_s in (11, 21, 41):
        setup.clock.forward(wait_s)
        assert setup.run() == 1
    assert len({headers["webhook-id"] for headers, _ in setup.receiver.got}) == 1
    assert len(setup.receiver.got) == 4
    assert setup.deliveries()[0]["state"] == "delivered"


def test_after_hours_in_vain_a_delivery_has_failed(setup: Setup) -> None:
    setup.hook()
    add_case(setup.database, 1)
    setup.receiver.moods = [500] * 50
    for _ in range(12):
        setup.run()
        setup.clock.forward(3600)
    assert setup.deliveries()[0]["state"] == "failed"
    assert setup.deliveries()[0]["answer"] == "500"
    setup.clock.forward(8 * 86_400)
    setup.run()
    assert setup.deliveries() == []


def test_a_receiver_that_is_gone_is_asked_no_more(setup: Setup) -> None:
    setup.hook()
    add_case(setup.database, 1)
    setup.receiver.moods = [410]
    setup.run()
    add_case(setup.database, 2)
    setup.run()
    assert len(setup.receiver.got) == 1
    assert setup.browser.get("/api/webhooks").json()["webhooks"][0]["active"] is False


def test_a_receiver_that_is_down_does_not_hold_up_another(setup: Setup) -> None:
    setup.hook(url=f"http://127.0.0.1:{free_port()}/")
    setup.hook()
    for number in range(1, 6):
        add_case(setup.database, number)
    assert setup.run() == 1 + 5
    assert len(setup.receiver.got) == 5
    assert [delivery["attempts"] for delivery in setup.deliveries(1)] == [0, 0, 0, 0, 1]
    setup.clock.forward(31)
    assert setup.run() == 1  # one of those that wait


def test_two_processes_tell_each_change_once(setup: Setup) -> None:
    setup.hook()
    for number in range(1, 31):
        add_case(setup.database, number)
    threads = [threading.Thread(target=setup.run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    setup.clock.forward(3600)
    setup.run()
    told = [json.loads(body)["data"]["case"]["case"] for _, body in setup.receiver.got]
    assert sorted(told) == list(range(1, 31))


def test_a_name_that_points_into_our_network_is_not_called(setup: Setup) -> None:
    setup.hook()
    closed = HandoverConfig(webhooks=WebhooksConfig(allow_http=True))
    add_case(setup.database, 1)
    setup.run(closed)
    assert setup.receiver.got == []
    assert "no public address" in setup.deliveries()[0]["answer"]


def test_the_address_that_was_checked_is_the_one_that_is_called(setup: Setup) -> None:
    hook = setup.hook()
    port = setup.receiver.url.partition(":")[2].rpartition(":")[2].partition("/")[0]
    url = f"http://hook.example:{port}/a"
    assert setup.browser.request("PATCH", f"/api/webhooks/{hook['number']}", json={"url": url}).status_code == 200
    asked: list[str] = []

    def find(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["10.0.0.1", "127.0.0.1"]

    add_case(setup.database, 1)
    setup.run(find=find)
    assert asked == ["hook.example"]
    assert setup.receiver.got[0][0]["host"] == f"hook.example:{port}"


def test_addresses_of_our_own_network_are_refused_in_every_writing() -> None:
    closed = WebhooksConfig()
    for host in (
        "127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "[::1]",
        "[::ffff:127.0.0.1]", "[fe80::1]", "[fc00::1]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[::]",
    ):  # fmt: skip
        assert problem(f"https://{host}/x", closed) is not None, host
    for url in (
        "http://example.org/",
        "https://erika:pw@example.org/",
        "ftp://example.org/",
        "https://",
        "https://[x/",
    ):
        assert problem(url, closed) is not None, url
    assert problem("https://93.184.215.14/x", closed) is None
    assert problem("https://10.1.2.3/x", WebhooksConfig(allow_networks=("10.1.0.0/16",))) is None


def test_webhooks_are_managed_by_administrators_and_recorded(setup: Setup) -> None:
    number = setup.hook(events=["case.opened"])["number"]
    path = f"/api/webhooks/{number}"
    assert "secret" not in setup.browser.get("/api/webhooks").text
    changed = setup.browser.request("PATCH", path, json={"events": ["*"], "active": False}).json()
    assert (changed["events"], changed["active"]) == (["*"], False)
    assert setup.browser.post(f"{path}/test").status_code == 202
    assert setup.run() == 0  # it is switched off
    setup.browser.request("PATCH", path, json={"active": True})
    assert setup.run() == 1
    assert setup.receiver.kinds() == ["test"]
    assert setup.browser.request("DELETE", path).status_code == 204
    for gone in (
        setup.browser.get(f"{path}/deliveries"),
        setup.browser.request("DELETE", path),
        setup.browser.post(f"{path}/test"),
    ):
        assert gone.status_code == 404
    assert setup.browser.post("/api/webhooks", json={"url": "http://10.0.0.1/"}).status_code == 422
    assert setup.browser.post("/api/webhooks", json={"url": setup.receiver.url, "events": ["x"]}).status_code == 422
    dispatcher = client(services(setup.database), "dispatcher", setup.settings)
    assert dispatcher.get("/api/webhooks").status_code == 403
    with setup.database.reading() as connection:
        kinds = connection.execute(audit.audit.select()).all()
    assert [row.action for row in kinds if row.kind == "webhook"] == ["added", "changed", "changed", "removed"]
