# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A small certificate authority (X.509, RFC 5280): one for a fleet, its own or handed down by the city's.

Keys are ECDSA on P-256. A certificate's common name says who it is; the broker asks for nothing else.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from workshop.errors import WorkshopError
from workshop.register import Kind, Revoked

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

#: A clock that runs behind must not find a new certificate to be of the future.
_BACK = timedelta(days=1)
_USAGE: dict[Kind, x509.ObjectIdentifier] = {
    "vehicle": ExtendedKeyUsageOID.CLIENT_AUTH,
    "depot": ExtendedKeyUsageOID.CLIENT_AUTH,
    "broker": ExtendedKeyUsageOID.SERVER_AUTH,
}


class Authority:
    """Signs certificates and the list of those taken back."""

    def __init__(self, certificate: x509.Certificate, key: Key) -> None:
        self.certificate = certificate
        self._key = key

    @classmethod
    def make(cls, name: str, now: datetime, *, years: int = 20) -> Authority:
        """A new one of its own."""
        key = new_key()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            _begun(subject, subject, key.public_key(), now, now + timedelta(days=365 * years))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def load(cls, certificate: Path, key: Path, passphrase: bytes | None) -> Authority:
        """One that exists.

        Raises:
            WorkshopError: a file cannot be used, or the two do not belong together.
        """
        try:
            made = x509.load_pem_x509_certificate(certificate.read_bytes())
            loaded = serialization.load_pem_private_key(key.read_bytes(), passphrase)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise WorkshopError(f"{certificate}, {key}: cannot be used: {error}") from None
        if not isinstance(loaded, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise WorkshopError(f"{key}: an ECDSA or RSA key is wanted")
        if loaded.public_key() != made.public_key():
            raise WorkshopError(f"{key}: is not the key of {certificate}")
        try:
            is_ca = made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            is_ca = False
        if not is_ca:
            raise WorkshopError(f"{certificate}: is no certificate authority's (basicConstraints CA)")
        return cls(made, loaded)

    def issue(
        self,
        kind: Kind,
        name: str,
        public: CertificatePublicKeyTypes,
        now: datetime,
        *,
        days: int,
        hosts: Sequence[str] = (),
    ) -> x509.Certificate:
        """A certificate for a public key; never longer than the authority's own."""
        until = min(now + timedelta(days=days), self.certificate.not_valid_after_utc)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            _begun(subject, self.certificate.subject, public, now, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([_USAGE[kind]]), critical=False)
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
            )
        return builder.sign(self._key, hashes.SHA256())

    def revocations(self, revoked: Sequence[Revoked], now: datetime) -> bytes:
        """The list of those taken back, as PEM.

        It is valid as long as the authority: a broker that finds its list outdated lets nobody in, and a whole fleet
        that is silent for a forgotten file is worse than a list that is replaced whenever it changes.
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - _BACK)
            .next_update(self.certificate.not_valid_after_utc)
        )
        for one in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(one.serial, 16))
                .revocation_date(datetime.fromisoformat(one.at))
                .build()
            )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def key_pem(self, passphrase: bytes | None) -> bytes:
        """The secret key; encrypted where there is a passphrase."""
        return private_pem(self._key, passphrase)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh secret key."""
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: Key, passphrase: bytes | None = None) -> bytes:
    """A secret key as PEM (PKCS 8)."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def request(path: Path) -> x509.CertificateSigningRequest:
    """A request that a vehicle made for a key that never leaves it.

    Raises:
        WorkshopError: it is none, or not signed by its own key.
    """
    try:
        asked = x509.load_pem_x509_csr(path.read_bytes())
        valid = asked.is_signature_valid
    except (OSError, ValueError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise WorkshopError(f"{path}: no certificate request (PEM): {error}") from None
    if not valid:
        raise WorkshopError(f"{path}: is not signed by the key that it asks for")
    return asked


def _begun(
    subject: x509.Name, issuer: x509.Name, public: CertificatePublicKeyTypes, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACK)
        .not_valid_after(until)
    )


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
