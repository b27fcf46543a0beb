# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts wheels into a virtual environment, by the `installer` library: nothing of them is run, no index is asked.

Packages of the system stay visible: libcamera on a Raspberry Pi has no wheel.
"""

from __future__ import annotations

import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import installer
from installer.destinations import SchemeDictionaryDestination
from installer.exceptions import InstallerError
from installer.sources import WheelFile

from edge.update.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Unpacked, no wheel of a release is larger than this by far.
_MOST_BYTES = 2 * 2**30


def make_environment(folder: Path, wheels: Mapping[str, Path]) -> None:
    """Make a virtual environment and unpack wheels into it.

    Args:
        folder: where it will be used; it names itself in its scripts, so it cannot be moved later.
        wheels: verified files by their wheel's name.

    Raises:
        RefusedError: a wheel is not what its own RECORD says, or two wheels hold the same file.
    """
    venv.EnvBuilder(system_site_packages=True, symlinks=True, with_pip=False).create(folder)
    base = {"base": str(folder), "platbase": str(folder), "installed_base": str(folder)}
    paths = sysconfig.get_paths("venv" if "venv" in sysconfig.get_scheme_names() else "posix_prefix", vars=base)
    destination = SchemeDictionaryDestination(
        {key: paths[key] for key in ("purelib", "platlib", "scripts", "data")} | {"headers": str(folder / "include")},
        interpreter=str(folder / "bin" / "python"),
        script_kind="posix",
        # The daemon may not write here, so it could never keep what Python compiles at its start.
        bytecode_optimization_levels=(0,),
    )
    for name, file in sorted(wheels.items()):
        _install(name, file, destination)


def _install(name: str, file: Path, destination: SchemeDictionaryDestination) -> None:
    try:
        with _opened(name, file) as wheel:
            wheel.validate_record(validate_contents=True)
            installer.install(wheel, destination, {"INSTALLER": b"wegewart-update\n"})
    except (InstallerError, ValueError, KeyError, zipfile.BadZipFile, FileExistsError) as error:
        raise RefusedError(f"wheel: {name}: {error}", for_good=True) from error


def unpacked_bytes(name: str, file: Path) -> int:
    """How much a wheel needs on the disk; compiled Python is about as much again as its source.

    Raises:
        RefusedError: it is no wheel.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise RefusedError(f"wheel: {name}: {error}", for_good=True) from error
    size = sum(entry.file_size * (2 if entry.filename.endswith(".py") else 1) + 4096 for entry in entries)
    if size > _MOST_BYTES:
        raise RefusedError(f"wheel: {name}: would be {size} bytes unpacked", for_good=True)
    return size


@contextmanager
def _opened(name: str, file: Path) -> Iterator[WheelFile]:
    """A wheel whose file has another name: the cache names by hash, the library reads the wheel's name."""
    with zipfile.ZipFile(file) as archive:
        archive.filename = name
        yield WheelFile(archive)
