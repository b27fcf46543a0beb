# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Fetches a release from the depot's repository into a bundle folder, without root's rights, piece by piece.

`into` is a bundle as on a stick; `bundle.json` stands in it only while everything else does. What belongs to nobody
else lies in `.fetch` below it: this client's own `trust`, `partial/SHA256` of each target under way, the day's sum.
Whoever takes the bundle verifies it again; nothing here is a secret, and nothing here is believed by others.
"""

from __future__ import annotations

import contextlib
import os
import platform
import random
import re
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TypeVar

import msgspec
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import TargetFile

from edge.config_update import UpdateConfig
from edge.update.trusted.bundle import agreed, check, manifest_of, release_in
from edge.update.trusted.client import Client
from edge.update.trusted.disk import fsync_folder, move_durably, write_durably
from edge.update.trusted.pace import STEP, EndedError, Pace
from edge.update.trusted.refusal import FetchError, UntrustedError
from edge.update.trusted.web import Answer, Limits, PassingError, Web
from messages.release import BUNDLE, RELEASE_PATTERN, Bundle, File, Release

#: Stays free for everybody else on the disk.
SPARE_BYTES = 64 << 20
#: So often in a row may a server fail without sending anything worth it.
_TRIES = 6
_WORTH_BYTES = 64 << 10
_LONGEST_PAUSE_S = 60.0
_T = TypeVar("_T")


@dataclass(frozen=True)
class Fetched:
    """What a run came to. `complete`: bundle.json stands; otherwise `why` it ended (stopped, allowance used up)."""

    complete: bool
    received_bytes: int
    why: str = ""


def fetch(
    config: UpdateConfig,
    *,
    wanted: str,
    into: Path,
    root: bytes | None = None,
    ca: Path | None = None,
    held: Collection[str] = (),
    machine: str | None = None,
    python: str | None = None,
    now: datetime | None = None,
    stop: Event | None = None,
    limits: Limits | None = None,
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> Fetched:
    """Bring the bundle folder `into` to release `wanted`.

    Args:
        config: `update` of the vehicle's configuration.
        wanted: the release's id.
        into: the bundle folder.
        root: first root of trust where the client's own store holds none (the updater's `trust/root.json`).
        ca: certificates of who may sign the depot's (PEM); None: the system's.
        held: SHA-256 of targets that need not be fetched (installed, or in the updater's cache).
        machine: as `platform.machine()`; None: this computer's.
        python: "3.13"; None: this interpreter's.
        now: the time where somebody trusted told it; None: this computer's clock.
        stop: ends the run cleanly once it is set.
        limits: how long the server may keep us waiting.
        free: bytes that a folder's disk can still take.

    Raises:
        UntrustedError: what the repository serves is refused.
        FetchError: the network, the disk or the address; what has come stays.
    """
    if config.repository is None:
        raise FetchError("update.repository is not set: releases come by stick or by SSH only")
    if not re.fullmatch(RELEASE_PATTERN, wanted):
        raise FetchError(f"{wanted[:60]!r} is no release's name, as 2026.11.3 is")
    stopped = Event() if stop is None else stop
    computer = (machine or platform.machine(), python or f"{sys.version_info.major}.{sys.version_info.minor}")
    with _disk_troubles(into):
        own = into / ".fetch"
        (own / "partial").mkdir(parents=True, exist_ok=True)
        pace = Pace(
            bytes_per_s=config.bytes_per_s,
            bytes_per_day=config.bytes_per_day,
            file=own / "spent.json",
            wait=stopped.wait,
        )
        mirror = _Mirror(into, Web(config.repository, pace, ca=ca, limits=limits), pace, free)
        try:
            mirror.bring(wanted, computer, held, now, root)
        except EndedError as end:
            return Fetched(complete=False, received_bytes=pace.received, why=str(end))
        finally:
            pace.save()
        return Fetched(complete=True, received_bytes=pace.received)


class _Mirror:
    """One run."""

    def __init__(self, into: Path, web: Web, pace: Pace, free: Callable[[Path], int]) -> None:
        self._into, self._own, self._web, self._pace, self._free = into, into / ".fetch", web, pace, free

    def bring(
        self, wanted: str, computer: tuple[str, str], held: Collection[str], now: datetime | None, root: bytes | None
    ) -> None:
        """Raises as `fetch` does, EndedError, OSError."""
        client = Client(
            lambda name, most: self._again(lambda: self._web.read(f"metadata/{name}", most)),
            where=self._web.base,
            trust=self._own / "trust",
            now=now,
            root=root,
        )
        client.refresh()
        manifest = manifest_of(client, wanted)
        self._fetch_all(client, [manifest])
        content = (self._into / "targets" / client.place(manifest)).read_bytes()
        release = release_in(content, wanted, self._web.base)
        files = [agreed(client, file) for file in _needed(release, *computer) if file.sha256 not in held]
        self._fetch_all(client, files)
        metadata = client.believed()
        self._tidy({client.place(target) for target in [manifest, *files]}, set(metadata))
        for name, data in metadata.items():
            self._put(self._into / "metadata" / name, data)
        self._put(self._into / BUNDLE, msgspec.json.encode(Bundle(release=wanted)))

    def _fetch_all(self, client: Client, targets: list[TargetFile]) -> None:
        missing = [target for target in targets if not self._is_here(client, target)]
        if not missing:
            return
        self._withdraw()
        needed = sum(target.length - self._kept(target) for target in missing)
        free = self._free(self._into)
        if free < needed + SPARE_BYTES:
            raise FetchError(
                f"{self._into}: {needed} bytes are to come, {SPARE_BYTES} are to stay free, {free} are free; free space"
            )
        for target in missing:
            self._fetch_one(client, target)

    def _fetch_one(self, client: Client, target: TargetFile) -> None:
        """Once more from the beginning where what was kept turns out to belong to something else."""
        partial = self._partial(target)
        resumed = self._kept(target) > 0
        self._again(lambda: self._receive(client, target))
        try:
            with partial.open("rb") as content:
                check(target, content, f"{self._web.base}: {target.path!r}")
        except UntrustedError:
            partial.unlink()
            if not resumed:
                raise
            self._fetch_one(client, target)
            return
        place = self._into / "targets" / client.place(target)
        place.parent.mkdir(parents=True, exist_ok=True)
        move_durably(partial, place)

    def _receive(self, client: Client, target: TargetFile) -> None:
        """Go on where the durable part of the partial file ends. Raises as `Web.open` does, UntrustedError, OSError."""
        offset = self._kept(target)
        if offset == target.length:
            return
        name = f"targets/{client.place(target)}"
        try:
            with self._web.open(name, offset=offset) as answer:
                if answer.length is not None and answer.start + answer.length != target.length:
                    longer = answer.start + answer.length > target.length
                    what = f"{self._web.base}: {target.path!r}: not as long as it was signed"
                    raise UntrustedError("endless" if longer else "truncated", f"{what}; publish it again")
                self._write(answer, target)
        except DownloadHTTPError as error:
            what = f"{error}: the repository has no more of {target.path!r}; publish it again"
            raise UntrustedError("truncated" if error.status_code == 416 else "missing", what) from error

    def _write(self, answer: Answer, target: TargetFile) -> None:
        with self._partial(target).open("r+b" if answer.start else "wb") as file:
            file.seek(answer.start)
            size = answer.start
            try:
                for chunk in answer.chunks():
                    if size + len(chunk) > target.length:
                        raise UntrustedError("endless", f"{self._web.base}: {target.path!r}: goes on after its end")
                    file.write(chunk)
                    if size // STEP != (size + len(chunk)) // STEP:
                        _sync(file.fileno(), file.flush)
                    size += len(chunk)
            finally:
                _sync(file.fileno(), file.flush)

    def _again(self, what: Callable[[], _T]) -> _T:
        """Try, and after each failure wait longer; a server that sends little is as good as one that sends nothing."""
        tries = 0
        while True:
            before = self._pace.received
            try:
                return what()
            except PassingError as error:
                tries = 1 if self._pace.received - before >= _WORTH_BYTES else tries + 1
                if tries >= _TRIES:
                    raise FetchError(f"{error}; tried {tries} times; the next run goes on from there") from error
            self._pace.pause(min(_LONGEST_PAUSE_S, 2.0**tries) * random.uniform(0.5, 1.0))  # noqa: S311

    def _is_here(self, client: Client, target: TargetFile) -> bool:
        try:
            with (self._into / "targets" / client.place(target)).open("rb") as content:
                check(target, content, "")
        except (OSError, UntrustedError):
            return False
        return True

    def _partial(self, target: TargetFile) -> Path:
        return self._own / "partial" / target.hashes["sha256"]

    def _kept(self, target: TargetFile) -> int:
        """Bytes of the partial file that a power cut cannot have spoilt."""
        with contextlib.suppress(FileNotFoundError):
            size = self._partial(target).stat().st_size
            return size if size == target.length else size // STEP * STEP if size < target.length else 0
        return 0

    def _withdraw(self) -> None:
        """From now on the folder is no bundle. Raises OSError."""
        if (self._into / BUNDLE).exists():
            (self._into / BUNDLE).unlink()
            fsync_folder(self._into)

    def _put(self, path: Path, content: bytes) -> None:
        """Raises OSError."""
        if path.is_file() and path.read_bytes() == content:
            return
        self._withdraw()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, content)

    def _tidy(self, targets: set[str], metadata: set[str]) -> None:
        """Remove what belongs to another release. Raises OSError."""
        kept = {"targets": targets, "metadata": metadata, ".fetch/partial": set[str]()}
        for folder, names in kept.items():
            top = self._into / folder
            for path in [path for path in top.rglob("*") if not path.is_dir()]:
                if path.relative_to(top).as_posix() not in names:
                    self._withdraw()
                    path.unlink()


def _needed(release: Release, machine: str, python: str) -> Iterator[File]:
    """The wheels for this kind of computer, and all models. Raises FetchError: there is nothing for it."""
    for variant in release.variants:
        if (variant.machine, variant.python) == (machine, python):
            yield from dict.fromkeys([*variant.wheels, *(model.file for model in release.models)])
            return
    raise FetchError(f"release {release.id} has nothing for {machine} with Python {python}; build it for this one too")


def _sync(descriptor: int, flush: Callable[[], None]) -> None:
    flush()
    os.fsync(descriptor)


@contextlib.contextmanager
def _disk_troubles(into: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FetchError(f"{error.filename or into}: {error.strerror or error}; see to the disk") from error
