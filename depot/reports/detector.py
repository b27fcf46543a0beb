# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicles' own detector, asked about a photo in a process of its own.

The photo is handed over in memory (memfd): what a citizen sent is never written to a disk. The process has bounds on
memory and time, no files to write and, where the kernel allows it, no network (`depot.reports.confined`).
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from depot.reports import confined
from depot.reports.config import ReportsConfig
from depot.reports.judging import Box, Judged

#: Exit code of `wegewart-edge detect` for a picture that cannot be read.
_UNREADABLE = 3
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "HOME", "PYTHONPATH", "VIRTUAL_ENV")


class UnreadableError(Exception):
    """The sender's fault: no picture, cut off, too large."""


class DetectorError(Exception):
    """Our fault: no detector, no answer in time, too much to do. One line."""


class Detector(Protocol):
    """Judges photos."""

    def judge(self, photo: bytes, keep: Box | None = None) -> Judged:
        """Find defects, people and vehicles; `keep`: a box in shares of width and height to make a crop of, too.

        Raises:
            UnreadableError, DetectorError: one line.
        """


class EdgeDetector:
    """`wegewart-edge detect` in a confined process. May be asked from any thread."""

    def __init__(self, settings: ReportsConfig) -> None:
        self._settings = settings
        self._turns = threading.BoundedSemaphore(settings.at_once)

    def judge(self, photo: bytes, keep: Box | None = None) -> Judged:
        """See `Detector`."""
        if not _is_picture(photo):
            raise UnreadableError("the picture is not JPEG, PNG or WebP")
        with self._turn(), _in_memory(photo) as handle:
            done = self._run(handle, keep)
        if done.returncode == _UNREADABLE:
            raise UnreadableError(
                f"the picture cannot be read: it is cut off, damaged or has more than"
                f" {self._settings.most_megapixels} megapixels"
            )
        if done.returncode != 0:
            raise DetectorError(f"the detector failed ({done.returncode}): {_last_line(done.stderr)}")
        try:
            return msgspec.json.decode(done.stdout, type=Judged)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DetectorError(f"the detector's answer is not understood: {error}") from None

    def _run(self, handle: int, keep: Box | None) -> subprocess.CompletedProcess[bytes]:
        settings = self._settings
        command = [
            *(sys.executable, "-I", "-S", confined.__file__),
            *(str(settings.memory_megabytes * 1_000_000), str(math.ceil(settings.timeout_s) + 1)),
            *(settings.detector or _own_program()),
            *("detect", f"/proc/self/fd/{handle}", "--json", "--safe", "--blocks", str(settings.blocks)),
            *("--model", settings.model, "--threads", "2"),
            *(() if keep is None else ("--keep", ",".join(f"{share:.6f}" for share in keep))),
        ]
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {
            "PYTHONDONTWRITEBYTECODE": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "OPENCV_IO_MAX_IMAGE_PIXELS": str(settings.most_megapixels * 1_000_000),
        }
        try:
            return subprocess.run(  # noqa: S603 - the depot's own setting, and no shell
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=settings.timeout_s,
                pass_fds=(handle,),
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DetectorError(f"the detector gave no answer within {settings.timeout_s:g} s") from None
        except OSError as error:
            raise DetectorError(f"the detector cannot be started: {error.strerror}") from None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=self._settings.wait_s):
            raise DetectorError("too many pictures at once; send it again later")
        try:
            yield
        finally:
            self._turns.release()


def _own_program() -> tuple[str, ...]:
    beside = Path(sys.executable).with_name("wegewart-edge")
    return (str(beside),) if beside.exists() else (sys.executable, "-m", "edge.cli")


def _is_picture(photo: bytes) -> bool:
    return photo.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (
        photo.startswith(b"RIFF") and photo[8:12] == b"WEBP"
    )


@contextmanager
def _in_memory(photo: bytes) -> Iterator[int]:
    handle = os.memfd_create("photo")
    try:
        with os.fdopen(os.dup(handle), "wb") as file:
            file.write(photo)
        yield handle
    finally:
        os.close(handle)


def _last_line(told: bytes) -> str:
    lines = told.decode(errors="replace").strip().splitlines()
    return "".join(char if char.isprintable() else "?" for char in lines[-1][:300]) if lines else "it says nothing"
