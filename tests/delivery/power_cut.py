# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is on a disk when the power goes, from a recording of all that a process asked the kernel to write.

The recording is strace's, so the code under test is the real one, SQLite's C included. The model of the disk is as
bad as POSIX allows: of what was written after the last fsync of a file any part may be there, sector by sector, in
any mixture; names (create, rename, unlink) are there as far as some moment after the last fsync of their folder.

It cannot show: a drive that lies about its cache, a card that spoils sectors nobody wrote to, a file system that loses
its own book-keeping, what is written through a memory map (of ours only SQLite's -shm, which it makes anew).
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
_CALLS = "openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,unlink,mkdir,lseek,writev,pwritev,renameat2,unlinkat"
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_DESCRIPTOR = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2})*)>")


@dataclass(frozen=True)
class Call:
    """One system call that succeeded. `path`: of the descriptor or the first argument."""

    name: str
    path: str
    descriptor: int = -1
    content: bytes = b""
    number: int = 0
    other: str = ""
    flags: str = ""


def record(program: list[str], log: Path, **popen: object) -> list[Call]:
    """Run a program of one thread under strace to its end and return what it wrote."""
    command = ["strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "3000000", "-e", f"trace={_CALLS}", "-o", str(log)]
    done = subprocess.run([*command, *program], capture_output=True, text=True, **popen)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr[-3000:]
    with log.open(encoding="ascii", errors="replace") as lines:
        return [call for line in lines if (call := _parse(line)) is not None]


def _text(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def _parse(line: str) -> Call | None:
    match = _CALL.search(line)
    if match is None or int(match[3]) < 0:
        assert "unfinished" not in line, "the recording has a second thread"
        return None
    name, arguments, result = match[1], match[2], int(match[3])
    strings = [_text(found[1]) for found in _STRING.finditer(arguments)]
    descriptor = _DESCRIPTOR.match(arguments)
    if name == "openat":
        return Call(name, strings[0].decode(), result, flags=arguments.split(", ")[2])
    if name == "unlinkat" or name.startswith("renameat") or name in ("writev", "pwritev"):
        raise AssertionError(f"{name} is not modelled: {line[:200]}")
    if descriptor is None:
        return Call(name, strings[0].decode(), other=strings[1].decode() if len(strings) > 1 else "")
    number, path = int(descriptor[1]), _text(descriptor[2]).decode(errors="replace")
    last = arguments.rsplit(", ", 1)[-1]
    if name == "write":
        return Call(name, path, number, strings[0][:result])
    if name == "pwrite64":
        return Call(name, path, number, strings[0][:result], int(last))
    if name == "ftruncate":
        return Call(name, path, number, number=int(last))
    if name == "lseek":
        return Call(name, path, number, number=result)
    return Call(name, path, number)


@dataclass
class _File:
    """`durable`: what a power cut leaves for certain; `loose`: (offset, content), a length alone for a truncation."""

    durable: bytearray = field(default_factory=bytearray)
    loose: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.loose:
            _apply(self.durable, change)
        self.loose.clear()

    def after_cut(self, dice: random.Random) -> bytes:
        content = bytearray(self.durable)
        share = dice.choice((0.0, 0.5, 0.9, 1.0))
        for offset, written in self.loose:
            if written is None:
                if dice.random() < share:
                    _apply(content, (offset, None))
                continue
            for piece in _sectors(offset, written):
                if dice.random() < share:
                    _apply(content, piece)
        return bytes(content)


def _sectors(offset: int, written: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(written):
        size = SECTOR - (offset + at) % SECTOR
        yield offset + at, written[at : at + size]
        at += size


def _apply(content: bytearray, change: tuple[int, bytes | None]) -> None:
    offset, written = change
    end = offset if written is None else offset + len(written)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if written is None:
        del content[offset:]
    else:
        content[offset:end] = written


_Names = dict[str, _File | None]  # None: a folder


class Disk:
    """A folder as a process sees it, and as it may be after a power cut. Give it the calls in their order."""

    def __init__(self, folder: Path) -> None:
        self._root = str(folder)
        self._seen: _Names = {self._root: None}
        self._durable: _Names = {self._root: None}
        self._loose: list[tuple[str, str, _File | None]] = []  # folder, name ("-" before it: gone), what
        self._open: dict[int, tuple[_File, int]] = {}

    def take(self, call: Call) -> None:
        """One more call."""
        ours = call.path.startswith(self._root) and not call.path.endswith("-shm")
        if call.name == "openat":
            self._open.pop(call.descriptor, None)
        if ours:
            getattr(self, f"_{call.name}")(call)

    def cut(self, dice: random.Random, into: Path) -> None:
        """Write one of the possible disks into a new folder."""
        names = dict(self._durable)
        folders = {folder for folder, _, _ in self._loose}
        for folder in sorted(folders):
            changes = [(name, what) for where, name, what in self._loose if where == folder]
            _change(names, changes[: dice.randint(0, len(changes))])
        shutil.rmtree(into, ignore_errors=True)
        for name, what in sorted(names.items()):
            path = into / Path(name).relative_to(self._root)
            if what is None:
                path.mkdir(parents=True, exist_ok=True)
            elif path.parent.is_dir():
                path.write_bytes(what.after_cut(dice))

    def _rename_to(self, name: str, what: _File | None) -> None:
        self._loose.append((str(Path(name.lstrip("-")).parent), name, what))
        _change(self._seen, [(name, what)])

    def _openat(self, call: Call) -> None:
        if "O_TMPFILE" in call.flags or "O_DIRECTORY" in call.flags:
            return
        if call.path not in self._seen and "O_CREAT" in call.flags:
            self._rename_to(call.path, _File())
        file = self._seen.get(call.path)
        if file is not None:
            if "O_TRUNC" in call.flags:
                file.loose.append((0, None))
            self._open[call.descriptor] = (file, 0)

    def _write(self, call: Call) -> None:
        if call.descriptor in self._open:
            file, at = self._open[call.descriptor]
            file.loose.append((at, call.content))
            self._open[call.descriptor] = (file, at + len(call.content))

    def _lseek(self, call: Call) -> None:
        if call.descriptor in self._open:
            self._open[call.descriptor] = (self._open[call.descriptor][0], call.number)

    def _pwrite64(self, call: Call) -> None:
        self._open[call.descriptor][0].loose.append((call.number, call.content))

    def _ftruncate(self, call: Call) -> None:
        self._open[call.descriptor][0].loose.append((call.number, None))

    def _fsync(self, call: Call) -> None:
        if call.descriptor in self._open:
            self._open[call.descriptor][0].sync()
            return
        _change(self._durable, [(name, what) for folder, name, what in self._loose if folder == call.path])
        self._loose = [change for change in self._loose if change[0] != call.path]

    _fdatasync = _fsync

    def _rename(self, call: Call) -> None:
        # The new name comes first: a cut between them leaves both, never none.
        self._rename_to(call.other, self._seen[call.path])
        self._rename_to(f"-{call.path}", None)

    def _unlink(self, call: Call) -> None:
        self._rename_to(f"-{call.path}", None)

    def _mkdir(self, call: Call) -> None:
        self._rename_to(call.path, None)


def _change(names: _Names, changes: list[tuple[str, _File | None]]) -> None:
    for name, what in changes:
        if name.startswith("-"):
            names.pop(name[1:], None)
        else:
            names[name] = what


def strace_works() -> bool:
    """Whether this machine has strace and lets it trace."""
    if shutil.which("strace") is None:
        return False
    tried = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-e", "trace=write", sys.executable, "-c", ""],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0
