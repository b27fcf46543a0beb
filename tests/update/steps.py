# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Counts every step by which a process changes a disk, and kills it (SIGKILL) before one of them.

A step is a file opened for writing, each half of each write, a rename, link, folder, removal, change of rights or
truncation, wherever it is called from: Python's audit events tell of them, and file objects that write are replaced.
Only in a process of its own: hooks stay for ever.
"""

from __future__ import annotations

import builtins
import io
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

_CHANGES = {
    *("os.rename", "os.symlink", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.truncate"),
    *("os.utime", "os.chown"),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Steps:
    """`cut`: the step before which the process dies; 0: never."""

    def __init__(self, cut: int) -> None:
        self.count = 0
        self._cut = cut
        self._paused = False

    def step(self) -> None:
        self.count += 1
        if self.count == self._cut:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        sys.addaudithook(self._heard)
        os.sync = lambda: None  # a killed process loses nothing that it had written
        os.fsync = lambda descriptor: None
        listed = os.scandir
        os.scandir = lambda path=".": _WorstOrder(listed(path))  # type: ignore[assignment]
        write = os.write
        os.write = lambda descriptor, content: self._halves(lambda part: write(descriptor, part), content)
        opened = io.open

        def open_counted(file: Any, mode: str = "r", *args: Any, **named: Any) -> Any:
            if isinstance(file, int) or not set(mode) & set("wax+"):
                return opened(file, mode, *args, **named)
            raw = _Raw(file, mode.replace("b", "").replace("t", ""), self)
            buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            if "b" in mode:
                return buffered
            keep = {key: value for key, value in named.items() if key in ("encoding", "errors", "newline")}
            return io.TextIOWrapper(buffered, **keep)

        builtins.open = io.open = open_counted  # type: ignore[assignment]

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CHANGES or (event == "open" and arguments[0] != os.devnull and arguments[2] & _WRITING):
            self.step()

    def _halves(self, write: Callable[[bytes], int], content: Any) -> int:
        data = bytes(content)
        half = len(data) // 2
        self.step()
        if half:
            write(data[:half])
            self.step()
        return half + write(data[half:])


class _WorstOrder:
    """A folder's entries with the mark of completeness last: a file system may list them so."""

    def __init__(self, entries: Any) -> None:
        with entries:
            self._entries = iter(sorted(entries, key=lambda entry: (entry.name == "COMPLETE", entry.name)))

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None: ...

    def close(self) -> None: ...


class _Raw(io.FileIO):
    def __init__(self, file: Any, mode: str, steps: Steps) -> None:
        super().__init__(file, mode)
        self._steps = steps

    def write(self, content: Any) -> int:
        return self._steps._halves(super().write, content)  # type: ignore[arg-type]
