# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A FAT partition in memory, changed by mtools: no root, no mount, and no secret in a temporary file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from workshop.flash.words import refuse

_FREE = re.compile(rb"([0-9 ]+) bytes free")
_PIECE = 1024 * 1024


class Fat:
    """The partition's bytes and the files in them. Paths are like `wegewart/keys/ca.pem`."""

    def __init__(self, size: int) -> None:
        self.size = size
        # Pages that were never written take no memory.
        self._fd = os.memfd_create("wegewart-boot", os.MFD_CLOEXEC)
        os.ftruncate(self._fd, size)

    def __del__(self) -> None:
        os.close(self._fd)

    def copy(self) -> Fat:
        """Another one with the same content."""
        fresh = Fat(self.size)
        for at in range(0, self.size, _PIECE):
            fresh.take(os.pread(self._fd, _PIECE, at), at)
        return fresh

    def take(self, chunk: bytes, at: int) -> None:
        """Keep what of a chunk lies in the partition. `at`: where the chunk begins, from the partition's beginning."""
        begin, end = max(at, 0), min(at + len(chunk), self.size)
        part = memoryview(chunk)[begin - at : max(end, begin) - at]
        for offset in range(0, len(part), _PIECE):
            piece = part[offset : offset + _PIECE]
            if piece != bytes(len(piece)):
                os.pwrite(self._fd, piece, begin + offset)

    def laid_over(self, chunk: bytes, at: int) -> bytes:
        """The chunk with this partition's bytes where it lies in the partition. `at` as in `take`."""
        begin, end = max(at, 0), min(at + len(chunk), self.size)
        if begin >= end:
            return chunk
        return chunk[: begin - at] + os.pread(self._fd, end - begin, begin) + chunk[end - at :]

    def names(self) -> list[str]:
        """Every file."""
        listed = self._mtools("mdir", "-/", "-b", "::").stdout.decode("utf-8", "replace")
        return [line[3:] for line in listed.splitlines() if line.startswith("::/") and not line.endswith("/")]

    def read(self, path: str) -> bytes | None:
        """A file's content; None where there is none."""
        done = self._mtools("mcopy", "-n", f"::{path}", "-", check=False)
        return done.stdout if done.returncode == 0 else None

    def write(self, path: str, content: bytes) -> None:
        """Make or replace a file.

        Raises:
            FlashError: it does not fit, or mtools cannot.
        """
        parents = path.split("/")[:-1]
        for depth in range(len(parents)):
            # Exit code 1 where it is there already; if it could not be made, the copy fails.
            self._mtools("mmd", "-D", "s", "::" + "/".join(parents[: depth + 1]), check=False)
        self._mtools("mcopy", "-D", "o", "-", f"::{path}", content=content)
        # mcopy says nothing where the space ends.
        if self.read(path) != content:
            refuse(
                f"{path} ({len(content)} Bytes) passt nicht auf die Boot-Partition ({self.free()} Bytes frei);"
                " ein kleineres Bündel oder ein Abbild mit größerer Boot-Partition nehmen",
                f"{path} ({len(content)} bytes) does not fit on the boot partition ({self.free()} bytes free);"
                " take a smaller bundle or an image with a larger boot partition",
            )

    def free(self) -> int:
        """Bytes that are left."""
        found = _FREE.search(self._mtools("mdir", "::").stdout)
        return int(found[1].replace(b" ", b"")) if found else 0

    def label(self, name: str) -> None:
        """Name the volume."""
        self._mtools("mlabel", f"::{name}")

    def _mtools(
        self, program: str, *arguments: str, content: bytes = b"", check: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        path = shutil.which(program)
        if path is None:
            refuse("mtools fehlt: sudo apt install mtools", "mtools is missing: sudo apt install mtools")
        head, tail = arguments[:-1], arguments[-1:]
        if program == "mcopy":
            head, tail = arguments[:-2], arguments[-2:]
        done = subprocess.run(  # noqa: S603 - our own arguments
            [path, *head, "-i", f"/proc/self/fd/{self._fd}", *tail],
            input=content,
            capture_output=True,
            check=False,
            pass_fds=[self._fd],
            # Nobody's own ~/.mtoolsrc.
            env={"MTOOLSRC": "/dev/null", "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8", "PATH": os.defpath},
        )
        if check and done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().replace("\n", "; ")
            refuse(
                f"die Boot-Partition des Abbilds ist nicht lesbar ({program}: {said}); das Abbild neu herunterladen",
                f"the image's boot partition cannot be used ({program}: {said}); download the image again",
            )
        return done
