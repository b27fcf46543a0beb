# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A small file in the root folder of a FAT partition, read and overwritten at its place without mounting it.

FAT has no journal: to replace a file by renaming changes folder, both tables and data in an order that nobody
promises. To overwrite one of the same length changes its data only: for autoboot.txt one sector, in one write.
Works on a partition and on a file that holds one. FAT12, FAT16 and FAT32.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.os_update.slots import Doubt

_ENTRY_BYTES = 32
_VOLUME_OR_FOLDER = 0x18
_LONG_NAME = 0x0F
_DELETED = 0xE5
_CLUSTER_BITS = 0x0FFFFFFF
_LAST_CLUSTER = 0x0FFFFFF7
#: Of a root folder; a damaged table may go in circles.
_MOST_CLUSTERS = 256


@dataclass(frozen=True)
class _Place:
    """Where a file's bytes lie, in bytes from the partition's begin, and the sector's size."""

    offset: int
    length: int
    sector: int


def read(partition: Path, name: str) -> bytes:
    """A file's content.

    Raises:
        Doubt: the partition is no FAT, or has no such file, or it is spread over several clusters.
        OSError: the partition cannot be read.
    """
    with _opened(partition, os.O_RDONLY) as descriptor:
        place = _find(descriptor, name)
        return os.pread(descriptor, place.length, place.offset)


def overwrite(partition: Path, name: str, content: bytes) -> None:
    """Write a file's content at its place; durable at the return.

    Raises:
        Doubt: as for `read`; or the length is another one.
        OSError: it cannot be written; EBUSY: somebody has mounted the partition.
    """
    # Exclusive: the kernel refuses it on a partition that is mounted.
    with _opened(partition, os.O_RDWR | os.O_DSYNC | os.O_EXCL) as descriptor:
        place = _find(descriptor, name)
        if len(content) != place.length:
            raise Doubt(f"{name} has {place.length} bytes on the card, {len(content)} would not fit at its place")
        if os.pread(descriptor, place.length, place.offset) == content:
            return
        sectors = -(-place.length // place.sector) * place.sector
        old = os.pread(descriptor, sectors, place.offset)
        _write(descriptor, content + old[len(content) :], place.offset)
        os.fsync(descriptor)


def _write(descriptor: int, content: bytes, offset: int) -> None:
    """One write past the page cache, which would write whole pages; through it on a file system that knows no other."""
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    with mmap.mmap(-1, len(content)) as aligned:
        aligned[:] = content
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_DIRECT)
            written = os.pwritev(descriptor, [aligned], offset)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)
            written = os.pwritev(descriptor, [aligned], offset)
    if written != len(content):
        raise OSError(errno.EIO, f"only {written} of {len(content)} bytes were written")


@contextmanager
def _opened(partition: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(partition, flags | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _find(descriptor: int, name: str) -> _Place:
    """Where the file lies.

    Raises:
        Doubt: see `read`.
    """
    volume = _Volume(descriptor)
    for entry in volume.root_entries():
        if entry.name != _short(name):
            continue
        if entry.cluster < 2 or not 0 < entry.length <= volume.cluster_bytes:
            raise Doubt(f"{name} has {entry.length} bytes, must have 1 to {volume.cluster_bytes} (one cluster)")
        return _Place(volume.at(entry.cluster), entry.length, volume.sector)
    raise Doubt(f"there is no {name} on its partition; make it anew (docs/os_update.md)")


@dataclass(frozen=True)
class _Entry:
    name: bytes
    cluster: int
    length: int


class _Volume:
    """The layout that the first sector tells."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        head = self._read(0, 512)
        self.sector: int
        self.sector, per_cluster, reserved, tables, entries = struct.unpack_from("<HBHBH", head, 11)
        short_table: int = struct.unpack_from("<H", head, 22)[0]
        table, _, _, first = struct.unpack_from("<IHHI", head, 36)
        plausible = self.sector in (512, 1024, 2048, 4096) and per_cluster and tables and reserved
        if head[510:] != b"\x55\xaa" or not plausible:
            raise Doubt("the partition holds no FAT file system")
        self.cluster_bytes: int = per_cluster * self.sector
        root = reserved + tables * (short_table or table)
        root_bytes = entries * _ENTRY_BYTES
        self._data: int = (root + -(-root_bytes // self.sector)) * self.sector
        self._table = reserved * self.sector
        #: Where the root folder is, offset and length; on FAT32 it is a chain of clusters.
        self._root = [(root * self.sector, root_bytes)] if entries else list(self._chain(first))

    def at(self, cluster: int) -> int:
        """Where a cluster begins, bytes."""
        return self._data + (cluster - 2) * self.cluster_bytes

    def root_entries(self) -> Iterator[_Entry]:
        """The files of the root folder."""
        folder = b"".join(self._read(*part) for part in self._root)
        for begin in range(0, len(folder), _ENTRY_BYTES):
            entry = folder[begin : begin + _ENTRY_BYTES]
            if entry[0] == 0:
                return
            if entry[0] == _DELETED or entry[11] == _LONG_NAME or entry[11] & _VOLUME_OR_FOLDER:
                continue
            high, low, length = *struct.unpack_from("<H", entry, 20), *struct.unpack_from("<HI", entry, 26)
            yield _Entry(entry[:11], high << 16 | low, length)

    def _chain(self, cluster: int) -> Iterator[tuple[int, int]]:
        for _ in range(_MOST_CLUSTERS):
            if not 2 <= cluster < _LAST_CLUSTER:
                return
            yield self.at(cluster), self.cluster_bytes
            cluster = struct.unpack("<I", self._read(self._table + 4 * cluster, 4))[0] & _CLUSTER_BITS

    def _read(self, offset: int, length: int) -> bytes:
        content = os.pread(self._descriptor, length, offset)
        if len(content) != length:
            raise Doubt("the partition is shorter than its FAT file system says")
        return content


def _short(name: str) -> bytes:
    stem, _, suffix = name.upper().partition(".")
    return f"{stem:8}{suffix:3}".encode("ascii")
