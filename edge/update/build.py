# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds a release beside the others. Nothing that is complete is ever touched again.

Models and the application are content-addressed: what an earlier release brought is used again, so a release with
only a new model builds only that. Each part gets COMPLETE last, after everything in it is on the disk.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.update import recover
from edge.update.layout import COMPLETE, Layout
from edge.update.modeltar import unpack
from edge.update.ports import Bundle, Proof
from edge.update.refusal import RefusedError
from edge.update.wheels import make_environment, unpacked_bytes
from messages.release import File, Model, Release, Variant

#: Left free for everybody else.
RESERVE_BYTES = 64 * 2**20
_PACKED = 3
MANIFEST = "release.json"


@dataclass(frozen=True)
class Builder:
    """`free_bytes`: how much is free below a folder."""

    layout: Layout
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free

    def build(self, bundle: Bundle, release: Release, variant: Variant, proof: Proof) -> None:
        """Build it and let it prove itself; COMPLETE only then.

        Raises:
            RefusedError: it does not fit on the disk, is not what it says, or fails its self-test.
            WegewartError: a target is not to be trusted.
            OSError: the disk takes nothing.
        """
        for folder in (self.layout.releases, self.layout.apps, self.layout.models):
            folder.mkdir(parents=True, exist_ok=True)
        app = self.layout.apps / app_name(variant)
        models = {model: self.layout.models / model_name(model) for model in release.models}
        self._needs_space(variant, models, app)
        for model, folder in models.items():
            self._model(bundle, model, folder)
        self._app(bundle, variant, app)
        folder = self.layout.releases / release.id
        manifest = bundle.manifest(release.id)
        if _complete(folder) and (folder / MANIFEST).read_bytes() != manifest:
            raise RefusedError(f"release: {release.id} is here already with other content; give the new one a new name")
        if not _complete(folder):
            self._fresh(folder)
            recover.write(folder / MANIFEST, manifest)
            (folder / "bin").symlink_to(Path("../..") / "apps" / app.name / "bin")
            (folder / "models").mkdir()
            for model, place in models.items():
                (folder / "models" / model.name).symlink_to(Path("../../..") / "models" / place.name)
        proof(folder)
        _finish(folder)

    def _model(self, bundle: Bundle, model: Model, folder: Path) -> None:
        if _complete(folder):
            return
        archive = bundle.fetch(model.file)
        self._fresh(folder)
        unpack(archive, folder, folder.name)
        _finish(folder)

    def _app(self, bundle: Bundle, variant: Variant, folder: Path) -> None:
        if _complete(folder):
            return
        wheels = {_name(file): bundle.fetch(file) for file in variant.wheels}
        self._free_for(sum(unpacked_bytes(name, file) for name, file in wheels.items()))
        self._fresh(folder)
        make_environment(folder, wheels)
        _finish(folder)

    def _fresh(self, folder: Path) -> None:
        """A new folder; what a cut left there goes."""
        if folder.exists():
            recover.remove_folder(folder)
        folder.mkdir()

    def _needs_space(self, variant: Variant, models: dict[Model, Path], app: Path) -> None:
        """What is fetched and what it becomes, before anything is written; packed is about a third of unpacked."""
        files = [model.file for model, folder in models.items() if not _complete(folder)]
        files += [] if _complete(app) else variant.wheels
        fetched = sum(file.bytes for file in files if not (self.layout.cache / file.sha256).is_file())
        self._free_for(fetched + sum(file.bytes * _PACKED for file in files))

    def _free_for(self, needs_bytes: int) -> None:
        has, needs = self.free_bytes(self.layout.root), needs_bytes + RESERVE_BYTES
        if has < needs:
            needed, free = (round(value / 2**20) for value in (needs, has))
            raise RefusedError(f"space: needs {needed} MiB below {self.layout.root}, has {free} MiB", passing=True)


def app_name(variant: Variant) -> str:
    """The same wheels are the same application."""
    wheels = sorted(f"{file.target} {file.sha256}" for file in variant.wheels)
    return hashlib.sha256("\n".join([variant.machine, variant.python, *wheels]).encode()).hexdigest()[:16]


def model_name(model: Model) -> str:
    """NAME-VERSION-SHA8, as its archive is called.

    Raises:
        RefusedError: it is called otherwise.
    """
    stem = _name(model.file).removesuffix(".tar.gz")
    if not _name(model.file).endswith(".tar.gz") or not stem.startswith(f"{model.name}-{model.version}-"):
        raise RefusedError(f"model: {model.name} {model.version} cannot be {model.file.target}", for_good=True)
    return stem


def _name(file: File) -> str:
    return file.target.rpartition("/")[2]


def _complete(folder: Path) -> bool:
    return (folder / COMPLETE).is_file()


def _finish(folder: Path) -> None:
    """Everything in a folder is on the disk before its mark is, and the mark before anything rests on it."""
    if _complete(folder):
        return
    os.sync()
    recover.write(folder / COMPLETE, b"")
    recover.sync_folder(folder.parent)
