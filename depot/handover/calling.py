# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One HTTP request to somebody else's server, bounded in time and size, and what its failure means.

What counts for an outbox is only whether a request may have arrived: `NotSentError` says that it has not,
`NoAnswerError` that nobody knows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import httpx
from msgspec import Struct

_MOST_BYTES = 4_000_000


class NotSentError(Exception):
    """The server was not reached: one line."""


class NoAnswerError(Exception):
    """The request left, and no whole answer came: one line. It may have been carried out."""


class Answer(Struct, frozen=True, kw_only=True):
    """What the server said. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def line(self) -> str:
        """For people: the status and the beginning of the text."""
        text = " ".join(self.body[:300].decode("utf-8", "replace").split())
        return f"{self.status} {text}".strip()

    def wait_s(self) -> float | None:
        """Seconds that the server asks us to wait, a day at most."""
        text = self.headers.get("retry-after", "")
        return min(float(text), 86_400.0) if text.isascii() and text.isdigit() else None


def new_client() -> httpx.Client:
    """Follows no redirect and takes nothing from the environment: it asks the server that it was told, or none."""
    return httpx.Client(follow_redirects=False, trust_env=False, headers={"User-Agent": "wegewart-depot"})


def call(client: httpx.Client, request: httpx.Request, *, timeout_s: float) -> Answer:
    """Send it; `timeout_s` is for all of it, from the name's look-up to the answer's last byte.

    Raises:
        NotSentError: it has not arrived.
        NoAnswerError: it may have arrived.
    """
    deadline = time.monotonic() + timeout_s
    request.extensions["timeout"] = httpx.Timeout(timeout_s).as_dict()
    try:
        response = client.send(request, stream=True)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
        raise NotSentError(_line(error)) from None
    except httpx.HTTPError as error:
        raise NoAnswerError(_line(error)) from None
    try:
        body = b""
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise NoAnswerError(f"the answer is larger than {_MOST_BYTES} bytes")
            if time.monotonic() > deadline:
                raise NoAnswerError(f"the answer was not complete after {timeout_s:g} s")
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise NoAnswerError(_line(error)) from None
    finally:
        response.close()
    return Answer(status=response.status_code, headers=dict(response.headers), body=body)


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
