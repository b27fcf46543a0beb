# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Attacks on bundles: each is refused for its reason, and afterwards the honest bundle is still taken."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from datetime import timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from edge.update.trusted import UntrustedError
from tests.update.trusted.conftest import Vehicle
from tests.update.trusted.simulator import NOW, RELEASE, Repository

SECOND = "2027.1.2"


@contextmanager
def refused(vehicle: Vehicle, honest: Repository, reason: str, *, newest: str = RELEASE) -> Iterator[None]:
    """The block must be refused, in one line, and leave a store that takes the honest bundle."""
    before = vehicle.versions()
    with pytest.raises(UntrustedError) as told:
        yield
    assert told.value.reason == reason, str(told.value)
    assert "\n" not in str(told.value)
    after = vehicle.versions()
    assert all(after[role] >= version for role, version in before.items())
    assert vehicle.take(honest.bundle(vehicle.home / "honest"), newest)


@pytest.fixture
def first(vehicle: Vehicle, repository: Repository, tmp_path: Path) -> Path:
    """The bundle of the first release, which the vehicle has taken."""
    folder = repository.bundle(tmp_path / "first")
    vehicle.take(folder)
    return folder


def copy(folder: Path, name: str) -> Path:
    return Path(shutil.copytree(folder, folder.with_name(name)))


def test_rollback_of_the_whole_bundle(vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path) -> None:
    repository.add_release(SECOND)
    vehicle.take(repository.bundle(tmp_path / "second"), SECOND)
    with refused(vehicle, repository, "rollback", newest=SECOND):
        vehicle.open(first)


def test_rollback_of_the_snapshot_by_who_holds_the_timestamp_key(
    vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path
) -> None:
    repository.publish_all()
    vehicle.take(repository.bundle(tmp_path / "second"))
    robbed = deepcopy_of(repository)
    robbed.timestamp.snapshot_meta.version = 1
    robbed.publish("timestamp")
    with refused(vehicle, repository, "rollback"):
        vehicle.open(robbed.bundle(tmp_path / "robbed"))


def test_rollback_of_targets_by_who_holds_both_online_keys(
    vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path
) -> None:
    honest = deepcopy_of(repository)
    repository.snapshot.meta["targets.json"].version = 1
    repository.publish("snapshot", "timestamp")
    attack = repository.bundle(tmp_path / "attack")
    honest.publish("timestamp")
    honest.publish("timestamp")
    honest.publish("snapshot", "timestamp")
    honest.publish("snapshot", "timestamp")
    with refused(vehicle, honest, "rollback"):
        vehicle.open(attack)


def test_rollback_of_root_to_an_older_version_under_a_newer_name(
    vehicle: Vehicle, repository: Repository, first: Path
) -> None:
    shutil.copy(first / "metadata" / "1.root.json", first / "metadata" / "2.root.json")
    with refused(vehicle, repository, "rollback"):
        vehicle.open(first)


@pytest.mark.parametrize("days", [31, 4000])
def test_freeze_with_metadata_that_was_good_once(
    vehicle: Vehicle, repository: Repository, first: Path, days: int
) -> None:
    vehicle.told = NOW + timedelta(days=days)
    for signed in repository.roles.values():
        signed.expires = vehicle.told + timedelta(days=1)
    repository.publish("root", "targets", "snapshot", "timestamp")
    with refused(vehicle, repository, "expired"):
        vehicle.open(first)


def test_freeze_with_a_timestamp_that_nobody_renewed(vehicle: Vehicle, repository: Repository, tmp_path: Path) -> None:
    repository.timestamp.expires = NOW + timedelta(days=1)
    repository.publish("timestamp")
    stale = repository.bundle(tmp_path / "stale")
    vehicle.told = NOW + timedelta(days=2)
    repository.timestamp.expires = NOW + timedelta(days=3)
    repository.publish("timestamp")
    with refused(vehicle, repository, "freeze"):
        vehicle.open(stale)


@pytest.mark.parametrize(
    ("role", "reason"), [("root", "expired"), ("targets", "expired"), ("snapshot", "freeze"), ("timestamp", "freeze")]
)
@pytest.mark.usefixtures("first")
def test_expired_metadata_of_each_role(
    vehicle: Vehicle, repository: Repository, tmp_path: Path, role: str, reason: str
) -> None:
    repository.roles[role].expires = NOW - timedelta(seconds=1)
    repository.publish("root", "targets", "snapshot", "timestamp")
    expired = repository.bundle(tmp_path / "expired")
    repository.roles[role].expires = NOW + timedelta(days=1)
    repository.publish("root", "targets", "snapshot", "timestamp")
    with refused(vehicle, repository, reason):
        vehicle.open(expired)


def test_mix_of_a_new_timestamp_with_an_old_snapshot(vehicle: Vehicle, repository: Repository, first: Path) -> None:
    repository.add_release(SECOND)
    mixed = copy(first, "mixed")
    (mixed / "metadata" / "timestamp.json").write_bytes(repository.files["metadata/timestamp.json"])
    with refused(vehicle, repository, "missing", newest=SECOND):
        vehicle.open(mixed)
    # The same under the name that is looked for.
    vehicle = Vehicle(vehicle.home.with_name("another"), repository.first_root)
    shutil.copy(mixed / "metadata" / "2.snapshot.json", mixed / "metadata" / "3.snapshot.json")
    with refused(vehicle, repository, "mix_and_match", newest=SECOND):
        vehicle.open(mixed)


@pytest.mark.parametrize("hashes", [True, False])
def test_mix_of_parts_from_two_states_of_the_repository(tmp_path: Path, hashes: bool) -> None:
    repository = Repository(hashes=hashes)
    repository.add_release()
    first = repository.bundle(tmp_path / "first")
    vehicle = Vehicle(tmp_path / "vehicle", repository.first_root)
    repository.add_release(SECOND)
    for part in ("snapshot", "targets"):
        mixed = repository.bundle(tmp_path / f"mixed {part}")
        shutil.copy(first / "metadata" / f"2.{part}.json", mixed / "metadata" / f"3.{part}.json")
        with refused(vehicle, repository, "mix_and_match", newest=SECOND):
            vehicle.open(mixed)
        vehicle = Vehicle(tmp_path / f"after {part}", repository.first_root)


@pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "2.targets.json", "2.root.json"])
def test_endless_metadata(vehicle: Vehicle, repository: Repository, stick: Path, name: str) -> None:
    with (stick / "metadata" / name).open("ab") as file:
        file.truncate(100 << 20)  # sparse
    vehicle.home.mkdir()
    with refused(vehicle, repository, "endless"):
        vehicle.open(stick)


def test_endless_target(vehicle: Vehicle, repository: Repository, stick: Path) -> None:
    model = vehicle.open(stick).release(RELEASE).models[0].file
    with next((stick / "targets" / "models").iterdir()).open("ab") as file:
        file.truncate(1 << 40)  # sparse
    with refused(vehicle, repository, "endless"):
        vehicle.open(stick).fetch(model)
    assert sum(path.stat().st_size for path in vehicle.cache.iterdir()) < 10_000


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_metadata_signed_with_other_keys(
    vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path, role: str
) -> None:
    honest = deepcopy_of(repository)
    repository.signers[role] = [CryptoSigner.generate_ed25519() for _ in repository.signers[role]]
    repository.publish("root", "targets", "snapshot", "timestamp")
    attack = repository.bundle(tmp_path / "attack")
    honest.publish("root", "targets", "snapshot", "timestamp")
    honest.publish("targets", "snapshot", "timestamp")
    with refused(vehicle, honest, "signature"):
        vehicle.open(attack)


def test_a_root_below_its_threshold(vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path) -> None:
    honest = deepcopy_of(repository)
    repository.signers["root"] = repository.signers["root"][:1]
    repository.publish("root")
    with refused(vehicle, honest, "signature"):
        vehicle.open(repository.bundle(tmp_path / "attack"))


def test_one_signature_counts_once_however_often_it_stands_there(
    vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path
) -> None:
    honest = deepcopy_of(repository)
    repository.signers["root"] = repository.signers["root"][:1]
    repository.publish("root")
    content = json.loads(repository.files["metadata/2.root.json"])
    content["signatures"] *= 2
    repository.files["metadata/2.root.json"] = json.dumps(content).encode()
    with refused(vehicle, honest, "bad_metadata"):
        vehicle.open(repository.bundle(tmp_path / "attack"))


def test_another_repository_altogether(vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path) -> None:
    other = Repository()
    other.add_release()
    other.publish("timestamp")
    with refused(vehicle, repository, "signature"):
        vehicle.open(other.bundle(tmp_path / "other"))


@pytest.mark.parametrize(("part", "reason"), [("metadata", None), ("targets", "truncated")])
def test_each_file_cut_short(
    vehicle: Vehicle, repository: Repository, tmp_path: Path, part: str, reason: str | None
) -> None:
    honest = repository.bundle(tmp_path / "honest")
    for path in sorted(honest.glob(f"{part}/**/*.*")):
        for keep in (0, 1, path.stat().st_size - 1):
            cut = repository.bundle(tmp_path / "cut")
            os.truncate(cut / path.relative_to(honest), keep)
            fresh = Vehicle(tmp_path / f"{path.name} {keep}", repository.first_root)
            if path.name in ("1.root.json", "1.snapshot.json", "1.targets.json") or "x86_64" in path.name:
                assert fresh.take(cut)
                continue
            with refused(fresh, repository, reason or fresh_reason(path.name)):
                fresh.take(cut)


def fresh_reason(name: str) -> str:
    return "bad_metadata" if name == "timestamp.json" else "truncated"


@pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "2.targets.json"])
def test_each_metadata_file_missing(vehicle: Vehicle, repository: Repository, stick: Path, name: str) -> None:
    (stick / "metadata" / name).unlink()
    vehicle.home.mkdir()
    with refused(vehicle, repository, "missing"):
        vehicle.open(stick)


def test_keys_are_rotated_for_every_role_at_once(
    vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path
) -> None:
    for role in ("root", "targets", "snapshot", "timestamp"):
        repository.rotate(role)
    repository.publish("root", "targets", "snapshot", "timestamp")
    vehicle.take(repository.bundle(tmp_path / "rotated"))
    assert vehicle.versions()["root"] == 2


def test_root_moves_over_several_versions_at_once(
    vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path
) -> None:
    for _ in range(5):
        repository.rotate("root")
        repository.publish("root")
        repository.signers["root"] = repository.signers["root"][:3]
    vehicle.take(repository.bundle(tmp_path / "far"))
    assert vehicle.versions()["root"] == 6
    assert (vehicle.trust / "root.json").read_bytes() == repository.served["root"][-1]
    gap = repository.bundle(tmp_path / "gap")
    (gap / "metadata" / "3.root.json").unlink()
    late = Vehicle(tmp_path / "late", repository.first_root)
    late.take(gap)
    assert late.versions()["root"] == 2, "a root cannot be skipped"


def test_an_expired_root_on_the_way_to_a_good_one_is_no_hindrance(
    vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path
) -> None:
    repository.root.expires = NOW - timedelta(days=1)
    repository.publish("root")
    repository.root.expires = NOW + timedelta(days=1)
    repository.publish("root")
    vehicle.take(repository.bundle(tmp_path / "later"))
    assert vehicle.versions()["root"] == 3


@pytest.mark.parametrize(
    ("role", "rotated"),
    [("timestamp", ["timestamp"]), ("snapshot", ["snapshot", "timestamp"]), ("targets", ["snapshot"])],
)
@pytest.mark.usefixtures("first")
def test_versions_that_a_stolen_key_drove_up_are_forgotten_with_the_key(
    vehicle: Vehicle, repository: Repository, tmp_path: Path, role: str, rotated: list[str]
) -> None:
    honest = deepcopy_of(repository)
    repository.roles[role].version = 1_000_000
    repository.publish("targets", "snapshot", "timestamp")
    vehicle.take(repository.bundle(tmp_path / "driven"))
    honest.publish("snapshot", "snapshot", "timestamp", "timestamp")
    with pytest.raises(UntrustedError) as told:
        vehicle.open(honest.bundle(tmp_path / "helpless"))
    assert told.value.reason == "rollback"
    for one in rotated:
        honest.rotate(one)
    honest.publish("root", "targets", "snapshot", "timestamp")
    assert vehicle.take(honest.bundle(tmp_path / "recovered"))
    assert vehicle.versions()[role] < 1_000_000


def test_a_date_that_a_stolen_key_drove_up_is_forgotten_with_the_key(
    vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path
) -> None:
    honest = deepcopy_of(repository)
    repository.issued = NOW + timedelta(days=20)
    repository.publish("timestamp")
    vehicle.take(repository.bundle(tmp_path / "driven"))
    honest.timestamp.version = repository.timestamp.version
    honest.timestamp.expires = NOW + timedelta(days=10)
    honest.publish("timestamp")
    with pytest.raises(UntrustedError, match="when the newest timestamp was signed") as told:
        vehicle.open(honest.bundle(tmp_path / "helpless"))
    assert told.value.reason == "freeze"
    honest.rotate("timestamp")
    honest.publish("root", "timestamp")
    assert vehicle.take(honest.bundle(tmp_path / "recovered"))


def test_targets_that_nobody_signed_are_not_even_looked_at(
    vehicle: Vehicle, repository: Repository, stick: Path
) -> None:
    honest = vehicle.take(stick)
    for name in (
        "targets/evil.sh",
        "targets/wheels/evil.whl",
        "metadata/evil.json",
        "metadata/99.targets.json",
        "evil",
    ):
        (stick / name).write_bytes(b"evil")
    assert vehicle.take(stick) == honest
    assert len(list(vehicle.cache.iterdir())) == len(honest)


@pytest.mark.parametrize(
    "nested",
    [
        b"[" * 16_000,
        b'{"signed":' * 1_600,
        b'{"a":' + b"1" * 15_000 + b"}",
        b'{"signed":' + b"[" * 600 + b"]" * 600 + b"}",
    ],
    ids=["lists", "objects", "number", "deep"],
)
def test_json_that_is_nested_or_long_beyond_reason(
    vehicle: Vehicle, repository: Repository, stick: Path, nested: bytes
) -> None:
    (stick / "metadata" / "timestamp.json").write_bytes(nested)
    vehicle.home.mkdir()
    with refused(vehicle, repository, "bad_metadata"):
        vehicle.open(stick)


@pytest.mark.parametrize("depth", [200, 400, 900, 5000])
def test_nested_fields_that_nobody_knows_in_otherwise_good_metadata(
    vehicle: Vehicle, repository: Repository, stick: Path, depth: int
) -> None:
    content = json.loads(repository.files["metadata/timestamp.json"])
    deep = ', "deep": ' + "[" * depth + "]" * depth + "}"
    signed, signatures = json.dumps(content["signed"]), json.dumps(content["signatures"])
    (stick / "metadata" / "timestamp.json").write_text(f'{{"signatures": {signatures}, "signed": {signed[:-1]}{deep}}}')
    with pytest.raises(UntrustedError):
        vehicle.open(stick)
    # Outside of what is signed a field means nothing: believed or not, nothing breaks.
    (stick / "metadata" / "timestamp.json").write_text(f'{{"signatures": {signatures}, "signed": {signed}{deep}')
    with suppress(UntrustedError):
        vehicle.open(stick)
    assert vehicle.take(repository.bundle(stick))


def test_metadata_of_another_role_under_a_role_s_name(
    vehicle: Vehicle, repository: Repository, first: Path, tmp_path: Path
) -> None:
    honest = deepcopy_of(repository)
    honest.publish("timestamp")
    repository.add_key("timestamp", repository.signers["snapshot"][0])
    repository.publish("root", "snapshot")
    repository.files["metadata/timestamp.json"] = repository.served["snapshot"][-1]
    with refused(vehicle, repository_after(repository), "bad_metadata"):
        vehicle.open(repository.bundle(tmp_path / "attack"))


def repository_after(repository: Repository) -> Repository:
    later = deepcopy_of(repository)
    later.publish("timestamp")
    return later


def deepcopy_of(repository: Repository) -> Repository:
    """The same repository with the same keys, going its own way."""
    other = Repository.__new__(Repository)
    signers = repository.signers
    other.__dict__ = deepcopy({key: value for key, value in vars(repository).items() if key != "signers"})
    other.signers = {role: list(keys) for role, keys in signers.items()}
    return other
