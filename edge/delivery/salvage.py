# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads records out of a damaged SQLite file, page by page, without SQLite.

A table's rows lie in leaf pages, each with a list of where in it its rows begin; what does not fit goes on in
overflow pages. Every page of the file and every page image in its write-ahead log is looked at by itself: neither
header nor tree nor schema is needed, so zeros or rubbish anywhere cost only the rows that lay there. A row counts as
an event when one of its values is a message that decodes, which nothing does by chance; the columns of a newer version
may stand in another order.

Rows of a commit that was under way, and old images of rows, are found as well. Neither does harm: an id has one
content for ever, and whatever says "answered" wins over whatever says "pending".
"""

from __future__ import annotations

import contextlib
import mmap
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from messages.envelope import Event, MessageError, decode, kind_of
from messages.topics import SHA256_PATTERN
from messages.types import Look, Observation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Value: TypeAlias = int | float | str | bytes | None
Bytes: TypeAlias = bytes | mmap.mmap

_LEAF = 0x0D
_WAL_HEADER, _FRAME_HEADER = 32, 24
_DEFAULT_PAGE = 4096
#: Bytes of a row with its place in the list: no page holds more rows than that.
_LEAST_ROW = 6
#: Sizes of the serial types 0 to 9, bytes.
_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
State: TypeAlias = Literal["pending", "acknowledged", "refused", "lost"]
_STATES: tuple[State, ...] = get_args(State)
_SHA256 = re.compile(SHA256_PATTERN)


@dataclass(frozen=True)
class FoundEvent:
    """An event's row that is whole. `sha256`, `picture_bytes`: its picture, as the observation describes it."""

    id: str
    kind: str
    vehicle: str
    payload: bytes
    state: State
    sha256: str | None = None
    picture_bytes: int = 0


@dataclass(frozen=True)
class FoundPicture:
    """A picture's row."""

    sha256: str
    size_bytes: int
    state: State


def scan(path: Path) -> Iterator[FoundEvent | FoundPicture]:
    """Everything that can be read of the store at `path` and of its log, in the order of the pages.

    An id comes as often as it lies there. What cannot be read is passed over; never raises for content.
    The files must not be open in this process through SQLite: closing them here would drop its locks.
    """
    with contextlib.ExitStack() as stack:
        store = _mapped(path, stack)
        log = _mapped(path.with_name(path.name + "-wal"), stack)
        pages = _Pages(store, log)
        for page in pages:
            for values in _rows(page, pages):
                found = _event(values) or _picture(values)
                if found is not None:
                    yield found


def _mapped(path: Path, stack: contextlib.ExitStack) -> Bytes:
    try:
        file = stack.enter_context(path.open("rb"))
        return stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):  # not there, not ours to read, a folder, empty
        return b""


class _Pages:
    """All page images of a store and its log."""

    def __init__(self, store: Bytes, log: Bytes) -> None:
        self._store, self._log = store, log
        self.size = _page_size(store[16:18], log[8:12])
        self._in_log = {
            struct.unpack(">I", log[at : at + 4])[0]: at + _FRAME_HEADER
            for at in range(_WAL_HEADER, len(log) - _FRAME_HEADER - self.size + 1, _FRAME_HEADER + self.size)
        }

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._store), self.size):
            yield self._store[at : at + self.size]
        step = _FRAME_HEADER + self.size
        for at in range(_WAL_HEADER + _FRAME_HEADER, len(self._log), step):
            yield self._log[at : at + self.size]

    def overflow(self, number: int, wanted: int) -> bytes:
        """`wanted` bytes of the chain of overflow pages that begins with page `number`; fewer where it breaks off."""
        parts: list[bytes] = []
        seen: set[int] = set()
        while number and wanted > 0 and number not in seen:
            seen.add(number)
            source, at = (self._log, self._in_log[number]) if number in self._in_log else (self._store, 0)
            page = source[at : at + self.size] if at else source[(number - 1) * self.size : number * self.size]
            if len(page) < self.size:
                break
            parts.append(page[4 : 4 + wanted])
            wanted -= len(parts[-1])
            number = int.from_bytes(page[:4], "big")
        return b"".join(parts)


def _page_size(in_store: bytes, in_log: bytes) -> int:
    for told in (int.from_bytes(in_store, "big"), int.from_bytes(in_log, "big")):
        size = 65536 if told == 1 else told
        if 512 <= size <= 65536 and size & (size - 1) == 0:
            return size
    return _DEFAULT_PAGE


def _rows(page: bytes, pages: _Pages) -> Iterator[tuple[Value, ...]]:
    start = 100 if page[:15] == b"SQLite format 3" else 0
    if page[start : start + 1] != bytes([_LEAF]):
        return
    told = int.from_bytes(page[start + 3 : start + 5], "big")
    for number in range(min(told, len(page) // _LEAST_ROW)):
        pointer = start + 8 + 2 * number
        at = int.from_bytes(page[pointer : pointer + 2], "big")
        # Rubbish where a row should be: this row is passed over, the next one may be whole.
        with contextlib.suppress(IndexError, ValueError, struct.error):
            yield _record(_payload(page, at, pages))


def _payload(page: bytes, at: int, pages: _Pages) -> bytes:
    """A row's record: in the page, or as much of it as the format keeps there and the rest in overflow pages."""
    length, at = _varint(page, at)
    _, at = _varint(page, at)  # the row's number
    if length > 1_000_000:
        raise ValueError("no row of ours is so large")
    most, least = pages.size - 35, (pages.size - 12) * 32 // 255 - 23
    if length <= most:
        return page[at : at + length]
    here = least + (length - least) % (pages.size - 4)
    here = here if here <= most else least
    rest = int.from_bytes(page[at + here : at + here + 4], "big")
    return page[at : at + here] + pages.overflow(rest, length - here)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for number in range(9):
        byte = data[at + number]
        if number == 8:
            return (value << 8) | byte, at + 9
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            return value, at + number + 1
    raise AssertionError


def _record(record: bytes) -> tuple[Value, ...]:
    header, at = _varint(record, 0)
    kinds: list[int] = []
    while at < header:
        kind, at = _varint(record, at)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        size = _SIZES[kind] if kind < len(_SIZES) else (kind - 12) // 2
        values.append(_value(kind, record[at : at + size]))
        at += size
    return tuple(values)


def _value(kind: int, content: bytes) -> Value:
    if kind in (0, 10, 11):
        return None
    if kind in (8, 9):
        return kind - 8
    if kind == 7:
        return float(struct.unpack(">d", content)[0])
    if kind < 7:
        return int.from_bytes(content, "big", signed=True)
    return content if kind % 2 == 0 else content.decode("utf-8", "replace")


def _state(values: tuple[Value, ...]) -> State | None:
    return next((state for state in _STATES if state in values), None)


def _sha256(values: tuple[Value, ...]) -> str | None:
    return next((value for value in values if isinstance(value, str) and _SHA256.fullmatch(value)), None)


def _event(values: tuple[Value, ...]) -> FoundEvent | None:
    state = _state(values)
    for payload in values:
        if not isinstance(payload, bytes) or state is None:
            continue
        try:
            event: Event = decode(payload)
        except MessageError:
            continue
        described = event.data.picture if isinstance(event.data, Observation | Look) else None
        size = described.bytes if described is not None else 0
        return FoundEvent(event.id, kind_of(event.data), event.vehicle, payload, state, _sha256(values), size)
    return None


def _picture(values: tuple[Value, ...]) -> FoundPicture | None:
    state, name = _state(values), _sha256(values)
    if state is None or name is None or any(isinstance(value, bytes) for value in values):
        return None
    numbers = [value for value in values if isinstance(value, int)]  # start, bytes, perhaps a round operating time
    return FoundPicture(name, numbers[1] if len(numbers) > 1 else 0, state)
