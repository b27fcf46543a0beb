# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a repository holds, and what ends when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tuf.api.metadata import Signed

from workshop.release.draft import files_of, newest_targets, releases_of, signatures
from workshop.release.keys import OFFLINE
from workshop.release.store import Store


def lines(store: Store, now: datetime) -> Iterator[str]:
    """Releases, keys, ends and drafts, a line each. Raises WorkshopError."""
    published = releases_of(store, store.current().targets.signed)
    coming = releases_of(store, newest_targets(store).signed)
    for name, release in sorted({**published, **coming}.items(), key=lambda item: item[1].number):
        state = "draft" if name not in published else "published"
        if name not in coming:
            state = "published, to be taken back"
        size = sum(file.bytes for file in files_of(release).values()) / 1e6
        computers = " ".join(f"{each.machine}/{each.python}" for each in release.variants)
        yield f"{name:14} number {release.number:<4} {state}, {release.software}, {size:.1f} MB, {computers}"
    root = store.root.signed
    for role, about in root.roles.items():
        keyids = " ".join(keyid[:8] for keyid in about.keyids)
        yield f"{role:14} {about.threshold} of {len(about.keyids)} keys: {keyids}"
    for signed in _all(store):
        yield f"{signed.type:14} version {signed.version}, ends in {(signed.expires - now).days} days"
    for draft, role in ((store.draft_root(), "root"), (store.draft_targets(), "targets")):
        if draft is not None:
            missing = signatures(store, draft, role).missing
            yield f"draft {role:8} version {draft.signed.version}, signatures missing: {missing}"


def ending(store: Store, now: datetime, within_days: int) -> list[str]:
    """What must be renewed by hand soon; what the server refreshes only once it is late."""
    found = []
    for signed in _all(store):
        left = (signed.expires - now).days
        if left <= (within_days if signed.type in OFFLINE else 1):
            mend = f"renew {signed.type}, sign, publish" if signed.type in OFFLINE else "refresh"
            found.append(f"{signed.type} ends in {left} days: scripts/release {store.folder} {mend}")
    return found


def _all(store: Store) -> tuple[Signed, ...]:
    current = store.current()
    return (store.root.signed, current.targets.signed, current.snapshot.signed, current.timestamp.signed)
