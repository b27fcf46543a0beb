# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Removes what no release needs any more: never what runs, what ran before it, or what the updater runs from."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from edge.update import recover
from edge.update.layout import Layout
from messages.release import Release


def prune(layout: Layout, keep: int, previous: str | None) -> list[Path]:
    """Remove old releases, then parts and cached files that only they used; what was removed.

    Args:
        layout: of the device.
        keep: releases to keep beside the one that runs.
        previous: the one that ran before; always kept.
    """
    seen = recover.look(layout.root)
    under_way = seen.journal.release if seen.journal is not None else None
    needed = {name for name in (seen.current, seen.updater, previous, under_way) if name is not None}
    refused = recover.read(layout.refused)
    for name in seen.complete:
        if len(needed) <= keep and name not in refused:
            needed.add(name)
    removed = _others(layout.releases, needed)
    kept = [layout.releases / name for name in needed]
    parts = {part.name for release in kept for part in _parts(release)}
    removed += _others(layout.apps, parts) + _others(layout.models, parts)
    # One cache file by another: that nothing points to them is all there is to know.
    hashes = {sha256 for release in kept for sha256 in _files(release)}
    for file in layout.cache.iterdir() if layout.cache.is_dir() else ():
        if file.is_file() and file.name not in hashes:
            with contextlib.suppress(OSError):
                file.unlink()
                removed.append(file)
    return removed


def _others(folder: Path, needed: Collection[str]) -> list[Path]:
    found = [one for one in folder.iterdir() if one.name not in needed] if folder.is_dir() else []
    for one in found:
        recover.remove_folder(one)
    return found


def _parts(release: Path) -> Iterable[Path]:
    models = release / "models"
    with contextlib.suppress(OSError, RuntimeError):
        yield (release / "bin").resolve().parent
        for model in models.iterdir() if models.is_dir() else ():
            yield model.resolve()


def _files(release: Path) -> set[str]:
    """The SHA-256 of all that a release is made of."""
    try:
        manifest = msgspec.json.decode((release / "release.json").read_bytes(), type=Release)
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return set()
    wheels = {file.sha256 for variant in manifest.variants for file in variant.wheels}
    return wheels | {model.file.sha256 for model in manifest.models}
