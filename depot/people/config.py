# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings `[people]` and `[people.oidc]`: who gets in, and how long a login holds."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, field

from depot.people.roles import UserRole
from depot.sections import Section, Url


class OidcConfig(Section, frozen=True):
    """Login by the city's identity provider (OpenID Connect, code flow with PKCE)."""

    issuer: Annotated[
        Url | None, Meta(description="address of the provider, as its discovery document names it; https")
    ] = None
    client_id: Annotated[str, Meta(max_length=200, description="our name there")] = ""
    client_secret_file: Annotated[
        Path | None, Meta(description="file with the secret in its first line; not set: a public client, PKCE alone")
    ] = None
    scopes: Annotated[str, Meta(max_length=200, description="what we ask for, with blanks between")] = "openid profile"
    name_claim: Annotated[str, Meta(max_length=100, description="claim with the user's name")] = "preferred_username"
    role_claim: Annotated[
        str, Meta(max_length=100, description="claim with groups or roles; dots lead into nested claims")
    ] = "groups"
    roles: Annotated[
        dict[str, UserRole],
        Meta(description='role of each group, e.g. {"wegewart-pruefer" = "reviewer"}; the highest one counts'),
    ] = field(default_factory=dict)


class PeopleConfig(Section, frozen=True):
    """Who gets in."""

    login: Annotated[
        Literal["password", "oidc", "off"],
        Meta(description="off: everybody on this machine is admin; only where http.host is this machine alone"),
    ] = "password"
    passwords_too: Annotated[
        bool, Meta(description="with oidc: users with a password get in as well, for the day the provider is down")
    ] = False
    notice: Annotated[Annotated[str, Meta(max_length=2000)] | None, Meta(description="text shown above the login")] = (
        None
    )
    public_url: Annotated[
        Url | None, Meta(description="address that people's browsers use; needed for oidc and behind a proxy")
    ] = None
    idle_minutes: Annotated[int, Meta(ge=5, le=10_080, description="a session ends when unused for so long")] = 120
    session_hours: Annotated[int, Meta(ge=1, le=168, description="a session ends after so long in any case")] = 12
    tries_per_name: Annotated[int, Meta(ge=3, le=1000, description="wrong passwords of one name in 15 minutes")] = 10
    tries_per_address: Annotated[
        int, Meta(ge=3, le=100_000, description="wrong passwords from one address in 15 minutes")
    ] = 100
    oidc: OidcConfig = OidcConfig()


def problem(people: PeopleConfig, *, http_host: str) -> str | None:
    """What no single key shows, as one line that names the key; None where all fits."""
    if people.login == "off" and not is_loopback(http_host):
        return (
            f'people.login: "off" lets everybody who reaches {http_host} do everything; use "password" or "oidc",'
            " or http.host = 127.0.0.1"
        )
    if people.login == "oidc":
        oidc = people.oidc
        if oidc.issuer is None or not oidc.client_id:
            return "people.oidc.issuer: login by oidc needs issuer and client_id"
        if not oidc.issuer.startswith("https://") and not is_loopback(urlsplit(oidc.issuer).hostname or ""):
            return f"people.oidc.issuer: {oidc.issuer} is not https, so anybody on the way could log in"
        if people.public_url is None:
            return "people.public_url: login by oidc needs it, the provider sends people back there"
        if not oidc.roles:
            return "people.oidc.roles: is empty, so nobody could log in"
        if oidc.client_secret_file is not None and not oidc.client_secret_file.is_file():
            return f"people.oidc.client_secret_file: {oidc.client_secret_file} is not a file"
    return None


def is_loopback(host: str) -> bool:
    """Whether a host's name or address (no port) is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
