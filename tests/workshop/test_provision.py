# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Certificates for a fleet, tried on a real Mosquitto with the configuration that the desk writes."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509

from edge.delivery import BrokerSettings, Tls, check_broker
from edge.errors import BrokerError
from tests.servers import HOST, free_port, listens, need, wait_until
from workshop.desk import Desk
from workshop.errors import WorkshopError
from workshop.provision import main

NOW = datetime.now(timezone.utc).replace(microsecond=0)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.make(tmp_path / "fleet", NOW, name="Wegewart Test")


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_secret_key_is_readable_for_its_owner_alone(desk: Desk) -> None:
    folder = desk.vehicle("wagen-7", days=730)
    for key in (folder / "vehicle.key", desk.folder / "ca.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_no_certificate_outlives_its_authority(tmp_path: Path) -> None:
    desk = Desk.make(tmp_path / "fleet", NOW - timedelta(days=365 * 20 - 10), name="old")
    late = Desk(desk.folder, NOW)
    made = certificate(late.vehicle("wagen-7", days=730) / "vehicle.pem")
    assert made.not_valid_after_utc == certificate(desk.folder / "ca.pem").not_valid_after_utc


@pytest.mark.parametrize("name", ["depot", "broker", "Wagen 7", "../x", "", "a" * 64, "#", "+"])
def test_a_name_that_could_command_others_is_no_vehicle(desk: Desk, name: str) -> None:
    with pytest.raises(WorkshopError, match=r"^vehicle "):
        desk.vehicle(name, days=1)
    assert not (desk.folder / "vehicles").exists()


def test_a_second_authority_in_the_same_folder_is_refused(desk: Desk) -> None:
    before = (desk.folder / "ca.pem").read_bytes()
    with pytest.raises(WorkshopError, match="holds an authority already"):
        Desk.make(desk.folder, NOW, name="again")
    assert (desk.folder / "ca.pem").read_bytes() == before


def test_the_authoritys_key_is_encrypted_where_there_is_a_passphrase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("korrekt pferd\n")
    fleet = str(tmp_path / "fleet")
    assert main([fleet, "--passphrase-file", str(secret), "init"]) == 0
    assert b"ENCRYPTED" in (tmp_path / "fleet" / "ca.key").read_bytes()
    assert main([fleet, "vehicle", "wagen-7"]) == 1
    assert main([fleet, "--passphrase-file", str(secret), "vehicle", "wagen-7"]) == 0
    said = capsys.readouterr()
    assert "korrekt pferd" not in said.out + said.err


def test_an_authority_of_the_city_can_be_taken_over(desk: Desk, tmp_path: Path) -> None:
    other = Desk.take_over(tmp_path / "other", NOW, certificate=desk.folder / "ca.pem", key=desk.folder / "ca.key")
    made = certificate(other.vehicle("wagen-7", days=10) / "vehicle.pem")
    made.verify_directly_issued_by(certificate(desk.folder / "ca.pem"))
    vehicle = desk.vehicle("wagen-8", days=10)
    with pytest.raises(WorkshopError, match="no certificate authority"):
        Desk.take_over(tmp_path / "third", NOW, certificate=vehicle / "vehicle.pem", key=vehicle / "vehicle.key")


def test_a_vehicle_may_keep_its_key_to_itself(desk: Desk, tmp_path: Path) -> None:
    openssl = need("openssl")
    subprocess.run(
        [openssl, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "own.key",
         "-subj", "/CN=another name", "-out", "own.csr"], cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    path = desk.sign(tmp_path / "own.csr", "wagen-7", days=10)
    assert certificate(path).subject.rfc4514_string() == "CN=wagen-7", "the name is ours to give"
    assert not (path.parent / "vehicle.key").exists()


def test_what_ends_soon_is_renewed_and_nothing_else(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.vehicle("soon", days=30)
    desk.vehicle("later", days=300)
    desk.vehicle("stolen", days=30)
    desk.revoke("stolen", "stolen")
    before = {
        name: (desk.folder / "vehicles" / name / "vehicle.pem").read_bytes() for name in ("soon", "later", "stolen")
    }
    assert main([str(desk.folder), "list"], now=NOW) == 3
    assert main([str(desk.folder), "renew"], now=NOW) == 0
    assert "nothing ends" not in capsys.readouterr().out
    assert main([str(desk.folder), "renew"], now=NOW) == 0
    assert capsys.readouterr().out == "nothing ends within 60 days\n"
    after = {name: (desk.folder / "vehicles" / name / "vehicle.pem").read_bytes() for name in before}
    assert [name for name in before if before[name] != after[name]] == ["soon"]
    assert main([str(desk.folder), "list"], now=NOW) == 0
    assert "taken back" in capsys.readouterr().out


def test_a_register_with_a_torn_last_line_goes_on_and_a_damaged_one_does_not(desk: Desk) -> None:
    desk.vehicle("wagen-7", days=10)
    register = desk.folder / "register.jsonl"
    whole = register.read_bytes()
    register.write_bytes(whole + b'{"type":"issued","ser')
    again = Desk(desk.folder, NOW)
    assert [one.name for one in again.standing()] == ["wagen-7"]
    again.vehicle("wagen-8", days=10)
    assert [one.name for one in Desk(desk.folder, NOW).standing()] == ["wagen-7", "wagen-8"]
    register.write_bytes(b"nonsense\n" + whole)
    with pytest.raises(WorkshopError, match=r"register\.jsonl, line 1: "):
        Desk(desk.folder, NOW)


@contextmanager
def broker(desk: Desk, folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Mosquitto with the files that the desk has written; only paths and port are the test's."""
    files = desk.broker([HOST, "localhost"], days=10)
    port = free_port()
    text = (files / "wegewart.conf").read_text().replace("/etc/wegewart/broker", str(files))
    text = text.replace("listener 8883", f"listener {port} {HOST}").replace("/var/lib/mosquitto/", f"{folder}/")
    config = folder / "mosquitto.conf"
    config.write_text(f"{text}\nuser {pwd.getpwuid(os.getuid()).pw_name}\n")
    process = subprocess.Popen([need("mosquitto"), "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(HOST, port), what="the broker")
        yield port, process
    finally:
        process.terminate()
        process.wait(10)


def log_in(desk: Desk, name: str, port: int) -> None:
    folder = desk.folder / "vehicles" / name
    tls = Tls(folder / "ca.pem", folder / "vehicle.pem", folder / "vehicle.key")
    check_broker(BrokerSettings(HOST, name, port, tls=tls, will_delay_s=0, connect_timeout_s=5))


def lets_in(desk: Desk, name: str, port: int) -> bool:
    try:
        log_in(desk, name, port)
    except BrokerError:
        return False
    return True


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stolen_vehicle_is_locked_out_and_the_others_are_not(desk: Desk, tmp_path: Path) -> None:
    desk.vehicle("wagen-7", days=10)
    desk.vehicle("wagen-8", days=10)
    with broker(desk, tmp_path) as (port, _):
        log_in(desk, "wagen-7", port)
        log_in(desk, "wagen-8", port)
    assert desk.revoke("wagen-7", "stolen") == 1
    with broker(desk, tmp_path) as (port, process):
        with pytest.raises(BrokerError):
            log_in(desk, "wagen-7", port)
        log_in(desk, "wagen-8", port)
        desk.revoke("wagen-8", "stolen, too")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: not lets_in(desk, "wagen-8", port), what="the reload of the list")


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_certificate_of_another_authority_opens_nothing(desk: Desk, tmp_path: Path) -> None:
    other = Desk.make(tmp_path / "other", NOW, name="Wegewart Test")
    folder = other.vehicle("wagen-7", days=10)
    (folder / "ca.pem").write_bytes((desk.folder / "ca.pem").read_bytes())
    with broker(desk, tmp_path) as (port, _), pytest.raises(BrokerError):
        log_in(other, "wagen-7", port)
