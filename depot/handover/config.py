# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the hand-over: what may leave the depot, where to and how often."""

from __future__ import annotations

import ipaddress
import zoneinfo
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

from depot.sections import Section, Url
from settings import SettingsError

_ADDRESS = r"^[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,255}$"
Address = Annotated[str, Meta(pattern=_ADDRESS, max_length=254)]
Code = Annotated[str, Meta(min_length=1, max_length=100)]
Language = Literal["de", "en"]


class Open311Config(Section, frozen=True):
    """The city's Open311 GeoReport v2 endpoint that confirmed cases are filed at."""

    url: Annotated[
        Url | None, Meta(description="up to and with /v2, without requests.json; not set: nothing is filed")
    ] = None
    jurisdiction: Annotated[
        Annotated[str, Meta(max_length=200)] | None, Meta(description="jurisdiction_id, where the city asks")
    ] = None
    api_key_file: Annotated[Path | None, Meta(description="file with the api_key in its first line")] = None
    email: Annotated[Address | None, Meta(description="sender's address, where the city asks for one")] = None
    services: Annotated[
        dict[str, Code], Meta(description='service_code for each class; "*" stands for all others; none: not filed')
    ] = field(default_factory=dict)
    offices: Annotated[
        tuple[str, ...], Meta(description="only cases of these offices are filed by themselves; empty: of all")
    ] = ()
    automatic: Annotated[
        bool, Meta(description="file each confirmed case by itself; false: only those that a dispatcher hands over")
    ] = False
    delay_s: Annotated[
        int, Meta(ge=0, le=604_800, description="seconds from confirming to filing by itself: time to undo it")
    ] = 600
    resend: Annotated[
        bool,
        Meta(
            description="send again what got no answer and is not in the endpoint's list; only where that list shows"
            " every request at once. false: a person has to look"
        ),
    ] = False
    format: Annotated[
        Literal["xml", "json"], Meta(description="the standard wants xml of every endpoint, json only of some")
    ] = "xml"
    language: Annotated[Language, Meta(description="language of the request's text")] = "de"
    send_picture: Annotated[
        bool,
        Meta(description="media_url: a link to the anonymised picture that needs no login; wants handover.public_url"),
    ] = True
    look_after_s: Annotated[
        int,
        Meta(ge=1, le=86_400, description="seconds to wait before looking whether a request without answer arrived"),
    ] = 120
    follow_every_s: Annotated[
        int, Meta(ge=10, le=604_800, description="seconds between two questions for a request's status")
    ] = 3600
    timeout_s: Annotated[float, Meta(gt=0, le=300, description="seconds for one answer")] = 30.0


class EmailConfig(Section, frozen=True):
    """The daily e-mail digest."""

    host: Annotated[
        Annotated[str, Meta(min_length=1, max_length=253)] | None,
        Meta(description="SMTP server; not set: no digest is sent"),
    ] = None
    port: Annotated[int, Meta(ge=1, le=65535, description="587 is usual with starttls, 465 with tls")] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"], Meta(description="none only on this machine or a closed network")
    ] = "starttls"
    username: Annotated[str | None, Meta(description="login name; not set: no login")] = None
    password_file: Annotated[Path | None, Meta(description="file with the password in its first line")] = None
    sender: Annotated[Address, Meta(description="From")] = "wegewart@localhost"
    receivers: Annotated[
        dict[Address, tuple[str, ...]],
        Meta(description='who gets it: address = ["office", ...]; an empty list is every office'),
    ] = field(default_factory=dict)
    hour: Annotated[int, Meta(ge=0, le=23, description="hour of the day from which it is sent")] = 6
    days: Annotated[
        tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...], Meta(description="days of the week")
    ] = ("mon", "tue", "wed", "thu", "fri")
    time_zone: Annotated[str, Meta(max_length=64, description="IANA name")] = "Europe/Berlin"
    language: Annotated[Language, Meta(description="language of the digest")] = "de"
    timeout_s: Annotated[float, Meta(gt=0, le=300, description="seconds for one answer")] = 30.0


class WebhooksConfig(Section, frozen=True):
    """Webhooks; which ones there are is kept in the database."""

    allow_networks: Annotated[
        tuple[str, ...],
        Meta(
            description="networks of the city's own servers that may be called, e.g. 10.1.2.0/24; others must be public"
        ),
    ] = ()
    allow_http: Annotated[bool, Meta(description="true lets a webhook have an address without TLS")] = False
    give_up_after_h: Annotated[int, Meta(ge=1, le=720, description="hours after which a delivery has failed")] = 72
    timeout_s: Annotated[float, Meta(gt=0, le=120, description="seconds for one answer")] = 10.0


class HandoverConfig(Section, frozen=True):
    """What leaves the depot."""

    public_url: Annotated[
        Url | None, Meta(description="address of this depot as others reach it, for links; not set: as it was asked")
    ] = None
    open311: Open311Config = Open311Config()
    email: EmailConfig = EmailConfig()
    webhooks: WebhooksConfig = WebhooksConfig()


def problem(config: HandoverConfig) -> str | None:
    """What no single key shows, as one line; None: nothing."""
    for network in config.webhooks.allow_networks:
        if not _is_network(network):
            return f"handover.webhooks.allow_networks: {network!r} is no network, e.g. 10.1.2.0/24"
    email = config.email
    if (email.username is None) != (email.password_file is None):
        return "handover.email.username: username and password_file go together"
    if email.username is not None and email.security == "none":
        return "handover.email.security: a password would travel readable; use starttls or tls"
    if config.open311.url is not None and not config.open311.services:
        return "handover.open311.services: is empty, so nothing could be filed"
    try:
        zone(email.time_zone)
    except SettingsError as error:
        return f"handover.email.time_zone: {error}"
    return None


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def zone(name: str) -> zoneinfo.ZoneInfo:
    """The time zone. Raises SettingsError."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(f"{name!r} is no time zone, e.g. Europe/Berlin") from None
