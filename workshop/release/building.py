# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes a release out of a checkout, locked wheels and model packages, and drafts it."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from messages.release import Board, File, Machine, Model, Release, Variant
from workshop.errors import WorkshopError
from workshop.release import source as sources
from workshop.release.draft import RELEASES, Days, add_release, newest_targets, releases_of
from workshop.release.lock import Computer, check_complete
from workshop.release.packing import Packed, pack
from workshop.release.store import Store
from workshop.release.wheels import download

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What is to be built. `app_of`: take the software of this release, only the models are new."""

    checkout: Path
    computers: tuple[Computer, ...]
    models: tuple[Path, ...]
    boards: tuple[Board, ...]
    id: str | None = None
    app_of: str | None = None
    dirty: bool = False
    notes_de: str = ""
    notes_en: str = ""


def build(store: Store, order: Order, now: datetime, days: Days, say: Say) -> Release:
    """Build and draft a release; nothing is published.

    Raises:
        WorkshopError: something is missing or does not fit; nothing is drafted then.
    """
    earlier = store.targets / "releases"
    number, free = _next(earlier, now)
    name = order.id or free
    if any(earlier.glob(f"*.{name}.json")):
        raise WorkshopError(f"{name}: was built already; a release never changes; the next free one is {free}")
    if order.app_of is None:
        software, variants, boards = *_variants(store, order, say), order.boards
    else:
        known = releases_of(store, newest_targets(store).signed)
        if order.app_of not in known:
            raise WorkshopError(f"{order.app_of}: no such release; there are: {', '.join(known) or 'none'}")
        base = known[order.app_of]
        software, variants, boards = base.software, base.variants, base.boards
    release = Release(
        id=name,
        number=number,
        software=software,
        boards=boards,
        variants=variants,
        models=tuple(_model(store, pack(folder), say) for folder in order.models),
        notes_de=order.notes_de,
        notes_en=order.notes_en,
    )
    manifest = _write(store, release)
    add_release(store, now, days, release, manifest)
    return release


def _next(earlier: Path, now: datetime) -> tuple[int, str]:
    """Number and name. Also those taken back count: no vehicle may take a later release for an older one."""
    numbers, names = [0], set()
    for path in earlier.glob("*.json"):
        try:
            release = msgspec.json.decode(path.read_bytes(), type=Release)
        except (OSError, msgspec.DecodeError) as error:
            raise WorkshopError(f"{path}: {error}") from None
        numbers.append(release.number)
        names.add(release.id)
    month = f"{now:%Y}.{now.month}"
    free = next(f"{month}.{count}" for count in range(1, 10_000) if f"{month}.{count}" not in names)
    return max(numbers) + 1, free


def _variants(store: Store, order: Order, say: Say) -> tuple[str, tuple[Variant, ...]]:
    source = sources.find(order.checkout, order.models, dirty=order.dirty)
    made = []
    with tempfile.TemporaryDirectory(prefix="wegewart-release-") as folder:
        own = _own(store, source, Path(folder), say)
        for computer in order.computers:
            say(f"wheels for {computer} ...")
            locked = download(
                order.checkout / sources.LOCK, computer, Path(folder) / computer.machine / computer.python
            )
            check_complete([own, *locked], computer, f"wegewart[edge]=={source.software}")
            files = tuple(_wheel(store, path) for path in (own, *locked))
            size = sum(file.bytes for file in files)
            say(f"wheels for {computer}: {len(files)}, complete, {size / 1e6:.1f} MB")
            made.append(Variant(machine=_machine(computer), python=computer.python, wheels=files))
    return source.software, tuple(made)


def _own(store: Store, source: sources.Source, folder: Path, say: Say) -> Path:
    """A version is built once: another computer's tools may give other bytes."""
    entry = newest_targets(store).signed.targets.get(f"wheels/{source.wheel}")
    if entry is None:
        say(f"{source.wheel} ...")
        return sources.build(source, folder)
    copy = folder / source.wheel
    copy.write_bytes(store.file(entry.path, entry.hashes["sha256"]).read_bytes())
    return copy


def _wheel(store: Store, path: Path) -> File:
    return store.put(path, f"wheels/{path.name}")


def _model(store: Store, packed: Packed, say: Say) -> Model:
    """One that was published in an earlier release stays the same file."""
    entry = newest_targets(store).signed.targets.get(packed.target)
    if entry is not None:
        there = store.file(entry.path, entry.hashes["sha256"]).read_bytes()
        if gzip.decompress(there) != packed.tar:
            raise WorkshopError(f"{packed.target}: an earlier release has other files of this name; raise its version")
        file = File(target=packed.target, sha256=entry.hashes["sha256"], bytes=entry.length)
    else:
        with tempfile.NamedTemporaryFile(prefix="wegewart-model-") as whole:
            whole.write(packed.compressed())
            whole.flush()
            file = store.put(Path(whole.name), packed.target)
    say(f"model {packed.name} {packed.version}: {file.bytes / 1e6:.2f} MB")
    return Model(name=packed.name, version=packed.version, file=file)


def _write(store: Store, release: Release) -> File:
    content = msgspec.json.format(msgspec.json.encode(release), indent=1) + b"\n"
    try:
        msgspec.json.decode(content, type=Release)
    except msgspec.ValidationError as error:
        raise WorkshopError(f"release {release.id}: {error}") from None
    with tempfile.NamedTemporaryFile(prefix="wegewart-release-") as whole:
        whole.write(content)
        whole.flush()
        return store.put(Path(whole.name), f"{RELEASES}{release.id}.json")


def _machine(computer: Computer) -> Machine:
    return "aarch64" if computer.machine == "aarch64" else "x86_64"
