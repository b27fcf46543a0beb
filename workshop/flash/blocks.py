# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A real card, loop device or image file as `writing.Target`."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import stat
import struct
from pathlib import Path
from types import TracebackType

from workshop.flash.image import CHUNK
from workshop.flash.words import refuse

# linux/fs.h
_BLKSSZGET = 0x1268
_BLKRRPART = 0x125F
_ALIGN = 4096


class Blocks:
    """An open device, for us alone: refused to us while any of it is mounted, and to others while we have it."""

    def __init__(self, path: Path, image_bytes: int) -> None:
        """Open it. `image_bytes`: an empty file grows to this.

        Raises:
            FlashError: it is in use, or we may not.
        """
        self._device = path.exists() and stat.S_ISBLK(path.stat().st_mode)
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_EXCL if self._device else os.O_CREAT)
        try:
            self._fd = os.open(path, flags, 0o600)
        except OSError as error:
            _not_opened(path, error)
        self.size = os.lseek(self._fd, 0, os.SEEK_END)
        if not self._device and not self.size:
            os.ftruncate(self._fd, image_bytes)
            self.size = image_bytes
        self.block = self._sector()
        self._direct = self._open_direct(path)
        self._buffer = mmap.mmap(-1, CHUNK)

    def __enter__(self) -> Blocks:  # noqa: PYI034 - Self is not in Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._device:
            # So that the partitions appear; no harm where it cannot be.
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._fd, _BLKRRPART)
        os.close(self._direct)
        os.close(self._fd)
        self._buffer.close()

    def write(self, at: int, content: bytes) -> None:
        """Hand over bytes."""
        view = memoryview(content)
        while view:
            done = os.pwrite(self._fd, view, at)
            view, at = view[done:], at + done

    def flush(self) -> None:
        """Wait until they are on the card."""
        os.fsync(self._fd)

    def read(self, at: int, size: int) -> bytes:
        """What the card returns: past the page cache (O_DIRECT), or with it emptied where that cannot be."""
        os.posix_fadvise(self._fd, at, size, os.POSIX_FADV_DONTNEED)
        wanted = min(-(-size // _ALIGN) * _ALIGN, CHUNK)
        view = memoryview(self._buffer)
        try:
            done = 0
            while done < size:
                more = os.preadv(self._direct, [view[done:wanted]], at + done)
                done += more
                # The end of a file: from here on O_DIRECT could not read.
                if not more or more % self.block:
                    break
            return bytes(view[: min(done, size)])
        finally:
            view.release()

    def _sector(self) -> int:
        if not self._device:
            return 512
        return int(struct.unpack("i", fcntl.ioctl(self._fd, _BLKSSZGET, bytes(4)))[0])

    def _open_direct(self, path: Path) -> int:
        try:
            return os.open(path, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
        except OSError as error:
            # A file system in memory has no O_DIRECT, and nothing behind it to read either.
            if error.errno != errno.EINVAL:
                raise
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _not_opened(path: Path, error: OSError) -> None:
    if error.errno == errno.EBUSY:
        refuse(
            f"{path}: ist in Benutzung; aushängen und noch einmal (lsblk {path} zeigt, wovon)",
            f"{path}: is in use; unmount it and try again (lsblk {path} shows by what)",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        refuse(f"{path}: keine Berechtigung; mit sudo starten", f"{path}: not permitted; start with sudo")
    if error.errno == errno.EROFS:
        refuse(
            f"{path}: ist schreibgeschützt; den Schieber an der Karte umlegen",
            f"{path}: is read-only; move the slider on the card",
        )
    if error.errno == errno.ENOMEDIUM:
        refuse(f"{path}: enthält keine Karte; eine einlegen", f"{path}: holds no card; put one in")
    refuse(f"{path}: lässt sich nicht öffnen: {error.strerror}", f"{path}: cannot be opened: {error.strerror}")
