# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The folder in which a fleet's certificates are kept, and what can be done with it.

ca.pem, ca.key       the authority (the key belongs on a medium that lies in a safe)
register.jsonl       what was given out and taken back
broker/              what goes onto the broker: ca.pem, broker.pem, broker.key, revoked.pem, wegewart.acl, .conf
depot/               what goes to the depot: ca.pem, depot.pem, depot.key
vehicles/NAME/       what goes onto a vehicle: ca.pem, vehicle.pem, vehicle.key
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from messages.topics import is_vehicle_name
from workshop.authority import Authority, new_key, pem, private_pem, request
from workshop.errors import WorkshopError
from workshop.files import write
from workshop.register import Issued, Kind, Register, Revoked

#: The broker's configuration as the project delivers it.
MOSQUITTO = Path(__file__).resolve().parent.parent / "docs" / "mosquitto"
_NOT_A_VEHICLE = ("depot", "broker")
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Standing:
    """A name's newest valid certificate. `days`: until it ends."""

    kind: Kind
    name: str
    days: int
    until: str
    revoked: bool


class Desk:
    """One fleet's folder."""

    def __init__(self, folder: Path, now: datetime, passphrase: bytes | None = None) -> None:
        """Open it.

        Raises:
            WorkshopError: it holds no authority, or is damaged.
        """
        self.folder = folder
        self._now = now
        self._passphrase = passphrase
        if not (folder / "ca.pem").is_file():
            raise WorkshopError(f"{folder}: holds no authority; begin with: scripts/provision {folder} init")
        self._register = Register(folder / "register.jsonl")

    @classmethod
    def make(cls, folder: Path, now: datetime, *, name: str, passphrase: bytes | None = None) -> Desk:
        """A folder with a new authority.

        Raises:
            WorkshopError: there is one already.
        """
        cls._check_free(folder)
        authority = Authority.make(name, now)
        write(folder / "ca.key", authority.key_pem(passphrase), secret=True)
        write(folder / "ca.pem", pem(authority.certificate))
        desk = cls(folder, now, passphrase)
        desk._write_revoked(authority)
        return desk

    @classmethod
    def take_over(
        cls, folder: Path, now: datetime, *, certificate: Path, key: Path, passphrase: bytes | None = None
    ) -> Desk:
        """A folder with an authority that the city's has made for us.

        Raises:
            WorkshopError: there is one already, or the files cannot be used.
        """
        cls._check_free(folder)
        authority = Authority.load(certificate, key, passphrase)
        write(folder / "ca.key", authority.key_pem(passphrase), secret=True)
        write(folder / "ca.pem", pem(authority.certificate))
        desk = cls(folder, now, passphrase)
        desk._write_revoked(authority)
        return desk

    @staticmethod
    def _check_free(folder: Path) -> None:
        if (folder / "ca.key").exists() or (folder / "ca.pem").exists():
            raise WorkshopError(f"{folder}: holds an authority already; without it no vehicle could log in any more")

    def vehicle(self, name: str, *, days: int) -> Path:
        """Key and certificate of a vehicle; returns their folder.

        Raises:
            WorkshopError: not a vehicle's name.
        """
        self._check_vehicle(name)
        return self._issue("vehicle", name, self.folder / "vehicles" / name, days)

    def sign(self, csr: Path, name: str, *, days: int) -> Path:
        """A certificate for a key that stays on the vehicle; returns the certificate's path.

        Raises:
            WorkshopError: not a vehicle's name, or no request.
        """
        self._check_vehicle(name)
        folder = self.folder / "vehicles" / name
        certificate = self._certify("vehicle", name, request(csr).public_key(), days)
        write(folder / "vehicle.pem", pem(certificate))
        write(folder / "ca.pem", (self.folder / "ca.pem").read_bytes())
        return folder / "vehicle.pem"

    def depot(self, *, days: int) -> Path:
        """Key and certificate of the depot; returns their folder."""
        return self._issue("depot", "depot", self.folder / "depot", days)

    def broker(self, hosts: Sequence[str], *, days: int) -> Path:
        """All that the broker needs; returns the folder.

        Raises:
            WorkshopError: no host, or one that is none.
        """
        for host in hosts:
            if not _is_host(host):
                raise WorkshopError(f"{host!r} is no host name or address")
        if not hosts:
            raise WorkshopError("name the broker's host name or address, as the vehicles will call it")
        folder = self._issue("broker", hosts[0], self.folder / "broker", days, hosts)
        self._write_revoked(self._authority())
        write(folder / "wegewart.acl", (MOSQUITTO / "wegewart.acl").read_bytes())
        delivered = (MOSQUITTO / "wegewart.conf").read_text(encoding="utf-8")
        with_list = delivered.replace("cafile ", "crlfile /etc/wegewart/broker/revoked.pem\ncafile ", 1)
        write(folder / "wegewart.conf", with_list.encode())
        return folder

    def revoke(self, name: str, reason: str) -> int:
        """Take back all that was given out under a name; returns how many. The list goes to the broker then.

        Raises:
            WorkshopError: nothing was.
        """
        found = self._register.of(name)
        if not found:
            raise WorkshopError(
                f"{name}: nothing is given out under this name; see: scripts/provision {self.folder} list"
            )
        for one in found:
            self._register.add(Revoked(serial=one.serial, at=self._now.isoformat(), reason=reason))
        self._write_revoked(self._authority())
        return len(found)

    def ending(self, within_days: int) -> list[Standing]:
        """Vehicles and others whose newest certificate ends within so many days."""
        return [one for one in self.standing() if not one.revoked and one.days <= within_days]

    def standing(self) -> list[Standing]:
        """Each name with its newest certificate, by kind and name."""
        newest: dict[str, Issued] = {}
        for one in self._register.issued.values():
            known = newest.get(one.name)
            if known is None or (known.serial in self._register.revoked, one.until) >= (
                one.serial in self._register.revoked,
                known.until,
            ):
                newest[one.name] = one
        return sorted(
            (
                Standing(
                    kind=one.kind,
                    name=one.name,
                    days=(datetime.fromisoformat(one.until) - self._now).days,
                    until=one.until,
                    revoked=one.serial in self._register.revoked,
                )
                for one in newest.values()
            ),
            key=lambda one: (one.kind, one.name),
        )

    def _issue(self, kind: Kind, name: str, folder: Path, days: int, hosts: Sequence[str] = ()) -> Path:
        """Key first, certificate last: a folder with a certificate is complete."""
        key = new_key()
        certificate = self._certify(kind, name, key.public_key(), days, hosts)
        write(folder / f"{kind}.key", private_pem(key), secret=True)
        write(folder / "ca.pem", (self.folder / "ca.pem").read_bytes())
        write(folder / f"{kind}.pem", pem(certificate))
        return folder

    def _certify(
        self, kind: Kind, name: str, public: CertificatePublicKeyTypes, days: int, hosts: Sequence[str] = ()
    ) -> x509.Certificate:
        """In the register before anybody has it: what nobody knows of could never be taken back."""
        certificate = self._authority().issue(kind, name, public, self._now, days=days, hosts=hosts)
        self._register.add(
            Issued(
                serial=f"{certificate.serial_number:x}",
                kind=kind,
                name=name,
                at=self._now.isoformat(),
                until=certificate.not_valid_after_utc.isoformat(),
            )
        )
        return certificate

    def _authority(self) -> Authority:
        return Authority.load(self.folder / "ca.pem", self.folder / "ca.key", self._passphrase)

    def _write_revoked(self, authority: Authority) -> None:
        content = authority.revocations(list(self._register.revoked.values()), self._now)
        write(self.folder / "broker" / "revoked.pem", content)

    @staticmethod
    def _check_vehicle(name: str) -> None:
        if not is_vehicle_name(name):
            raise WorkshopError(f"vehicle {name!r}: lower-case letters, digits and hyphens, at most 63")
        if name in _NOT_A_VEHICLE:
            raise WorkshopError(f"vehicle {name!r}: with this name it could command all others; take another")


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _HOST.match(host) is not None
    return True
