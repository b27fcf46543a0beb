# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A part of the repository in a folder that travels: on a stick, over SSH, onto a new card."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from messages.release import BUNDLE, Bundle, Release
from workshop.errors import WorkshopError
from workshop.files import write
from workshop.release import client
from workshop.release.draft import RELEASES, files_of, releases_of
from workshop.release.store import Store


@dataclass(frozen=True)
class Bundled:
    """What was written. `until`: vehicles refuse it afterwards."""

    release: str
    files: int
    size: int
    until: datetime


def bundle(
    store: Store, out: Path, *, release: str | None, machine: str | None, python: str | None, base: str | None
) -> Bundled:
    """Write a bundle and read it as a vehicle would.

    Args:
        store: the repository; only what is published goes in.
        out: a folder that is empty or not there.
        release: its id; None: the newest.
        machine: only the wheels for this one.
        python: only the wheels for this one.
        base: leave out what this release has brought to the vehicle.

    Raises:
        WorkshopError: no such release or variant, or `out` is in use.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WorkshopError(f"{out}: is not empty")
    current = store.current()
    known = releases_of(store, current.targets.signed)
    if not known or (release is not None and release not in known):
        raise WorkshopError(f"{release or store.folder}: no such release; there are: {', '.join(known) or 'none'}")
    chosen = known[release] if release is not None else list(known.values())[-1]
    held = _held(store, base) if base is not None else set()
    paths = {f"{RELEASES}{chosen.id}.json", *_wanted(chosen, machine, python, held)}
    (out / "targets").mkdir(parents=True)
    for path in sorted(paths):
        _copy(store, path, current.targets.signed.targets[path].hashes["sha256"], out)
    names = [f"{number}.root.json" for number in range(1, store.root.signed.version + 1)]
    snapshot = current.timestamp.signed.snapshot_meta.version
    names += [f"{current.targets.signed.version}.targets.json", f"{snapshot}.snapshot.json", "timestamp.json"]
    for name in names:
        write(out / "metadata" / name, (store.metadata / name).read_bytes())
    anchor = (store.metadata / "1.root.json").read_bytes()
    _, _, until = client.check(str(out), anchor, only=paths)
    # Last: with it the folder is whole.
    write(out / BUNDLE, msgspec.json.encode(Bundle(release=chosen.id)))
    files = [path for path in out.rglob("*") if path.is_file()]
    return Bundled(chosen.id, len(files), sum(path.stat().st_size for path in files), until)


def _wanted(release: Release, machine: str | None, python: str | None, held: set[str]) -> set[str]:
    variants = [each for each in release.variants if machine in (None, each.machine) and python in (None, each.python)]
    if not variants:
        there = ", ".join(f"{each.machine}/{each.python}" for each in release.variants)
        raise WorkshopError(f"{release.id}: has no wheels for {machine}/{python}; it has {there}")
    files = [file for variant in variants for file in variant.wheels]
    return {file.target for file in (*files, *(model.file for model in release.models)) if file.sha256 not in held}


def _held(store: Store, base: str) -> set[str]:
    """What a release has brought; also one that was taken back: vehicles still have it."""
    for path in (store.targets / "releases").glob(f"*.{base}.json"):
        release = msgspec.json.decode(path.read_bytes(), type=Release)
        return {file.sha256 for file in files_of(release).values()}
    raise WorkshopError(f"--base {base}: no such release")


def _copy(store: Store, path: str, sha256: str, out: Path) -> None:
    source = store.file(path, sha256)
    copy = out / source.relative_to(store.folder)
    copy.parent.mkdir(exist_ok=True)
    shutil.copyfile(source, copy)
