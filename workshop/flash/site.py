# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The site file: what all cards of one city have in common. Secrets stand in files of their own."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from settings import SettingsError, load
from workshop.flash.words import refuse

Board = Literal["raspberry_pi", "jetson_orin_nano"]

_SSH_KEY = re.compile(r"(ssh-(ed25519|rsa)|ecdsa-sha2-nistp\d{3}|sk-\S+@openssh\.com) [A-Za-z0-9+/]+={0,2}( [^\r\n]*)?")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_ADDRESS = r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}\Z"
#: One line of printable characters.
_LINE = r"^[^\x00-\x1f\x7f]*\Z"


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


class Ethernet(Section, frozen=True):
    """Das Kabel in der Werkstatt / The cable in the workshop."""

    address: Annotated[
        Annotated[str, Meta(pattern=_ADDRESS)] | None,
        Meta(
            description="feste Adresse mit Netz, sonst DHCP / fixed address with prefix, else DHCP; 192.168.50.2/24",
        ),
    ] = None


class Wifi(Section, frozen=True):
    """WLAN der Werkstatt / The workshop's Wi-Fi."""

    ssid: Annotated[str, Meta(min_length=1, max_length=32, description="Name des Netzes / the network's name")]
    password_file: Annotated[
        Path | None,
        Meta(
            description="Datei, erste Zeile: Passwort; ohne: offenes Netz / file, first line: password; not set: open"
        ),
    ] = None
    country: Annotated[
        str, Meta(pattern=r"^[A-Z]{2}\Z", description="Land, regelt die Kanäle / country, decides the channels")
    ] = "DE"
    hidden: Annotated[bool, Meta(description="Netz sendet seinen Namen nicht / the network hides its name")] = False


class Lte(Section, frozen=True):
    """Mobilfunk / Mobile network."""

    apn: Annotated[
        str,
        Meta(
            min_length=1, max_length=100, pattern=_LINE, description="Zugangspunkt des Anbieters / the provider's APN"
        ),
    ]
    user: Annotated[
        Annotated[str, Meta(max_length=100, pattern=_LINE)] | None,
        Meta(description="Benutzer, falls verlangt / user name, if asked for"),
    ] = None
    password_file: Annotated[
        Path | None, Meta(description="Datei, erste Zeile: dessen Passwort / file, first line: its password")
    ] = None
    pin_file: Annotated[
        Path | None, Meta(description="Datei, erste Zeile: PIN der SIM-Karte / file, first line: the SIM card's PIN")
    ] = None
    roaming: Annotated[bool, Meta(description="auch in fremden Netzen / in foreign networks too")] = False


class Site(Section, frozen=True):
    """One city."""

    ssh_keys: Annotated[
        list[str],
        Meta(
            min_length=1, description="öffentliche SSH-Schlüssel, die hinein dürfen / public SSH keys that may log in"
        ),
    ]
    board: Annotated[Board, Meta(description="für welches Gerät / for which device")] = "raspberry_pi"
    user: Annotated[
        str, Meta(pattern=r"^[a-z_][a-z0-9_-]{0,30}\Z", description="Benutzer der Technik / the technicians' user name")
    ] = "technik"
    timezone: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*\Z", description="Zeitzone / time zone")
    ] = "Europe/Berlin"
    packages: Annotated[
        list[str], Meta(description="weitere Debian-Pakete / Debian packages besides those needed")
    ] = []
    vehicle_config: Annotated[
        Path | None,
        Meta(
            description="Vorlage der vehicle.toml, {vehicle} wird der Name / its template, {vehicle} becomes the name"
        ),
    ] = None
    ethernet: Annotated[Ethernet, Meta(description="Kabel der Werkstatt / the workshop's cable")] = Ethernet()
    wifi: Annotated[
        Wifi | None, Meta(description="WLAN der Werkstatt, muss nicht / the workshop's Wi-Fi, optional")
    ] = None
    lte: Annotated[Lte | None, Meta(description="Mobilfunk, muss nicht / mobile network, optional")] = None


def load_site(path: Path) -> Site:
    """Read the file.

    Raises:
        FlashError: one line that names file, key and reason.
    """
    try:
        site = load(path, Site)
    except SettingsError as error:
        refuse(str(error), str(error))
    for number, key in enumerate(site.ssh_keys, 1):
        if not _SSH_KEY.fullmatch(key):
            refuse(
                f"{path}: ssh_keys, Nummer {number}: kein öffentlicher SSH-Schlüssel (die Zeile aus einer .pub-Datei)",
                f"{path}: ssh_keys, number {number}: no public SSH key (the line of a .pub file)",
            )
    for package in site.packages:
        if not _PACKAGE.fullmatch(package):
            refuse(
                f"{path}: packages: {package!r} ist kein Paketname",
                f"{path}: packages: {package!r} is no package's name",
            )
    return site


def secret(path: Path) -> str:
    """The first line of a secret's file; never part of a message.

    Raises:
        FlashError: no such file, or nothing in it.
    """
    try:
        line = path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError):
        refuse(f"{path}: nicht lesbar", f"{path}: cannot be read")
    if not line:
        refuse(f"{path}: die erste Zeile ist leer", f"{path}: its first line is empty")
    return line


def wifi_key(wifi: Wifi) -> str | None:
    """The network's key as 64 hexadecimal digits (WPA2): the password itself does not go onto the card.

    Raises:
        FlashError: no password that WPA2 allows.
    """
    if wifi.password_file is None:
        return None
    password = secret(wifi.password_file)
    if not 8 <= len(password.encode()) <= 63:
        refuse(
            f"{wifi.password_file}: ein WLAN-Passwort hat 8 bis 63 Zeichen",
            f"{wifi.password_file}: a Wi-Fi password has 8 to 63 characters",
        )
    return hashlib.pbkdf2_hmac("sha1", password.encode(), wifi.ssid.encode(), 4096, 32).hex()
