# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a vehicle takes out of an honest bundle, and what it keeps."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import msgspec
import pytest

from edge.errors import StoreError
from edge.update.trusted import UntrustedError, wish
from messages.release import Release
from tests.update.trusted.conftest import Vehicle
from tests.update.trusted.simulator import RELEASE, WHEELS, Repository


def test_a_release_is_taken_out_of_a_bundle(vehicle: Vehicle, stick: Path, repository: Repository) -> None:
    verified = vehicle.open(stick)
    release = verified.release(RELEASE)
    assert verified.manifest(RELEASE) == msgspec.json.encode(release)
    assert [file.target for file in release.variants[0].wheels] == list(WHEELS)
    path = verified.fetch(release.models[0].file)
    assert path == vehicle.cache / release.models[0].file.sha256
    assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert vehicle.versions() == {"root": 1, "snapshot": 2, "targets": 2, "timestamp": 2}
    assert sorted(path.name for path in vehicle.cache.iterdir()) == [path.name]


def test_hashes_in_timestamp_and_snapshot_may_be_missing_as_may_versioned_names(tmp_path: Path) -> None:
    plain = Repository(hashes=False, consistent=False)
    plain.add_release()
    assert len(Vehicle(tmp_path / "vehicle", plain.first_root).take(plain.bundle(tmp_path / "stick"))) == 3


def test_a_target_in_the_cache_needs_no_file_in_the_bundle_but_is_hashed_again(vehicle: Vehicle, stick: Path) -> None:
    file = vehicle.open(stick).release(RELEASE).models[0].file
    path = vehicle.open(stick).fetch(file)
    shutil.rmtree(stick / "targets" / "models")
    assert vehicle.open(stick).fetch(file) == path
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)
    with pytest.raises(UntrustedError, match="no plain file") as refused:
        vehicle.open(stick).fetch(file)
    assert refused.value.reason == "missing"
    assert not path.exists(), "the next download would leave it out"


def test_a_damaged_file_in_the_cache_is_replaced(vehicle: Vehicle, stick: Path) -> None:
    good = vehicle.take(stick)
    for path in vehicle.cache.iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert vehicle.take(stick) == good


def test_a_link_in_the_place_of_a_cached_file_is_replaced(vehicle: Vehicle, stick: Path, tmp_path: Path) -> None:
    file = vehicle.open(stick).release(RELEASE).models[0].file
    path = vehicle.open(stick).fetch(file)
    shutil.copy(path, tmp_path / "elsewhere")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert not vehicle.open(stick).fetch(file).is_symlink()


def test_the_root_that_is_given_counts_only_where_none_is_held(vehicle: Vehicle, stick: Path) -> None:
    vehicle.take(stick)
    vehicle.root = Repository().first_root
    assert vehicle.take(stick)


@pytest.mark.parametrize("damage", [b"", b"{", b'{"signatures": [], "signed": {}}', b"\xff\xff"])
def test_a_damaged_root_in_the_store_heals_from_the_one_given(vehicle: Vehicle, stick: Path, damage: bytes) -> None:
    vehicle.take(stick)
    (vehicle.trust / "root.json").write_bytes(damage)
    assert vehicle.take(stick)


def test_without_any_root_nothing_is_believed(vehicle: Vehicle, stick: Path) -> None:
    vehicle.root = None  # type: ignore[assignment]
    with pytest.raises(UntrustedError, match="no root of trust") as refused:
        vehicle.open(stick)
    assert refused.value.reason == "missing"


def test_a_store_that_cannot_be_written_is_told_as_such(vehicle: Vehicle, stick: Path) -> None:
    vehicle.home.mkdir()
    vehicle.trust.write_text("a file is in the way")
    with pytest.raises(StoreError, match="cannot be kept"):
        vehicle.open(stick)


def test_a_cache_that_cannot_be_written_is_told_as_such(vehicle: Vehicle, stick: Path) -> None:
    verified = vehicle.open(stick)
    vehicle.cache.write_text("a file is in the way")
    with pytest.raises(StoreError, match="free space"):
        verified.fetch(verified.release(RELEASE).models[0].file)


def test_what_is_believed_is_durable_before_it_counts(
    vehicle: Vehicle, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    fsync, replace = os.fsync, Path.replace
    renamed: list[str] = []

    def record(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def rename(path: Path, target: Path) -> Path:
        assert path.stat().st_ino in synced, f"{path} gets its name before its content is durable"
        renamed.append(target.name)
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", record)
    monkeypatch.setattr(Path, "replace", rename)
    vehicle.take(stick)
    assert {"root.json", "timestamp.json", "snapshot.json", "targets.json"} < set(renamed)
    assert vehicle.trust.stat().st_ino in synced
    assert vehicle.cache.stat().st_ino in synced
    assert not any(path.is_symlink() for path in vehicle.trust.iterdir())


def test_the_wish_is_read_but_only_as_a_release(stick: Path) -> None:
    assert wish(stick) == RELEASE
    for content in [
        '{"release": "../../etc"}',
        "{",
        '{"release": 1}',
        "[" * 4000,
        '{"release": "2027.1.1", "more": 1}',
    ]:
        (stick / "bundle.json").write_text(content)
        with pytest.raises(UntrustedError) as refused:
            wish(stick)
        assert refused.value.reason == "bad_metadata"
        assert "\n" not in str(refused.value)
    (stick / "bundle.json").write_text(" " * 5000)
    with pytest.raises(UntrustedError, match="longer"):
        wish(stick)


def test_a_signed_manifest_of_another_release_is_not_taken_for_it(
    vehicle: Vehicle, repository: Repository, tmp_path: Path
) -> None:
    made = repository.add_release("2027.1.2", publish=False)
    repository.add("releases/2027.1.3.json", msgspec.json.encode(made))
    repository.add("releases/2027.1.4.json", b'{"id": 1}')
    repository.add("releases/2027.1.5.json", b" " * (1 << 21))
    repository.publish_all()
    verified = vehicle.open(repository.bundle(tmp_path / "stick"))
    for release, reason in [("2027.1.3", "mix_and_match"), ("2027.1.4", "bad_metadata"), ("2027.1.5", "endless")]:
        with pytest.raises(UntrustedError) as refused:
            verified.release(release)
        assert refused.value.reason == reason
    assert verified.release("2027.1.2") == made


def test_a_file_that_release_and_targets_name_differently_is_refused(vehicle: Vehicle, stick: Path) -> None:
    verified = vehicle.open(stick)
    model = verified.release(RELEASE).models[0].file
    for other in (
        msgspec.structs.replace(model, sha256="0" * 64),
        msgspec.structs.replace(model, bytes=model.bytes + 1),
    ):
        with pytest.raises(UntrustedError) as refused:
            verified.fetch(other)
        assert refused.value.reason == "mix_and_match"
    with pytest.raises(UntrustedError) as refused:
        verified.fetch(msgspec.structs.replace(model, target="models/other.tar.gz"))
    assert refused.value.reason == "missing"


def test_the_release_is_the_one_that_was_signed(vehicle: Vehicle, stick: Path) -> None:
    signed = next((stick / "targets" / "releases").iterdir())
    assert vehicle.open(stick).release(RELEASE) == msgspec.json.decode(signed.read_bytes(), type=Release)
    other = json.loads(signed.read_text()) | {"number": 9}
    signed.write_text(json.dumps(other))
    with pytest.raises(UntrustedError):
        vehicle.open(stick).release(RELEASE)
