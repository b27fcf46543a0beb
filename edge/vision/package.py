# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Model packages: a folder with model.toml, its ONNX files and CARD.md.

A package is used only if every file has the hash that model.toml gives, the runtime loads it, inputs and outputs are
as promised, and the self test holds. Otherwise it is refused with one line, and the caller keeps the last good one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.vision.decode import decode
from edge.vision.manifest import Manifest, ModelPackageError, OnnxFile, Precision, read_manifest
from edge.vision.selftest import draw, missing
from edge.vision.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from edge.types import Detection

MANIFEST = "model.toml"

__all__ = ["ModelPackage", "ModelPackageError", "load_package"]


@dataclass(frozen=True)
class ModelPackage:
    """A package whose files have the right hash."""

    folder: Path
    manifest: Manifest

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """What it contains, the preferred one first."""
        return tuple(file.precision for file in self.manifest.onnx)

    def file(self, precision: Precision | None = None) -> OnnxFile:
        """The file of a precision; without one, the first that model.toml names."""
        for file in self.manifest.onnx:
            if precision in (None, file.precision):
                return file
        raise ModelPackageError(self.folder / MANIFEST, "onnx", f"has no {precision} file")

    def session(self, precision: Precision | None = None, threads: int = 2) -> Session:
        """Open one file; inputs and outputs are checked."""
        return Session(self.folder / self.file(precision).file, self.manifest, threads)


def load_package(folder: Path, *, precision: Precision | None = None, threads: int = 2) -> ModelPackage:
    """Check a package and return it.

    Args:
        folder: with model.toml.
        precision: the file that gets the self test; without one, the first that model.toml names.
        threads: for the self test.

    Raises:
        ModelPackageError: it is refused; one line says which file, which key and why.
    """
    package = ModelPackage(folder, read_manifest(folder / MANIFEST))
    for file in package.manifest.onnx:
        _check_hash(folder / file.file, file.sha256)
    file = package.file(precision)
    found = look(package.session(precision, threads), package.manifest)
    problem = missing(file.expected, found, package.manifest.selftest)
    if problem:
        raise ModelPackageError(folder / file.file, "selftest", problem)
    return package


def look(session: Session, manifest: Manifest) -> tuple[Detection, ...]:
    """What the model finds in the self test's picture."""
    picture = draw(manifest.selftest.seed, manifest.input.width, manifest.input.height)
    floor = dict.fromkeys(manifest.classes, manifest.selftest.floor)
    return decode(*session.run(picture), manifest, floor)


def _check_hash(path: Path, sha256: str) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelPackageError(path, "file", error.strerror or str(error)) from error
    actual = hashlib.sha256(content).hexdigest()
    if actual != sha256:
        raise ModelPackageError(path, "sha256", f"is {actual}, model.toml says {sha256}")
