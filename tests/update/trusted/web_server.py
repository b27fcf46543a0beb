# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A web server that serves a repository honestly, or as badly as a test likes."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@dataclass
class Bad:
    """What is wrong with an answer. `only`: a part of the names it concerns; `times`: so often, then all is well.

    `cut`: ends after so many bytes of the body. `drip_s`: one byte each, waiting so long between. `add`: bytes after
    the end. `stated`: what Content-Length says instead. `head_drip_s`: so do the headers.
    """

    only: str = ""
    times: int = 1 << 30
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    cut: int | None = None
    drip_s: float = 0.0
    head_drip_s: float = 0.0
    no_range: bool = False
    no_length: bool = False
    stated: int | None = None
    silent: bool = False


class WebServer:
    """`files`: names and contents; `asked`: (name, Range) of every request; `over`: set at the test's end."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.bad: list[Bad] = []
        self.asked: list[tuple[str, str | None]] = []
        self.sent = 0
        self.over = threading.Event()
        self.on_ask: Callable[[str], None] = lambda _: None
        self.address = ""

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name, wanted = unquote(handler.path).lstrip("/"), handler.headers.get("Range")
        self.asked.append((handler.path.lstrip("/"), wanted))
        self.on_ask(name)
        bad = next((one for one in self.bad if one.only in name and one.times > 0), Bad())
        bad.times -= 1
        if bad.silent:
            self.over.wait(30)
            return
        content = self.files.get(handler.path.lstrip("/"), self.files.get(name)) if bad.content is None else bad.content
        start = 0
        if content is None or bad.status:
            status, content = bad.status or 404, b"no"
        elif wanted and not bad.no_range:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            status = 206 if start < len(content) else 416
        else:
            status = 200
        self._send(handler, bad, status, start, content)

    def _send(self, handler: BaseHTTPRequestHandler, bad: Bad, status: int, start: int, content: bytes) -> None:
        if bad.head_drip_s:
            for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 10_000:
                handler.wfile.write(bytes([byte]))
                if self.over.wait(bad.head_drip_s):
                    return
        handler.send_response(status)
        if status == 206:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if not bad.no_length:
            handler.send_header("Content-Length", str(len(content) - start if bad.stated is None else bad.stated))
        for key, value in bad.headers.items():
            handler.send_header(key, value)
        handler.end_headers()
        body = content[start:] if bad.cut is None else content[start : start + bad.cut]
        for at in range(0, len(body), 1 if bad.drip_s else 4096):
            piece = body[at : at + (1 if bad.drip_s else 4096)]
            handler.wfile.write(piece)
            self.sent += len(piece)
            if bad.drip_s and self.over.wait(bad.drip_s):
                return


@contextmanager
def serving(files: Mapping[str, bytes], *, tls: tuple[str, str] | None = None) -> Iterator[WebServer]:
    """Serve on a free port; `tls`: files of certificate and key."""
    web = WebServer(files)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            try:
                web.answer(self)
            except OSError:
                self.close_connection = True

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.daemon_threads = True
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    web.address = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        web.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
