# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A bundle onto a USB stick, read back. A vehicle takes it when the stick is plugged in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.files import sync_folder
from workshop.visiting.parcel import Parcel, sha256

#: The folder for which a vehicle looks.
FOLDER = "wegewart-update"


def write(parcel: Parcel, stick: Path, said: Callable[[int], None] = lambda _: None) -> Path:
    """Write a bundle; what the stick held of us before goes. Returns its folder there.

    Args:
        parcel: the bundle.
        stick: where the stick is mounted.
        said: is told the bytes written so far.

    Raises:
        WorkshopError: no room, or the stick gives back other bytes than were written.
        OSError: it cannot be written; nothing that a vehicle would take is left.
    """
    whole, fresh = stick / FOLDER, stick / f"{FOLDER}.new"
    for old in (whole, fresh):
        if old.exists():
            shutil.rmtree(old)
    free = shutil.disk_usage(stick).free
    if free < parcel.size:
        raise WorkshopError(f"{stick}: {free / 1e6:.1f} MB are free, {parcel.size / 1e6:.1f} MB are needed")
    done = 0
    try:
        for item in parcel.items:
            _copy(parcel.folder / item.path, fresh / item.path)
            done += item.size
            said(done)
        for folder in {(fresh / item.path).parent for item in parcel.items} | {fresh}:
            sync_folder(folder)
        _read_back(parcel, fresh)
    except (OSError, WorkshopError):
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    fresh.rename(whole)
    sync_folder(stick)
    return whole


def _read_back(parcel: Parcel, copy: Path) -> None:
    for item in parcel.items:
        if sha256(copy / item.path, from_disk=True) != item.sha256:
            raise WorkshopError(f"{copy / item.path}: reads back as other bytes than were written; take another stick")


def _copy(source: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, copy)
    with copy.open("rb+") as file:
        os.fsync(file.fileno())
