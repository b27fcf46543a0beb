# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The daily digest, through a real SMTP server: once a day, in the receiver's language, to nobody by a trick."""

from __future__ import annotations

import email
import email.policy
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from msgspec.structs import replace

from depot.errors import ConfigError
from depot.handover.config import EmailConfig, HandoverConfig, problem
from depot.handover.mail import Digests
from depot.handover.workers import workers
from tests.depot.handover.city import Clock
from tests.depot.handover.samples import add_case
from tests.servers import HOST, free_port, need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from depot.store.database import Database


class Inbox:
    """Takes mail; `moods` are the answers to the next messages."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.moods: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.moods:
            return self.moods.pop(0)
        self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    made, port = Inbox(), free_port()
    server = Controller(made, hostname=HOST, port=port)
    server.start()
    yield made, port
    server.stop()


class Setup:
    def __init__(self, database: Database, inbox: tuple[Inbox, int]) -> None:
        self.database = database
        self.clock = Clock(database)  # a Monday, 10:00 in Berlin
        self.inbox, port = inbox
        own = EmailConfig(host=HOST, port=port, security="none", receivers={"a@example.org": ()})
        self.settings = HandoverConfig(public_url="https://depot.example", email=own)

    def set(self, **values: Any) -> None:
        self.settings = replace(self.settings, email=replace(self.settings.email, **values))

    def run(self) -> int:
        return Digests(self.database, self.settings).run_once()

    def texts(self) -> list[str]:
        return [message.get_content() for message in self.inbox.messages]


@pytest.fixture
def setup(database: Database, inbox: tuple[Inbox, int]) -> Setup:
    return Setup(database, inbox)


def test_it_tells_what_is_new_what_waits_and_what_got_worse(setup: Setup) -> None:
    add_case(setup.database, 1, grade=2, opened_utc="2026-10-11T09:00:00.000Z")
    add_case(setup.database, 2, grade=5, opened_utc="2026-10-11T09:00:00.000Z", trend="growing")
    add_case(setup.database, 3, opened_utc="2026-01-01T00:00:00.000Z")
    add_case(setup.database, 4, state="reopened")
    add_case(setup.database, 5, state="confirmed")
    assert setup.run() == 1
    (message,) = setup.inbox.messages
    assert message["Subject"] == "Wegewart: 2 neu, 1 warten"
    assert message["To"] == "a@example.org"
    text = message.get_content()
    assert text.index("2: Schlagloch, Königstraße (Schwere 5)") < text.index("1: Schlagloch")
    assert "https://depot.example/?queue=all&case=2" in text
    assert "Wird größer: 1" in text
    assert "Nach der Reparatur wieder gesehen: 1" in text


def test_it_is_sent_once_a_day_on_working_days_from_its_hour_on(setup: Setup) -> None:
    assert [setup.run(), setup.run()] == [1, 0]
    setup.clock.forward(3600)
    assert setup.run() == 0
    setup.clock.forward(13 * 3600 + 60)  # Tuesday 00:01 in Berlin
    assert setup.run() == 0
    setup.clock.forward(6 * 3600)
    assert setup.run() == 1
    setup.clock.forward(4 * 86_400)  # Saturday
    assert setup.run() == 0
    assert len(setup.inbox.messages) == 2


def test_each_receiver_gets_its_offices_in_the_language_that_is_set(setup: Setup) -> None:
    add_case(setup.database, 1, opened_utc="2026-10-11T09:00:00.000Z", office="Tunnelbau")
    add_case(setup.database, 2, opened_utc="2026-10-11T09:00:00.000Z", office="Stadtwerke")
    setup.set(receivers={"t@example.org": ("Tunnelbau",), "b@example.org": ()}, language="en")
    assert setup.run() == 2
    assert [message["Subject"] for message in setup.inbox.messages] == [
        "Wegewart: 1 new, 0 waiting",
        "Wegewart: 2 new, 0 waiting",
    ]
    assert "for: Tunnelbau" in setup.texts()[0]


def test_monday_tells_of_the_week_end(setup: Setup) -> None:
    add_case(setup.database, 1, opened_utc="2026-10-09T12:00:00.000Z")  # Friday afternoon
    setup.run()
    assert "Neu seit dem letzten Bericht: 1" in setup.texts()[0]


def test_a_server_that_refuses_is_tried_again_with_the_same_message_id(setup: Setup) -> None:
    setup.inbox.moods = ["451 later"]
    assert setup.run() == 0
    assert setup.run() == 0
    setup.clock.forward(301)
    assert setup.run() == 1
    setup.set(receivers={"c@example.org": ()}, port=free_port())
    assert setup.run() == 0  # nobody listens: no traceback
    assert len({message["Message-ID"] for message in setup.inbox.messages}) == 1


def test_a_name_of_a_street_cannot_write_a_header(setup: Setup) -> None:
    add_case(setup.database, 1, opened_utc="2026-10-11T09:00:00.000Z", road="X\r\nBcc: evil@example.org\r\n\r\n.\r\n")
    setup.run()
    (message,) = setup.inbox.messages
    assert message["Bcc"] is None
    assert not any(line.startswith("Bcc") for line in message.get_content().splitlines())


class _Users:
    """Who may send."""

    def __call__(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, found: Any) -> AuthResult:
        return AuthResult(success=(found.login, found.password) == (b"wegewart", b"geheim"))


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of localhost that signs itself, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return cert, key


def test_with_starttls_it_logs_in_and_trusts_no_unknown_certificate(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = _certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    made, port = Inbox(), free_port()
    server = Controller(
        made, hostname=HOST, port=port, tls_context=context, require_starttls=True, auth_required=True,
        authenticator=_Users(),
    )  # fmt: skip
    password = tmp_path / "password"
    password.write_text("geheim\n")
    setup.set(host="localhost", port=port, security="starttls", username="wegewart", password_file=password)
    server.start()
    try:
        assert setup.run() == 0  # its certificate is not trusted
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        setup.clock.forward(301)
        assert setup.run() == 1
    finally:
        server.stop()
    assert len(made.messages) == 1


def test_two_processes_send_one(setup: Setup) -> None:
    threads = [threading.Thread(target=setup.run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(setup.inbox.messages) == 1


def test_only_what_is_set_works_in_the_background(setup: Setup) -> None:
    assert set(workers(setup.database, setup.settings)) == {"webhooks", "email"}
    assert set(workers(setup.database, HandoverConfig())) == {"webhooks"}


def test_settings_that_cannot_work_are_said() -> None:
    for own, key in (
        (EmailConfig(time_zone="Mars/Olympus"), "time_zone"),
        (EmailConfig(username="x"), "username"),
    ):
        assert key in (problem(HandoverConfig(email=own)) or "")
    unused: Any = None
    with pytest.raises(ConfigError):
        Digests(unused, HandoverConfig())
