# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A vehicle's key and certificate from the fleet's folder (`scripts/provision`): only ones that will let it in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from workshop.flash.words import refuse
from workshop.register import Register


@dataclass(frozen=True)
class Keys:
    """Three files (PEM). `days`: until the certificate ends."""

    ca: bytes
    certificate: bytes
    key: bytes
    days: int


def vehicle_keys(fleet: Path, vehicle: str, now: datetime) -> Keys:
    """Read and check them.

    Raises:
        FlashError: not there, another vehicle's, taken back, expired, not the key's, not this fleet's.
    """
    folder = fleet / "vehicles" / vehicle
    again = f"scripts/provision {fleet} vehicle {vehicle}"
    ca, certificate, key = (_read(folder / name, again) for name in ("ca.pem", "vehicle.pem", "vehicle.key"))
    try:
        made = x509.load_pem_x509_certificate(certificate)
        authority = x509.load_pem_x509_certificate(ca)
        secret = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError):
        refuse(
            f"{folder}: eine Datei ist beschädigt; neu ausstellen: {again}",
            f"{folder}: a file is damaged; renew: {again}",
        )
    names = [str(one.value) for one in made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [vehicle]:
        refuse(
            f"{folder}/vehicle.pem: ist für {', '.join(names)}, nicht für {vehicle}; neu ausstellen: {again}",
            f"{folder}/vehicle.pem: is given to {', '.join(names)}, not to {vehicle}; renew: {again}",
        )
    if secret.public_key() != made.public_key():
        refuse(
            f"{folder}: Schlüssel und Zertifikat gehören nicht zusammen; neu ausstellen: {again}",
            f"{folder}: key and certificate do not belong together; renew: {again}",
        )
    _check_signer(made, authority, folder, again)
    if ca != _read(fleet / "ca.pem", again):
        refuse(
            f"{folder}/ca.pem: gehört nicht zur Stelle dieser Flotte; neu ausstellen: {again}",
            f"{folder}/ca.pem: is not this fleet's authority; renew: {again}",
        )
    if f"{made.serial_number:x}" in Register(fleet / "register.jsonl").revoked:
        refuse(
            f"{folder}: das Zertifikat ist widerrufen; ein neues ausstellen: {again}",
            f"{folder}: the certificate is revoked; issue a new one: {again}",
        )
    if not made.not_valid_before_utc <= now < made.not_valid_after_utc:
        refuse(
            f"{folder}: das Zertifikat gilt nicht (bis {made.not_valid_after_utc:%Y-%m-%d}); neu ausstellen: {again}",
            f"{folder}: the certificate is not valid (until {made.not_valid_after_utc:%Y-%m-%d}); renew: {again}",
        )
    return Keys(ca, certificate, key, (made.not_valid_after_utc - now).days)


def _check_signer(made: x509.Certificate, authority: x509.Certificate, folder: Path, again: str) -> None:
    try:
        made.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        refuse(
            f"{folder}: das Zertifikat ist nicht von ca.pem daneben; neu ausstellen: {again}",
            f"{folder}: the certificate is not by the ca.pem beside it; renew: {again}",
        )


def _read(path: Path, again: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        refuse(
            f"{path}: nicht lesbar ({error.strerror}); ausstellen: {again}",
            f"{path}: cannot be read ({error.strerror}); issue it: {again}",
        )
