# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""An image file as one stream of bytes, whatever it is packed with: raw, xz, gzip, zstd, or alone in a zip.

An image is read whole before a card is touched: a damaged download must not cost a card that worked.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from workshop.flash.fat import Fat
from workshop.flash.partitions import SECTOR, TABLE_BYTES, Partition, check_whole, fat_partitions, read_table
from workshop.flash.words import refuse

CHUNK = 4 * 1024 * 1024
#: Says how far we are: bytes done.
Progress = Callable[[int], None]

_MAGIC = {
    b"\xfd7zXZ\x00": "xz",
    b"\x1f\x8b": "gz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"PK\x03\x04": "zip",
}


class Image:
    """One file."""

    def __init__(self, path: Path) -> None:
        """Look at its first bytes.

        Raises:
            FlashError: cannot be read, or is empty.
        """
        self.path = path
        try:
            with path.open("rb") as file:
                first = file.read(8)
        except OSError as error:
            refuse(f"{path}: nicht lesbar: {error.strerror}", f"{path}: cannot be read: {error.strerror}")
        if not first:
            refuse(f"{path}: ist leer; neu herunterladen", f"{path}: is empty; download it again")
        self.packed = next((name for magic, name in _MAGIC.items() if first.startswith(magic)), "raw")

    def chunks(self) -> Iterator[bytes]:
        """Its content, unpacked, in pieces of CHUNK bytes; only the last may be shorter.

        Raises:
            FlashError: it is damaged, or cannot be unpacked here.
        """
        try:
            with self._open() as stream:
                while piece := _read_full(stream):
                    yield piece
        except (lzma.LZMAError, zlib.error, zipfile.BadZipFile, EOFError, gzip.BadGzipFile) as error:
            refuse(
                f"{self.path}: beschädigt ({error}); neu herunterladen",
                f"{self.path}: is damaged ({error}); download it again",
            )
        except OSError as error:
            refuse(f"{self.path}: nicht lesbar: {error}", f"{self.path}: cannot be read: {error}")

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        if self.packed == "zst":
            with _zstd(self.path) as stream:
                yield stream
            return
        if self.packed == "zip":
            with zipfile.ZipFile(self.path) as archive, archive.open(_only_member(self.path, archive)) as member:
                yield member
            return
        with self._plain() as stream:
            yield stream

    def _plain(self) -> IO[bytes]:
        if self.packed == "xz":
            return cast("IO[bytes]", lzma.open(self.path))
        if self.packed == "gz":
            return cast("IO[bytes]", gzip.open(self.path))
        return self.path.open("rb")


def _read_full(stream: IO[bytes]) -> bytes:
    """The next CHUNK bytes: a decompressor gives less at a time."""
    piece = stream.read(CHUNK)
    while piece and len(piece) < CHUNK and (more := stream.read(CHUNK - len(piece))):
        piece += more
    return piece


@contextmanager
def _zstd(path: Path) -> Iterator[IO[bytes]]:
    program = shutil.which("zstd")
    if program is None:
        refuse(f"{path}: zum Auspacken fehlt zstd: sudo apt install zstd", f"{path}: needs zstd: sudo apt install zstd")
    with subprocess.Popen(  # noqa: S603 - our own arguments
        [program, "-dc", "--", str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as running:
        assert running.stdout is not None
        try:
            yield running.stdout
        except BaseException:
            running.kill()
            raise
        # Closed before its end (somebody stopped reading) is no damage.
        if running.stdout.read(1) == b"" and running.wait():
            raise EOFError("zstd")
        running.kill()


def _only_member(path: Path, archive: zipfile.ZipFile) -> str:
    inside = [one for one in archive.namelist() if one.endswith(".img")]
    if len(inside) != 1:
        refuse(f"{path}: enthält nicht genau eine .img-Datei", f"{path}: does not hold exactly one .img file")
    return inside[0]


@dataclass(frozen=True)
class Survey:
    """What one reading of the whole image found. `fat`: the boot partition as the image has it."""

    size: int
    sha256: str
    partitions: tuple[Partition, ...]
    boot: Partition
    fat: Fat


def survey(image: Image, progress: Progress) -> Survey:
    """Read all of it once.

    Raises:
        FlashError: damaged, not what its .sha256 file says, or not a system image.
    """
    hasher, size = hashlib.sha256(), 0
    partitions: tuple[Partition, ...] = ()
    fats: dict[Partition, Fat] = {}
    for chunk in image.chunks():
        if not fats:
            partitions = read_table(chunk[:TABLE_BYTES])
            fats = {one: Fat(one.size) for one in fat_partitions(partitions)}
        hasher.update(chunk)
        for one, fat in fats.items():
            fat.take(chunk, size - one.start)
        size += len(chunk)
        progress(size)
    if not fats or size % SECTOR:
        refuse(
            f"{image.path}: kein ganzes Systemabbild ({size} Bytes); neu herunterladen",
            f"{image.path}: not a whole system image ({size} bytes); download it again",
        )
    check_whole(fats, size)
    _compare_published(image.path)
    boot = _boot(fats)
    return Survey(size, hasher.hexdigest(), partitions, boot, fats[boot])


def _boot(fats: dict[Partition, Fat]) -> Partition:
    """The partition that becomes the vehicle's: the first with a config.txt, a board without one has only one.

    Of a card with two systems (docs/os_update.md) the first holds autoboot.txt alone, and B is empty: the first update
    of the operating system writes it whole, so nothing of the vehicle can be on it. What the vehicle needs in both
    systems, the first boot puts onto the data partition.
    """
    return next((one for one, fat in fats.items() if fat.read("config.txt") is not None), next(iter(fats)))


def _compare_published(path: Path) -> None:
    """Raspberry Pi and others publish IMAGE.sha256 beside the packed image; where it lies there, it must hold."""
    beside = path.with_name(path.name + ".sha256")
    if not beside.is_file():
        return
    wanted = beside.read_text(encoding="utf-8", errors="replace").split()[:1]
    with path.open("rb") as file:
        found = hashlib.sha256()
        while piece := file.read(CHUNK):
            found.update(piece)
    if wanted != [found.hexdigest()]:
        refuse(
            f"{path}: die Prüfsumme stimmt nicht mit {beside.name} überein; beide neu herunterladen",
            f"{path}: its checksum is not the one in {beside.name}; download both again",
        )


def composed(image: Image, known: Survey, fat: Fat) -> Iterator[bytes]:
    """The image with `fat` in the place of its boot partition, in the same pieces.

    Raises:
        FlashError: the image is not any more what was surveyed.
    """
    hasher = hashlib.sha256()
    at = 0
    for chunk in image.chunks():
        hasher.update(chunk)
        yield fat.laid_over(chunk, at - known.boot.start)
        at += len(chunk)
    if hasher.hexdigest() != known.sha256:
        refuse(
            f"{image.path}: hat sich während des Schreibens geändert; noch einmal von vorn",
            f"{image.path}: has changed while it was written; begin again",
        )
