# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which broker, and as whom: checked once at start, errors name the key."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from edge.delivery.budget import BudgetLimits
from edge.delivery.window import Limits
from edge.errors import ConfigError
from messages.topics import is_vehicle_name

Protocol = Literal["5", "3.1.1"]


@dataclass(frozen=True)
class Tls:
    """TLS with the broker's CA (None: the system's) and, where the broker wants one, this vehicle's certificate."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """A context that always checks certificate and host name.

        Raises:
            ConfigError: a file cannot be read or does not fit; names the key.
        """
        if (self.certificate is None) != (self.key is None):
            raise ConfigError("broker.tls: certificate and key belong together; give both or none")
        for name in ("ca", "certificate", "key"):
            path: Path | None = getattr(self, name)
            if path is not None and not path.is_file():
                raise ConfigError(f"broker.tls.{name}: {path} is not a file")
        try:
            context = ssl.create_default_context(cafile=self.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.certificate is not None:
                # Never asks for a pass phrase at a terminal that a vehicle does not have.
                context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        except (OSError, ValueError) as error:  # SSLError is an OSError
            raise ConfigError(f"broker.tls: {self.ca}, {self.certificate}, {self.key}: {error}") from None
        return context


@dataclass(frozen=True)
class BrokerSettings:
    """One vehicle's way to its broker.

    `username` is the vehicle's name where a password file is given and no other name is.
    `password_file`: one line; the password never stands in the configuration itself.
    `session_expiry_s`: how long the broker keeps what the depot says while the vehicle is parked (MQTT 5).
    `will_delay_s`: so short a gap in the link does not make the vehicle offline (MQTT 5).
    """

    host: str
    vehicle: str
    port: int = 1883
    protocol: Protocol = "5"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    tls: Tls | None = None
    keepalive_s: int = 60
    connect_timeout_s: float = 10.0
    session_expiry_s: int = 7 * 24 * 3600
    health_expiry_s: int = 60
    will_delay_s: int = 10
    limits: Limits = field(default_factory=Limits)
    budget: BudgetLimits = field(default_factory=BudgetLimits)

    def __post_init__(self) -> None:
        """Raises ConfigError."""
        if not is_vehicle_name(self.vehicle):
            raise ConfigError(
                f"vehicle: {self.vehicle!r} is no name; use lower-case letters, digits, hyphens, at most 63"
            )
        if not self.host:
            raise ConfigError("broker.host: is empty")
        if not 1 <= self.port <= 65535:
            raise ConfigError(f"broker.port: {self.port} is not within 1 to 65535")
        if self.protocol not in ("5", "3.1.1"):
            raise ConfigError(f'broker.protocol: {self.protocol!r} is neither "5" nor "3.1.1"')

    @property
    def address(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"

    def login(self) -> tuple[str, str | None] | None:
        """User name and password, or None for an anonymous login.

        Raises:
            ConfigError: the password file cannot be read or is empty.
        """
        if self.password_file is None:
            return (self.username, self.password) if self.username else None
        try:
            password = self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"broker.password_file: {self.password_file}: {error}") from None
        if not password:
            raise ConfigError(f"broker.password_file: {self.password_file} is empty")
        return self.username or self.vehicle, password


def from_url(url: str, vehicle: str, *, protocol: Protocol = "5", limits: Limits | None = None) -> BrokerSettings:
    """Settings from `mqtt://[user[:password]@]host[:port]`, or `mqtts://` for TLS with the system's CAs.

    Raises:
        ConfigError: it is no such URL.
    """
    shown = url.rpartition("@")[2]  # without the password
    try:
        parts = urlsplit(url if "://" in url else f"mqtt://{url}")
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"broker: {shown!r} is not a URL: {error}") from None
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ConfigError(f"broker: {shown!r} is not of the form mqtt://host:port or mqtts://host:port")
    secure = parts.scheme == "mqtts"
    return BrokerSettings(
        host=parts.hostname,
        port=port or (8883 if secure else 1883),
        vehicle=vehicle,
        protocol=protocol,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=Tls() if secure else None,
        limits=limits or Limits(),
    )
