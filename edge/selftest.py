# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Would this software, with these models and the vehicle's configuration, find anything on this computer?

It is run by the updater before a release is switched to: it opens no camera, no network and no store.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from edge import assembly
from edge.config import VehicleConfig, load_calibration, load_config
from edge.errors import ModelError
from edge.vision.package import MANIFEST, load_package
from edge.vision.proof import prove


@dataclass(frozen=True)
class Judged:
    """A package that passed. `took_s`: to load it and judge all its pictures."""

    name: str
    version: str
    pictures: int
    took_s: float


def selftest(models: Path, config: Path | None) -> tuple[Judged, ...]:
    """Read the configuration and try every package of a folder.

    Args:
        models: folder of packages, each below its name.
        config: the vehicle's; None: only the models are tried.

    Raises:
        WegewartError: one line that names what does not hold.
    """
    vehicle = _read(config) if config is not None else None
    folders = (
        [folder for folder in sorted(models.iterdir()) if (folder / MANIFEST).is_file()] if models.is_dir() else []
    )
    names = {folder.name for folder in folders}
    needed = {"street"} if vehicle is None else {vehicle.vision.street, *filter(None, [vehicle.tunnel.model])}
    if needed - names:
        raise ModelError(f"{models}: has no package {', '.join(sorted(needed - names))}, which the vehicle uses")
    threads = vehicle.vision.threads if vehicle is not None else 2
    return tuple(_try(folder, threads) for folder in folders)


def _read(config: Path) -> VehicleConfig:
    """As `config check` does: also the files that it names."""
    vehicle = load_config(config)
    if vehicle.camera.calibration is not None:
        load_calibration(vehicle.camera.calibration)
    assembly.positioner(vehicle)
    assembly.surroundings(vehicle)
    return vehicle


def _try(folder: Path, threads: int) -> Judged:
    began_s = time.monotonic()
    package = load_package(folder, threads=threads)
    pictures = prove(package, threads=threads)
    return Judged(package.manifest.name, package.manifest.version, pictures, time.monotonic() - began_s)
