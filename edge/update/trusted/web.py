# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Static files over HTTP from a server that may be hostile, slow or gone: every wait, size and hop is bounded."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from tuf.api.exceptions import DownloadHTTPError

from edge.update.trusted.pace import Pace
from edge.update.trusted.refusal import FetchError

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))


class PassingError(FetchError):
    """May be better a moment later."""


@dataclass(frozen=True)
class Limits:
    """How long a server may keep us waiting. Seconds; `slow_bytes_per_s` on average over `slow_window_s` of waiting."""

    connect_s: float = 20.0
    silent_s: float = 20.0
    answer_s: float = 40.0
    slow_window_s: float = 60.0
    slow_bytes_per_s: float = 200.0
    redirects: int = 3


class Answer:
    """A body that is being read. `start`: its first byte's place in the file; `length`: the body's, None: unknown."""

    def __init__(self, response: http.client.HTTPResponse, start: int, where: str, pace: Pace, limits: Limits) -> None:
        self.start, self.length = start, response.length
        self._response, self._where, self._pace, self._limits = response, where, pace, limits
        self._waited_s, self._window_bytes = 0.0, 0

    def chunks(self) -> Iterator[bytes]:
        """The body, at our pace. Raises PassingError: it breaks off, comes to a halt or drips."""
        left = self.length
        while left is None or left > 0:
            count = self._pace.ask(1 << 20 if left is None else left)
            began_s = time.monotonic()
            try:
                chunk = self._response.read1(count)
            except (OSError, http.client.HTTPException) as error:
                raise PassingError(f"{self._where}: broke off: {_plain(error)}") from error
            if not chunk:
                if left is None:
                    return
                raise PassingError(f"{self._where}: broke off")
            self._pace.took(len(chunk))
            left = None if left is None else left - len(chunk)
            self._check_speed(time.monotonic() - began_s, len(chunk))
            yield chunk

    def _check_speed(self, waited_s: float, count: int) -> None:
        """Only waiting for the server counts, not for our own allowance."""
        self._waited_s += waited_s
        self._window_bytes += count
        if self._waited_s >= self._limits.slow_window_s:
            if self._window_bytes < self._limits.slow_bytes_per_s * self._waited_s:
                raise PassingError(f"{self._where}: drips: {self._window_bytes} bytes in {self._waited_s:.0f} s")
            self._waited_s, self._window_bytes = 0.0, 0


class Web:
    """A repository's address. Only https; plain http to this computer itself, for tests and tunnels."""

    def __init__(self, base: str, pace: Pace, *, ca: Path | None = None, limits: Limits | None = None) -> None:
        """Look at the address; connects to nothing.

        Args:
            base: the address below which all lies.
            pace: how fast may be read.
            ca: certificates of who may sign the server's (PEM); None: the system's.
            limits: how long it may keep us waiting.

        Raises:
            FetchError: the address or `ca` is no good.
        """
        self.base = base if base.endswith("/") else f"{base}/"
        self._pace, self._limits = pace, limits or Limits()
        if _parts(self.base).query:
            raise FetchError(f"{base}: the repository's address ends with its path; correct update.repository")
        try:
            self._tls = ssl.create_default_context(cafile=None if ca is None else str(ca))
        except OSError as error:
            raise FetchError(f"{ca}: no certificates there: {_plain(error)}; name the city's CA") from error

    @contextlib.contextmanager
    def open(self, name: str, *, offset: int = 0) -> Iterator[Answer]:
        """Ask for a file from a byte on; a server that does not know how sends it from the beginning.

        Raises:
            DownloadHTTPError: 403, 404, 410 or 416.
            PassingError: the network, or a server that is busy or slow.
            FetchError: anything else that a server may answer.
        """
        url = urljoin(self.base, name)
        for _ in range(self._limits.redirects + 1):
            with contextlib.ExitStack() as open_until_then:
                connection = _connection(_parts(url), self._tls, self._limits)
                open_until_then.callback(connection.close)
                response = open_until_then.enter_context(self._ask(connection, url, offset))
                if response.status not in _REDIRECTS:
                    yield Answer(response, _start(response, url, offset), url, self._pace, self._limits)
                    return
                url = _joined(url, response.headers.get("Location", ""))
        raise FetchError(f"{self.base}{name}: sends us on more than {self._limits.redirects} times")

    def read(self, name: str, most: int) -> bytes:
        """A whole small file, of at most one byte more than `most`. Raises as `open` does."""
        content = b""
        with self.open(name) as answer:
            if answer.length is not None and answer.length > most:
                return b"\0" * (most + 1)
            for chunk in answer.chunks():
                content += chunk
                if len(content) > most:
                    break
        return content

    def _ask(self, connection: http.client.HTTPConnection, url: str, offset: int) -> http.client.HTTPResponse:
        parts = _parts(url)
        headers = {"Accept-Encoding": "identity", "User-Agent": "wegewart-update", "Connection": "close"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        try:
            with _deadline(self._limits.answer_s, lambda: _cut(connection)):
                connection.connect()
                connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers=headers)
                return connection.getresponse()
        except ssl.SSLCertVerificationError as error:
            raise FetchError(
                f"{url}: its certificate is not trusted: {error.verify_message}; name the city's CA"
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise PassingError(f"{url}: {_plain(error)}") from error


class _SecureConnection(http.client.HTTPSConnection):
    """Shows its socket before the handshake, so that a slow one can be cut."""

    tls: ssl.SSLContext

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock.do_handshake()


def _connection(parts: SplitResult, tls: ssl.SSLContext, limits: Limits) -> http.client.HTTPConnection:
    timeout = min(limits.connect_s, limits.silent_s)
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    connection = _SecureConnection(parts.hostname or "", parts.port, timeout=timeout, context=tls)
    connection.tls = tls
    return connection


def _parts(url: str) -> SplitResult:
    """Split an address that may be asked. Raises FetchError."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise FetchError(f"{url[:200]!r}: no address; correct update.repository") from error
    if parts.username is not None or parts.fragment or not parts.hostname:
        raise FetchError(f"{url[:200]!r}: no address of a server without a name or password; correct update.repository")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
        raise FetchError(f"{url[:200]!r}: updates come over https only; correct update.repository")
    return parts


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise FetchError(f"{url}: sends us on to {location[:100]!r}; correct update.repository") from error


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _start(response: http.client.HTTPResponse, url: str, offset: int) -> int:
    """Where the body begins in the file. Raises as `Web.open` does."""
    if response.headers.get("Transfer-Encoding"):
        raise FetchError(f"{url}: sends in pieces of unknown size; the repository is to be served as static files")
    if response.status == 200:
        return 0
    if response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
        return offset
    if response.status in (403, 404, 410, 416):
        raise DownloadHTTPError(f"{url}: {response.status}", response.status)
    kind = PassingError if response.status in _PASSING else FetchError
    raise kind(f"{url}: answers {response.status}")


@contextlib.contextmanager
def _deadline(seconds: float, cut: Callable[[], None]) -> Iterator[None]:
    """Timeouts of a socket begin anew with each byte; this one does not. Raises TimeoutError."""
    fired = threading.Event()

    def fire() -> None:
        fired.set()
        cut()

    timer = threading.Timer(seconds, fire)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        if fired.is_set():
            raise TimeoutError(f"no answer within {seconds:.0f} s") from error
        raise
    finally:
        timer.cancel()
    if fired.is_set():
        raise TimeoutError(f"no answer within {seconds:.0f} s")


def _cut(connection: http.client.HTTPConnection) -> None:
    """End whatever waits on a connection, from another thread."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            # Not SSLSocket.shutdown: that one would go on in clear text.
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _plain(error: Exception) -> str:
    return " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())[:160]
