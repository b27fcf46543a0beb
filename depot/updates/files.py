# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The repository's files over HTTP, for whoever asks: what lies there is signed, and no secret.

Only plain files of `metadata/` and `targets/` are served, found from the folder downwards one name at a time without
following a link, so that no path leads elsewhere. A download that broke off goes on where it ended (Range, If-Range).
"""

from __future__ import annotations

import io
import os
import re
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_FOLDERS = ("metadata", "targets")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,254}")
_MOST_LEVELS = 6
#: The client names a target by its hash, so what lies under the name never changes.
_HASHED = re.compile(r"[0-9a-f]{64}\.")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_CHUNK_BYTES = 256 * 1024
_IMMUTABLE = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Found:
    """An open file of the repository."""

    file: io.FileIO
    name: str
    bytes: int
    etag: str
    modified: str

    @property
    def headers(self) -> dict[str, str]:
        """Those of every answer about it."""
        is_fixed = _HASHED.match(self.name) is not None
        return {
            "ETag": self.etag,
            "Last-Modified": self.modified,
            "Accept-Ranges": "bytes",
            "Cache-Control": _IMMUTABLE if is_fixed else "no-cache",
            "Content-Type": "application/json" if self.name.endswith(".json") else "application/octet-stream",
        }


def find(folder: Path, path: str) -> Found | None:
    """Open the file of a path below the repository; None where there is none that may be served."""
    names = path.split("/")
    if names[0] not in _FOLDERS or not 2 <= len(names) <= _MOST_LEVELS:
        return None
    if not all(_NAME.fullmatch(name) for name in names):
        return None
    with ExitStack() as stack:
        try:
            above = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, above)
            for name in names[:-1]:
                above = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
                stack.callback(os.close, above)
            # A pipe would let us wait for ever.
            number = os.open(names[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=above)
        except OSError:
            return None
    file = io.FileIO(number)
    about = os.fstat(number)
    if not stat.S_ISREG(about.st_mode):
        file.close()
        return None
    etag = f'"{about.st_ino:x}-{about.st_mtime_ns:x}-{about.st_size:x}"'
    return Found(file, names[-1], about.st_size, etag, formatdate(about.st_mtime, usegmt=True))


def answer(found: Found, method: str, asked: Headers) -> Response:
    """The whole file, a part of it, or that nothing has changed."""
    if any(tag.strip() in {"*", found.etag, f"W/{found.etag}"} for tag in asked.get("if-none-match", "").split(",")):
        return _File(found, 304, 0, 0)
    part = _part(found, asked) if method == "GET" else None
    if part is None:
        return _File(found, 200, 0, found.bytes, is_silent=method == "HEAD")
    start, end = part
    if start >= end:
        refusal = _File(found, 416, 0, 0)
        refusal.headers["Content-Range"] = f"bytes */{found.bytes}"
        return refusal
    response = _File(found, 206, start, end)
    response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.bytes}"
    return response


def _part(found: Found, asked: Headers) -> tuple[int, int] | None:
    """Which bytes are wanted, the end not among them; None: all. Several parts at once are answered by all."""
    match = _RANGE.fullmatch(asked.get("range", "").strip())
    if match is None or match[0] == "bytes=-":
        return None
    if asked.get("if-range", found.etag) not in {found.etag, found.modified}:
        return None  # it has changed meanwhile: a part of the new one is of no use
    first, last = match.groups()
    if not first:
        return max(found.bytes - int(last), 0), found.bytes
    if last and int(last) < int(first):
        return None
    return int(first), found.bytes if not last else min(int(last) + 1, found.bytes)


class _File(Response):
    """Sends bytes `start` to `end` of an open file and closes it."""

    def __init__(self, found: Found, status: int, start: int, end: int, *, is_silent: bool = False) -> None:
        super().__init__(status_code=status, headers=found.headers)
        self._found, self._start, self._end, self._is_silent = found, start, end, is_silent
        if status != 304:
            self.headers["Content-Length"] = str(end - start)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        with self._found.file as file:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            left = 0 if self._is_silent else self._end - self._start
            if left:
                file.seek(self._start)
            while left > 0:
                content = await run_in_threadpool(file.read, min(left, _CHUNK_BYTES))
                if not content:
                    # Cut off by somebody while it was sent: the connection ends early, and the client sees that.
                    raise OSError(f"{self._found.name} has become shorter while it was sent")
                left -= len(content)
                await send({"type": "http.response.body", "body": content, "more_body": left > 0})
            if self._is_silent or self._start == self._end:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
