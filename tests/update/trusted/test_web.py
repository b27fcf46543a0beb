# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Servers that are slow, endless, elsewhere or not what they say: every wait, size and hop ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tuf.api.exceptions import DownloadHTTPError

from edge.update.trusted import FetchError
from edge.update.trusted.pace import Pace
from edge.update.trusted.web import Limits, PassingError, Web
from tests.delivery.certificates import certificates
from tests.update.trusted.web_server import Bad, WebServer, serving

QUICK = Limits(connect_s=1, silent_s=0.3, answer_s=0.4, slow_window_s=0.3, slow_bytes_per_s=200)
CONTENT = bytes(range(256)) * 40


def web(address: str, *, ca: Path | None = None) -> Web:
    pace = Pace(bytes_per_s=0, bytes_per_day=0, file=Path("none"), wait=lambda _: False)
    return Web(address, pace, ca=ca, limits=QUICK)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving({"a/file": CONTENT}) as running:
        yield running


def test_a_file_is_read_whole_and_from_a_byte_on(server: WebServer) -> None:
    assert web(server.address).read("a/file", len(CONTENT)) == CONTENT
    with web(server.address).open("a/file", offset=1000) as answer:
        assert answer.start == 1000
        assert b"".join(answer.chunks()) == CONTENT[1000:]


def test_a_server_that_knows_no_ranges_or_states_no_length_is_understood(server: WebServer) -> None:
    server.bad = [Bad(no_range=True, no_length=True)]
    with web(server.address).open("a/file", offset=1000) as answer:
        assert (answer.start, answer.length) == (0, None)
        assert b"".join(answer.chunks()) == CONTENT


@pytest.mark.parametrize("bad", [Bad(), Bad(no_length=True), Bad(stated=1 << 40)])
def test_more_than_was_asked_for_is_not_read(server: WebServer, bad: Bad) -> None:
    server.files = {"a/file": b"x" * (64 << 20)}
    server.bad = [bad]
    assert len(web(server.address).read("a/file", 1000)) > 1000
    assert server.sent < 20 << 20


@pytest.mark.parametrize(
    "bad",
    [
        Bad(drip_s=0.02),
        Bad(head_drip_s=0.02),
        Bad(silent=True),
        Bad(cut=100),
        Bad(status=503),
        Bad(status=429),
        Bad(cut=0),
        Bad(headers={"Content-Length": "-5"}, cut=0),
    ],
    ids=["drip", "head drip", "silent", "cut", "busy", "too many", "empty", "length"],
)
def test_a_slow_or_broken_answer_ends_soon_and_may_be_asked_again(server: WebServer, bad: Bad) -> None:
    server.bad = [bad]
    began_s = time.monotonic()
    with pytest.raises(PassingError) as refused:
        web(server.address).read("a/file", len(CONTENT))
    assert time.monotonic() - began_s < 5
    assert "\n" not in str(refused.value)


def test_a_handshake_that_drags_on_ends(server: WebServer) -> None:
    """A server that speaks no TLS and says nothing."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as deaf:
        began_s = time.monotonic()
        with pytest.raises(PassingError):
            web(f"https://127.0.0.1:{deaf.getsockname()[1]}/").read("x", 10)
        assert time.monotonic() - began_s < 5


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_file_that_is_not_there_is_told_from_trouble(server: WebServer, status: int) -> None:
    server.bad = [Bad(status=status)]
    with pytest.raises(DownloadHTTPError) as refused:
        web(server.address).read("a/file", 10)
    assert refused.value.status_code == status


@pytest.mark.parametrize("status", [204, 300, 304, 400, 401, 405, 451])
def test_any_other_answer_is_no_good(server: WebServer, status: int) -> None:
    server.bad = [Bad(status=status)]
    with pytest.raises(FetchError) as refused:
        web(server.address).read("a/file", 10)
    assert not isinstance(refused.value, PassingError)


@pytest.mark.parametrize("answered", ["bytes 5-10/11", "bytes 0-10/11", "", "nonsense"])
def test_another_range_than_asked_for_is_refused(server: WebServer, answered: str) -> None:
    server.bad = [Bad(status=206, headers={"Content-Range": answered})]
    with pytest.raises(FetchError), web(server.address).open("a/file", offset=7):
        pass


def test_pieces_of_unknown_size_are_refused(server: WebServer) -> None:
    server.bad = [Bad(headers={"Transfer-Encoding": "chunked"}, no_length=True)]
    with pytest.raises(FetchError, match="static files"):
        web(server.address).read("a/file", 10)


def test_a_redirect_is_followed_but_not_round_in_circles(server: WebServer) -> None:
    server.files = {"a/file": CONTENT, "b": b""}
    server.bad = [Bad(only="b", status=302, headers={"Location": "/a/file"})]
    assert web(server.address).read("b", len(CONTENT)) == CONTENT
    server.asked.clear()
    server.bad = [Bad(status=301, headers={"Location": "/a/file"})]
    with pytest.raises(FetchError, match="more than 3 times"):
        web(server.address).read("a/file", 10)
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://example.org/x",
        "ftp://example.org/x",
        "file:///etc/passwd",
        "https://user:pw@example.org/",
        "http://[",
    ],
)
def test_a_redirect_to_anything_but_https_is_refused(server: WebServer, location: str) -> None:
    server.bad = [Bad(status=302, headers={"Location": location})]
    with pytest.raises(FetchError, match=r"update\.repository"):
        web(server.address).read("a/file", 10)


@pytest.mark.parametrize(
    "address",
    ["", "http://", "http://example.org/", "http://192.168.1.1/", "http://localhost.example.org/", "ftp://localhost/",
     "file:///srv/updates", "https://", "https://a:b@example.org", "https://example.org:99999", "https://example.org/?a=b",
     "https://example.org/#a", "https://[::1", "example.org"],
)  # fmt: skip
def test_addresses_that_are_no_repository_s_are_refused(address: str) -> None:
    with pytest.raises(FetchError, match=r"update\.repository") as refused:
        web(address)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["https://example.org/updates", "http://127.0.0.1:8", "http://[::1]/", "http://localhost"]
)
def test_https_and_this_computer_are_good_addresses(address: str) -> None:
    assert web(address).base.endswith("/")


def test_only_a_certificate_of_the_named_ca_is_trusted(tmp_path: Path) -> None:
    folder = certificates(tmp_path, {"server": "localhost"})
    with serving({"file": CONTENT}, tls=(str(folder / "server.pem"), str(folder / "server.key"))) as server:
        assert web(server.address, ca=folder / "ca.pem").read("file", 1 << 20) == CONTENT
        with pytest.raises(FetchError, match="certificate is not trusted") as refused:
            web(server.address).read("file", 1 << 20)
        assert not isinstance(refused.value, PassingError)
        other = certificates(tmp_path / "other", {})
        with pytest.raises(FetchError, match="certificate is not trusted"):
            web(server.address, ca=other / "ca.pem").read("file", 1 << 20)
    with pytest.raises(FetchError, match="no certificates there"):
        web("https://example.org", ca=tmp_path / "none.pem")


def test_nobody_there_is_told_in_one_line() -> None:
    with pytest.raises(PassingError, match="refused"):
        web("http://127.0.0.1:1/").read("x", 10)
