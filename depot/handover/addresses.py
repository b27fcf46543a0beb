# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which servers a webhook may call: public ones, and those of networks that the configuration allows.

A name is looked up once and the connection goes to that very address, so a name that points elsewhere a moment later
leads nowhere.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import httpx

from depot.handover.calling import NotSentError
from depot.handover.config import WebhooksConfig

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
LookUp = Callable[[str, int], Sequence[str]]
#: IPv6 addresses that carry an IPv4 address, in their last 32 bits.
_CARRIES = ipaddress.IPv6Network("64:ff9b::/96")


def look_up(host: str, port: int) -> list[str]:
    """All addresses of a name. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def problem(url: str, settings: WebhooksConfig) -> str | None:
    """Why this cannot be a webhook's address, before its name is looked up; None: it can."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        return "url: is no address"
    if not host or not url.isascii() or any(char.isspace() for char in url):
        return "url: is no address, e.g. https://example.org/hook"
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.allow_http):
        return "url: must begin with https:// (handover.webhooks.allow_http lets http in)"
    if parts.username is not None or parts.password is not None:
        return "url: must not hold a name or password; the receiver checks the signature"
    literal = _ip(host)
    if literal is not None and not allowed(literal, settings):
        return f"url: {host} is no public address; handover.webhooks.allow_networks lets networks of your own in"
    return None


def allowed(address: Ip, settings: WebhooksConfig) -> bool:
    """Whether it may be called."""
    plain = _plain(address)
    if any(plain in ipaddress.ip_network(network) for network in settings.allow_networks):
        return True
    return plain.is_global and not plain.is_multicast and not plain.is_reserved


def pinned(
    client: httpx.Client,
    url: str,
    *,
    body: bytes,
    headers: dict[str, str],
    settings: WebhooksConfig,
    find: LookUp,
) -> httpx.Request:
    """A POST to the address that `url`'s name has now.

    Raises:
        NotSentError: the name is unknown, or none of its addresses may be called.
    """
    try:
        wanted = httpx.URL(url)
        port = wanted.port or (443 if wanted.scheme == "https" else 80)
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in find(wanted.host, port)]
    except (OSError, UnicodeError, ValueError, httpx.InvalidURL) as error:
        raise NotSentError(f"the address cannot be looked up: {error}") from None
    good = [address for address in found if allowed(address, settings)]
    if not good:
        raise NotSentError(f"{wanted.host} is no public address (see handover.webhooks.allow_networks)")
    return client.build_request(
        "POST",
        wanted.copy_with(host=str(good[0])),
        content=body,
        headers={**headers, "Host": wanted.netloc.decode()},
        extensions={"sni_hostname": wanted.host},  # the certificate must be the name's
    )


def _ip(host: str) -> Ip | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _plain(address: Ip) -> Ip:
    """The IPv4 address inside of an IPv6 address, where there is one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _CARRIES:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
