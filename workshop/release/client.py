# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Looks at a repository or bundle as a vehicle does that sees it for the first time (python-tuf's own client)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.api.metadata import Metadata, Targets
from tuf.ngclient import FetcherInterface, Updater

from messages.release import Release
from workshop.errors import WorkshopError
from workshop.release.draft import RELEASES, files_of


class _Folder(FetcherInterface):
    """Files instead of addresses."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            with Path(url).open("rb") as file:
                yield from iter(lambda: file.read(1 << 20), b"")
        except FileNotFoundError:
            raise DownloadHTTPError(f"{url}: not there", 404) from None
        except OSError as error:
            raise DownloadError(f"{url}: {error.strerror}") from None


def check(place: str, anchor: bytes, *, only: set[str] | None = None) -> tuple[int, int, datetime]:
    """Believe a repository from its first root on and read every target.

    Args:
        place: a folder with metadata/ and targets/, or its https address.
        anchor: the first root.json.
        only: target paths that must be there; None: all that are listed.

    Returns:
        How many targets, their bytes, and until when a vehicle that sees this for the first time believes it.

    Raises:
        WorkshopError: what does not hold.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="wegewart-verify-") as folder:
            return _check(place, anchor, only, Path(folder))
    except (RepositoryError, DownloadError) as error:
        raise WorkshopError(f"{place}: {error}") from None


def _check(place: str, anchor: bytes, only: set[str] | None, folder: Path) -> tuple[int, int, datetime]:
    fetcher = None if place.startswith(("https://", "http://")) else _Folder()
    updater = Updater(
        str(folder / "metadata"), f"{place}/metadata/", str(folder), f"{place}/targets/", fetcher, bootstrap=anchor
    )
    updater.refresh()
    known = {role: Metadata.from_bytes((folder / "metadata" / f"{role}.json").read_bytes()).signed for role in _ROLES}
    targets = known["targets"]
    assert isinstance(targets, Targets)
    size = 0
    wanted = set(targets.targets) if only is None else only
    for path in sorted(wanted):
        info = updater.get_targetinfo(path)
        if info is None:
            raise WorkshopError(f"{place}: {path} is not signed")
        copy = Path(updater.download_target(info, str(folder / "target")))
        size += info.length
        if path.startswith(RELEASES):
            _check_release(place, path, copy.read_bytes(), targets)
    return len(wanted), size, min(one.expires for one in known.values())


_ROLES = ("root", "timestamp", "snapshot", "targets")


def _check_release(place: str, path: str, content: bytes, targets: Targets) -> None:
    """A release and the targets must say the same of each file."""
    try:
        release = msgspec.json.decode(content, type=Release)
    except msgspec.DecodeError as error:
        raise WorkshopError(f"{place}: {path}: {error}") from None
    for file in files_of(release).values():
        listed = targets.targets.get(file.target)
        if listed is None or listed.hashes.get("sha256") != file.sha256 or listed.length != file.bytes:
            raise WorkshopError(f"{place}: {path}: {file.target} is not listed like this")
