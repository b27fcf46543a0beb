# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is to be published next: changed without a key, then signed by whoever has one, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta

from securesystemslib.signer import Key
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

from messages.release import File, Release
from workshop.errors import WorkshopError
from workshop.release.keys import Keys, Role
from workshop.release.store import Store, save

RELEASES = "releases/"


@dataclass(frozen=True)
class Days:
    """How long metadata is good, days."""

    root: int = 365
    targets: int = 90
    online: int = 7


@dataclass(frozen=True)
class Signatures:
    """How far a draft is. `missing`: signatures that are still wanted."""

    what: str
    made: int
    missing: int


def target(path: str, sha256: str, size: int) -> TargetFile:
    """As The Update Framework lists it."""
    return TargetFile(size, {"sha256": sha256}, path)


def files_of(release: Release) -> dict[str, File]:
    """Everything that belongs to a release, by target path."""
    files = [file for variant in release.variants for file in variant.wheels]
    return {file.target: file for file in (*files, *(model.file for model in release.models))}


def releases_of(store: Store, targets: Targets) -> dict[str, Release]:
    """The releases that some targets list, oldest first. Raises WorkshopError."""
    listed = [store.read_release(each) for path, each in targets.targets.items() if path.startswith(RELEASES)]
    return {release.id: release for release in sorted(listed, key=lambda release: release.number)}


def newest_targets(store: Store) -> Metadata[Targets]:
    """The draft, or else what is published."""
    return store.draft_targets() or store.current().targets


def edit_targets(store: Store, now: datetime, days: Days, change: Callable[[Targets], None]) -> None:
    """Draft new targets. Signatures of an older draft do not count for it.

    Raises:
        WorkshopError, OSError: the repository cannot be used.
    """
    targets = deepcopy(newest_targets(store).signed)
    change(targets)
    targets.version = store.current().targets.signed.version + 1
    targets.expires = now + timedelta(days=days.targets)
    save(store.draft / "targets.json", Metadata(targets))


def add_release(store: Store, now: datetime, days: Days, release: Release, manifest: File | TargetFile) -> None:
    """Draft a release; all its files are in the store. Raises WorkshopError, OSError."""
    if isinstance(manifest, File):
        manifest = target(manifest.target, manifest.sha256, manifest.bytes)
    entries = [manifest, *(target(each.target, each.sha256, each.bytes) for each in files_of(release).values())]

    def change(targets: Targets) -> None:
        for entry in entries:
            known = targets.targets.get(entry.path)
            if known is not None and known.hashes != entry.hashes:
                raise WorkshopError(
                    f"{entry.path}: an earlier release has another file of this name; raise the version"
                )
            targets.targets[entry.path] = entry

    edit_targets(store, now, days, change)


def take_back(store: Store, now: datetime, days: Days, release: str) -> int:
    """Draft targets without a release and what only it needs; returns how many targets go.

    Raises:
        WorkshopError: there is no such release.
    """
    known = releases_of(store, newest_targets(store).signed)
    if release not in known:
        raise WorkshopError(f"{release}: no such release; there are: {', '.join(known) or 'none'}")
    kept = {
        path for one in known.values() if one.id != release for path in (*files_of(one), f"{RELEASES}{one.id}.json")
    }
    gone = set(newest_targets(store).signed.targets) - kept

    def change(targets: Targets) -> None:
        for path in gone:
            del targets.targets[path]

    edit_targets(store, now, days, change)
    return len(gone)


def renew(store: Store, now: datetime, days: Days, role: Role) -> None:
    """Draft the same again with a later end. Raises WorkshopError."""
    if role == "targets":
        edit_targets(store, now, days, lambda _: None)
    else:
        edit_root(store, now, days, lambda _: None)


def edit_root(store: Store, now: datetime, days: Days, change: Callable[[Root], None]) -> None:
    """Draft a new root. Raises WorkshopError, OSError."""
    root = deepcopy((store.draft_root() or store.root).signed)
    change(root)
    root.version = store.root.signed.version + 1
    root.expires = now + timedelta(days=days.root)
    save(store.draft / "root.json", Metadata(root))


def rotate(store: Store, keys: Keys, now: datetime, days: Days, role: Role, *, old: str | None) -> Key:
    """A new key takes an old one's place. `old`: the first digits of its id, needed where a role has several.

    Raises:
        WorkshopError: it is not clear which key is meant.
    """
    root = (store.draft_root() or store.root).signed
    matching = [keyid for keyid in root.roles[role].keyids if keyid.startswith(old or "")]
    if len(matching) != 1:
        some = ", ".join(keyid[:8] for keyid in root.roles[role].keyids)
        raise WorkshopError(f"{role}: name one of its keys with --old: {some}")
    fresh = keys.make(role)

    def change(root: Root) -> None:
        root.revoke_key(matching[0], role)
        root.add_key(fresh, role)

    edit_root(store, now, days, change)
    if role == "targets":
        # They must be signed by the new key before it is the only one.
        renew(store, now, days, "targets")
    return fresh


def changes(store: Store) -> list[str]:
    """What the drafts change, for whoever signs them. Raises WorkshopError."""
    found = []
    root, targets = store.draft_root(), store.draft_targets()
    if root is not None:
        for role, about in root.signed.roles.items():
            old, new = set(store.root.signed.roles[role].keyids), set(about.keyids)
            found += [f"root: {role}: key {keyid[:8]} goes" for keyid in sorted(old - new)]
            found += [f"root: {role}: key {keyid[:8]} is new" for keyid in sorted(new - old)]
        found.append(f"root: version {root.signed.version}, until {root.signed.expires:%Y-%m-%d}")
    if targets is not None:
        then, now = store.current().targets.signed.targets, targets.signed.targets
        found += [f"targets: {path} goes" for path in sorted(then.keys() - now.keys())]
        found += [f"targets: {path} is new, {now[path].length} bytes" for path in sorted(now.keys() - then.keys())]
        found += [f"targets: {path} CHANGES" for path in sorted(then.keys() & now.keys()) if then[path] != now[path]]
        found.append(f"targets: version {targets.signed.version}, until {targets.signed.expires:%Y-%m-%d}")
    return found


def sign(store: Store, keys: Keys) -> list[Signatures]:
    """Sign the drafts with every key at hand that may.

    A change of keys is signed by old and new ones, so that vehicles on either side of it believe the same files.

    Raises:
        WorkshopError: there is no draft, or no key fits, or a passphrase is wrong.
    """
    standing, used = [], 0
    for draft, role in ((store.draft_root(), "root"), (store.draft_targets(), "targets")):
        if draft is None:
            continue
        for signer in keys.signers(_may_sign(store, role)):
            used += 1
            draft.sign(signer, append=True)
        save(store.draft / f"{role}.json", draft)
        standing.append(signatures(store, draft, role))
    if not standing:
        raise WorkshopError("there is nothing to sign; build, revoke-release, rotate or renew make a draft")
    if not used:
        wanted = ", ".join(key.keyid[:8] for one in standing for key in _may_sign(store, one.what))
        raise WorkshopError(f"none of the wanted keys is at hand ({wanted}); name their folders with --keys")
    return standing


def signatures(store: Store, draft: Metadata[Root] | Metadata[Targets], role: str) -> Signatures:
    """How far a draft is signed, by the present and the coming root."""
    missing, valid = 0, set[str]()
    for root in roots(store):
        result = root.get_verification_result(role, draft.signed_bytes, draft.signatures)
        missing = max(missing, result.missing)
        valid |= set(result.signed)
    return Signatures(role, len(valid), missing)


def roots(store: Store) -> list[Root]:
    """The present one and, where there is a draft, the coming one."""
    draft = store.draft_root()
    return [store.root.signed] if draft is None else [store.root.signed, draft.signed]


def _may_sign(store: Store, role: str) -> list[Key]:
    return list({key.keyid: key for key in keys_of(roots(store), role)}.values())


def keys_of(some: Iterable[Root], role: str) -> list[Key]:
    """The keys of a role in some roots."""
    return [root.get_key(keyid) for root in some for keyid in root.roles[role].keyids]
