# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Begins a repository, publishes its drafts and keeps it fresh.

Order of writing: targets, snapshot, timestamp (the switch), then the next root. New keys have signed everything before
the root that names them appears, so a vehicle that reads in between finds something it believes at every moment, and a
command that was cut is simply given again.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from messages.release import ISSUED
from workshop.errors import WorkshopError
from workshop.files import write
from workshop.release.draft import Days, keys_of, roots, signatures
from workshop.release.keys import ONLINE, Keys
from workshop.release.store import Store, root_is_signed, save, sha256_of

#: Snapshots that are kept behind the newest: for a vehicle that is just reading.
_KEPT_SNAPSHOTS = 20


def begin(folder: Path, keys: Keys, now: datetime, days: Days, *, number: int, threshold: int) -> Store:
    """A repository without a release. `number` root keys, of which `threshold` must sign.

    Raises:
        WorkshopError: there is one already, or the numbers make no sense.
    """
    if (folder / "metadata" / "timestamp.json").exists():
        raise WorkshopError(f"{folder}: holds an update repository already; vehicles would not believe another root")
    if list(keys.home.glob("*.key")):
        raise WorkshopError(f"{keys.home}: holds keys already; name an empty folder")
    if not 1 <= threshold <= number <= 20:
        raise WorkshopError("--threshold: at least 1 and at most --roots, which is at most 20")
    root = Root(expires=now + timedelta(days=days.root), consistent_snapshot=True)
    for _ in range(number):
        root.add_key(keys.make("root"), "root")
    root.roles["root"].threshold = threshold
    for role in ("targets", *ONLINE):
        root.add_key(keys.make(role), role)
    signed_root, targets = Metadata(root), Metadata(Targets(expires=now + timedelta(days=days.targets)))
    for signer in keys.signers(keys_of([root], "root")):
        signed_root.sign(signer, append=True)
    for signer in keys.signers(keys_of([root], "targets")):
        targets.sign(signer, append=True)
    content = save(folder / "metadata" / "1.root.json", signed_root)
    write(keys.home / "root.json", content)
    _write_online(folder / "metadata", [root], targets, None, keys, now=now, until=_online(now, days))
    return Store(folder)


def publish(store: Store, keys: Keys, now: datetime, days: Days) -> list[str]:
    """Publish the drafts; returns what was published.

    Raises:
        WorkshopError: signatures or files are missing, or there is no draft.
    """
    current = store.current()
    next_root, next_targets = store.draft_root(), store.draft_targets()
    if next_root is None and next_targets is None:
        raise WorkshopError("there is nothing to publish")
    if next_root is not None and not root_is_signed(store.root, next_root):
        missing = signatures(store, next_root, "root").missing
        raise WorkshopError(f"root {next_root.signed.version}: signatures missing: {missing}; scripts/release sign")
    targets = next_targets or current.targets
    _check_targets(store, targets, now)
    _write_online(
        store.metadata,
        roots(store),
        targets,
        (current.timestamp, current.snapshot),
        keys,
        now=now,
        until=_online(now, days),
    )
    done = [] if next_targets is None else [f"targets {targets.signed.version}"]
    if next_root is not None:
        save(store.metadata / f"{next_root.signed.version}.root.json", next_root)
        done.append(f"root {next_root.signed.version}")
    for name in ("targets.json", "root.json"):
        (store.draft / name).unlink(missing_ok=True)
    return done


def refresh(store: Store, keys: Keys, now: datetime, days: Days) -> None:
    """Vouch that the repository is still what it was. Raises WorkshopError: a key is missing."""
    current = store.current()
    online = (current.timestamp, current.snapshot)
    _write_online(store.metadata, [store.root.signed], current.targets, online, keys, now=now, until=_online(now, days))
    for old in store.metadata.glob("*.snapshot.json"):
        number = old.name.partition(".")[0]
        if number.isdigit() and int(number) < current.snapshot.signed.version - _KEPT_SNAPSHOTS:
            old.unlink()


def _write_online(
    folder: Path,
    known: list[Root],
    targets: Metadata[Targets],
    current: tuple[Metadata[Timestamp], Metadata[Snapshot]] | None,
    keys: Keys,
    *,
    now: datetime,
    until: datetime,
) -> None:
    """Sign first, then write: without a key nothing changes.

    Raises WorkshopError: this computer's clock is behind the last signature.
    """
    if current is None:
        timestamp, snapshot = Timestamp(expires=until), Snapshot(expires=until)
    else:
        timestamp, snapshot = deepcopy(current[0].signed), deepcopy(current[1].signed)
        timestamp.version, snapshot.version = timestamp.version + 1, snapshot.version + 1
        timestamp.expires = snapshot.expires = until
    # Vehicles judge what has ended by no earlier time than this: one that believes it is 1970 does not take old files.
    issued = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    before = timestamp.unrecognized_fields.get(ISSUED, "")
    if issued < before:
        raise WorkshopError(
            f"the clock says {issued}, but the last timestamp was signed at {before}; set the clock right"
        )
    timestamp.unrecognized_fields[ISSUED] = issued
    listed = targets.to_bytes(JSONSerializer())
    snapshot.meta["targets.json"] = _meta(targets.signed.version, listed)
    signed_snapshot = _signed(Metadata(snapshot), "snapshot", known, keys)
    timestamp.snapshot_meta = _meta(snapshot.version, signed_snapshot)
    signed_timestamp = _signed(Metadata(timestamp), "timestamp", known, keys)
    write(folder / f"{targets.signed.version}.targets.json", listed)
    write(folder / f"{snapshot.version}.snapshot.json", signed_snapshot)
    write(folder / "timestamp.json", signed_timestamp)


def _online(now: datetime, days: Days) -> datetime:
    return now + timedelta(days=days.online)


def _meta(version: int, content: bytes) -> MetaFile:
    return MetaFile.from_data(version, content, ["sha256"])


def _signed(metadata: Metadata[Snapshot] | Metadata[Timestamp], role: str, known: list[Root], keys: Keys) -> bytes:
    for signer in keys.signers({key.keyid: key for key in keys_of(known, role)}.values()):
        metadata.sign(signer, append=True)
    try:
        # An old key may be lost; the one that counts from now on must be there.
        known[-1].verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except RepositoryError:
        wanted = ", ".join(keyid[:8] for keyid in known[-1].roles[role].keyids)
        raise WorkshopError(f"the key of {role} is not at hand ({wanted}); name its folder with --keys") from None
    return metadata.to_bytes(JSONSerializer())


def _check_targets(store: Store, targets: Metadata[Targets], now: datetime) -> None:
    version = targets.signed.version
    if targets.signed.is_expired(now):
        raise WorkshopError(f"targets {version}: ended on {targets.signed.expires:%Y-%m-%d}; scripts/release renew")
    missing = signatures(store, targets, "targets").missing
    # The old key may be the one that was lost.
    coming = roots(store)[-1].get_verification_result("targets", targets.signed_bytes, targets.signatures)
    if not coming.verified:
        raise WorkshopError(f"targets {version}: signatures missing: {missing}; scripts/release sign")
    for each in targets.signed.targets.values():
        path = store.file(each.path, each.hashes["sha256"])
        if not path.is_file() or path.stat().st_size != each.length or sha256_of(path) != each.hashes["sha256"]:
            raise WorkshopError(f"{path}: is missing or damaged; bring it here before publishing")
