# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Other people's servers: a strict Open311 endpoint that can lose its answers, and a clock that a test turns."""

from __future__ import annotations

import contextlib
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.sax.saxutils import escape

from tests.servers import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from depot.store.database import Database

_FIELDS = {
    "service_code", "lat", "long", "description", "media_url", "email", "api_key", "jurisdiction_id",
}  # fmt: skip


class Clock:
    """The depot's clock, standing still until it is turned."""

    def __init__(self, database: Database) -> None:
        self._now = datetime(2026, 10, 12, 8, tzinfo=timezone.utc)
        database.now_utc = self.utc

    def utc(self) -> str:
        return self._now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def forward(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class City:
    """What it took stands in `taken`. `moods`: how it meets the next requests to file something, one each.

    drop: takes it and says nothing. lose: takes nothing and says nothing. fail: takes it and answers 500. token, busy,
    refuse, nonsense: as they say. Without a mood it takes it and gives its number.
    """

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.moods: list[str] = []
        self.status: dict[int, tuple[str, str]] = {}
        self.hides_texts = False
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self._lock = threading.Lock()
        self.url = ""

    def post(self, body: bytes) -> tuple[int, str, dict[str, str]] | None:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
        with self._lock:
            if set(fields) - _FIELDS or fields.get("api_key") != "secret" or fields.get("jurisdiction_id") != "du":
                self.wrong.append(str(fields))
            float(fields["lat"]), float(fields["long"])
            mood = self.moods.pop(0) if self.moods else "take"
            if mood in {"take", "drop", "fail", "token", "nonsense"}:
                self.taken.append(fields)
            number = len(self.taken)
        if mood in {"drop", "lose"}:
            return None
        return {
            "take": (200, self._xml([{"service_request_id": f"du/{number}"}]), {}),
            "token": (200, self._xml([{"token": f"t {number}"}]), {}),
            "nonsense": (200, "<html>thank you</html>", {}),
            "fail": (500, "internal error", {}),
            "busy": (429, "later", {"Retry-After": "900"}),
            "refuse": (400, "<errors><error><code>400</code><description>kein Ort</description></error></errors>", {}),
        }[mood]

    def get(self, path: str) -> tuple[int, str, dict[str, str]]:
        parts = urlsplit(path)
        self.asked.append(path)
        rows = [
            {"service_request_id": f"du/{n}", "status": "open", **self._row(n, f)} for n, f in enumerate(self.taken, 1)
        ]
        if parts.path.endswith("/requests.xml"):
            query = parse_qs(parts.query)
            page, size = int(query["page"][0]), min(2, int(query["page_size"][0]))  # it has small pages
            return 200, self._xml(rows[(page - 1) * size : page * size]), {}
        name = parts.path.rpartition("/")[2].removesuffix(".xml")
        if "/tokens/" in parts.path and name.startswith("t%20"):
            pending = self.moods and self.moods[0] == "pending"
            if pending:
                self.moods.pop(0)
            number = name.removeprefix("t%20")
            return 200, self._xml([{"token": name} if pending else {"service_request_id": f"du/{number}"}]), {}
        found = [row for row in rows if row["service_request_id"].replace("/", "%2F") == name]
        return (200, self._xml(found), {}) if found else (404, "none", {})

    def _row(self, number: int, fields: dict[str, str]) -> dict[str, str]:
        row = {"service_request_id": f"du/{number}", "status": "open"}
        row |= {} if self.hides_texts else {"description": fields["description"]}
        if number in self.status:
            row |= dict(zip(("status", "status_notes"), self.status[number], strict=True))
        return row

    def _xml(self, rows: list[dict[str, str]]) -> str:
        inner = ("".join(f"<{k}>{escape(v)}</{k}>" for k, v in row.items()) for row in rows)
        return "<service_requests>" + "".join(f"<request>{text}</request>" for text in inner) + "</service_requests>"


@contextlib.contextmanager
def served(answer: Any) -> Iterator[str]:
    """A server on loopback: `answer(method, path, headers, body)` gives status, text, headers; None: it hangs up."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            found = answer(self.command, self.path, self.headers, body)
            if found is None:
                self.close_connection = True
                return
            status, text, headers = found
            content = text.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content)), "Connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _do  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextlib.contextmanager
def city() -> Iterator[City]:
    made = City()

    def answer(method: str, path: str, _headers: Any, body: bytes) -> Any:
        return made.post(body) if method == "POST" else made.get(path)

    with served(answer) as url:
        made.url = f"{url}/v2"
        yield made
    assert made.wrong == []
