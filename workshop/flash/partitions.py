# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The partition table of an image, from its first bytes: MBR or GPT. Pure."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from workshop.flash.words import refuse

SECTOR = 512
#: So much of an image's beginning holds its table.
TABLE_BYTES = 64 * 1024

_FAT_TYPES = frozenset({0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E, 0xEF})
_GPT_FAT_TYPES = frozenset(
    {
        bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b"),  # EFI system
        bytes.fromhex("a2a0d0ebe5b9334487c068b6b72699c7"),  # basic data
    }
)


@dataclass(frozen=True)
class Partition:
    """One entry. `start`, `size`: bytes."""

    number: int
    start: int
    size: int
    fat: bool
    name: str = ""

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.size


def read_table(head: bytes) -> tuple[Partition, ...]:
    """The partitions that the first bytes of a disk name, in the order of the table.

    Raises:
        FlashError: there is no table, or a damaged one.
    """
    if len(head) < SECTOR or head[510:512] != b"\x55\xaa":
        refuse(
            "das Abbild hat keine Partitionstabelle; ein Systemabbild (.img) der ganzen Karte nehmen",
            "the image has no partition table; take a system image (.img) of a whole card",
        )
    entries = [head[446 + 16 * n : 462 + 16 * n] for n in range(4)]
    if any(entry[4] == 0xEE for entry in entries):
        return _read_gpt(head)
    found = []
    for number, entry in enumerate(entries, 1):
        start, sectors = struct.unpack_from("<II", entry, 8)
        if entry[4] and sectors:
            found.append(Partition(number, start * SECTOR, sectors * SECTOR, entry[4] in _FAT_TYPES))
    return tuple(found)


def _read_gpt(head: bytes) -> tuple[Partition, ...]:
    header = head[SECTOR : 2 * SECTOR]
    size = struct.unpack_from("<I", header, 12)[0] if len(header) == SECTOR else 0
    if header[:8] != b"EFI PART" or not 92 <= size <= SECTOR:
        _damaged()
    (crc,) = struct.unpack_from("<I", header, 16)
    first, many, each, entries_crc = struct.unpack_from("<QIII", header, 72)
    table = head[first * SECTOR : first * SECTOR + many * each]
    blanked = header[:16] + bytes(4) + header[20:size]
    sound = each >= 128 and len(table) == many * each
    if not sound or zlib.crc32(blanked) != crc or zlib.crc32(table) != entries_crc:
        _damaged()
    found = []
    for number in range(many):
        entry = table[number * each : (number + 1) * each]
        begin, last = struct.unpack_from("<QQ", entry, 32)
        if any(entry[:16]) and begin <= last:
            name = entry[56:128].decode("utf-16-le", "replace").partition("\0")[0]
            size = (last - begin + 1) * SECTOR
            found.append(Partition(number + 1, begin * SECTOR, size, entry[:16] in _GPT_FAT_TYPES, name))
    return tuple(found)


def _damaged() -> None:
    refuse(
        "die Partitionstabelle (GPT) des Abbilds ist beschädigt; das Abbild neu herunterladen",
        "the image's partition table (GPT) is damaged; download the image again",
    )


def fat_partitions(partitions: tuple[Partition, ...]) -> tuple[Partition, ...]:
    """The FAT partitions, in the order of the table; the board starts from one of them.

    Raises:
        FlashError: there is none.
    """
    found = tuple(one for one in partitions if one.fat)
    if not found:
        refuse(
            "das Abbild hat keine FAT-Partition, also keinen Platz für das Eigene des Fahrzeugs; ein anderes nehmen",
            "the image has no FAT partition, so no place for the vehicle's own files; take another one",
        )
    return found


def check_whole(partitions: Iterable[Partition], image_bytes: int) -> None:
    """Look whether they lie within the image.

    Raises:
        FlashError: one does not.
    """
    for one in partitions:
        if one.end > image_bytes or not one.start:
            refuse(
                f"Partition {one.number} reicht über das Ende des Abbilds; es ist abgeschnitten, neu herunterladen",
                f"partition {one.number} reaches past the end of the image; it is cut off, download it again",
            )
