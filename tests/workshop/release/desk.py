# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A repository with releases of a few bytes, and a vehicle that keeps what it believed."""

from __future__ import annotations

import subprocess
from datetime import datetime, timezone
from pathlib import Path

import msgspec
from tuf.ngclient import Updater

from messages.release import Model, Release, Variant
from workshop.release import draft, publishing
from workshop.release.client import _Folder
from workshop.release.keys import Keys
from workshop.release.store import Store

NOW = datetime.now(timezone.utc).replace(microsecond=0)
DAYS = draft.Days()
PASSPHRASE = b"korrekt pferd batterie"


def keys(*folders: Path, passphrase: bytes = PASSPHRASE) -> Keys:
    return Keys(folders, lambda _: passphrase)


def begin(folder: Path) -> Store:
    """REPO and KEYS below a folder."""
    return publishing.begin(folder / "repo", keys(folder / "keys"), NOW, DAYS, number=3, threshold=2)


def add(folder: Path, number: int, *, model: bytes = b"street", app: bytes | None = None) -> Release:
    """Draft a release: one wheel of its own, one that all share, one model."""
    store = Store(folder / "repo")
    made = []
    app = app if app is not None else b"app %d" % number
    for name, content in (
        (f"wheels/app{app.decode()[4:]}-1-py3-none-any.whl", app),
        ("wheels/shared-1-py3-none-any.whl", b"shared" * 1000),
        (f"models/street-{model.decode()}.tar.gz", model),
    ):
        source = folder / "source"
        source.write_bytes(content)
        made.append(store.put(source, name))
    release = Release(
        id=f"2026.11.{number}",
        number=number,
        software=f"1.{number}",
        boards=("raspberry_pi_5",),
        variants=(Variant(machine="aarch64", python="3.13", wheels=tuple(made[:2])),),
        models=(Model(name="street", version=model.decode(), file=made[2]),),
    )
    source = folder / "source"
    source.write_bytes(msgspec.json.encode(release))
    draft.add_release(store, NOW, DAYS, release, store.put(source, f"releases/{release.id}.json"))
    return release


def out(folder: Path, *more: Path) -> list[str]:
    """Sign and publish what is drafted."""
    some = keys(folder / "keys", *more)
    draft.sign(Store(folder / "repo"), some)
    return publishing.publish(Store(folder / "repo"), some, NOW, DAYS)


class Vehicle:
    """Believes what it has seen, as python-tuf keeps it."""

    def __init__(self, folder: Path, repository: Path, anchor: bytes) -> None:
        self._folder, self._repository, self._anchor = folder, repository, anchor

    def look(self) -> set[str]:
        """The releases that are offered; every file of each is fetched and verified."""
        updater = Updater(
            str(self._folder / "metadata"),
            f"{self._repository}/metadata",
            str(self._folder),
            f"{self._repository}/targets",
            _Folder(),
            bootstrap=self._anchor,
        )
        updater.refresh()
        listed = msgspec.json.decode((self._folder / "metadata" / "targets.json").read_bytes())["signed"]["targets"]
        for path in listed:
            info = updater.get_targetinfo(path)
            assert info is not None
            updater.download_target(info, str(self._folder / "target"))
        return {path.removeprefix("releases/").removesuffix(".json") for path in listed if path.startswith("releases/")}


def vehicle(folder: Path, name: str = "vehicle") -> Vehicle:
    return Vehicle(folder / name, folder / "repo", (folder / "keys" / "root.json").read_bytes())


def git(folder: Path, *arguments: str) -> str:
    """Git without anybody's own settings."""
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
