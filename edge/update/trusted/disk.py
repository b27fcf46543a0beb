# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Files: written so that a power cut leaves the old or the new one, read so that no link or device leads astray."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from edge.update.trusted.refusal import UntrustedError

_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def fsync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move_durably(source: Path, target: Path) -> None:
    """Give a file whose content is durable its name. Raises OSError."""
    source.replace(target)
    fsync_folder(target.parent)


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file as a whole, unless it says so already. Raises OSError; the old file stays then."""
    with contextlib.suppress(OSError):
        if path.read_bytes() == content:
            return
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    move_durably(fresh, path)


@contextlib.contextmanager
def plain_file(folder: Path, name: str) -> Iterator[BinaryIO]:
    """Open a plain file below a folder that somebody else may have made; no link below the folder is followed.

    Raises:
        UntrustedError: `missing`: it is not there, is a link, a device or a folder, or cannot be read.
    """
    *parents, last = name.split("/")
    with contextlib.ExitStack() as opened:
        try:
            if not all(part not in ("", ".", "..") and "\0" not in part for part in [*parents, last]):
                raise FileNotFoundError(name)
            at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.callback(os.close, at)
            for part in parents:
                at = os.open(part, _READ_FLAGS | os.O_DIRECTORY, dir_fd=at)
                opened.callback(os.close, at)
            file = opened.enter_context(os.fdopen(os.open(last, _READ_FLAGS, dir_fd=at), "rb"))
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise FileNotFoundError(name)
        except (OSError, UnicodeError) as error:
            raise UntrustedError("missing", f"{folder}: no plain file {name[:100]!r} there: copy it anew") from error
        yield file


def read_plain(folder: Path, name: str, most: int) -> bytes:
    """A whole small file, as `plain_file` opens it. Raises UntrustedError; `endless` above `most` bytes."""
    with plain_file(folder, name) as file:
        try:
            content = file.read(most + 1)
        except OSError as error:
            raise UntrustedError("missing", f"{folder}: {name[:100]!r} cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise UntrustedError("endless", f"{folder}: {name[:100]!r} is longer than the {most} bytes it may have")
    return content
