# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Our tests for the public suite's keys, key rotations, expiry and rollback; docs/tuf_conformance.md lists them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from tests.update.trusted.simulator import NOW, Repository
from tests.update.trusted.suite import Driven, make

ALL = ("root", "targets", "snapshot", "timestamp")


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    yield from make(tmp_path, monkeypatch)


def test_a_snapshot_below_its_threshold_is_refused(client: Driven) -> None:
    """Case test_snapshot_does_not_meet_threshold."""
    repository = client.repository
    repository.root.roles["snapshot"].threshold = 3
    repository.add_key("snapshot")
    repository.add_key("snapshot")
    repository.publish(*ALL)
    assert client.init()
    assert client.refresh()
    repository.signers["snapshot"].pop()
    repository.publish("targets", "snapshot", "timestamp")
    assert not client.refresh()
    assert client.versions()["snapshot"] == 2


def test_a_threshold_above_the_number_of_keys_is_never_met(client: Driven) -> None:
    """Case test_snapshot_has_too_few_keys."""
    repository = client.repository
    for _ in range(4):
        repository.add_key("snapshot")
    repository.root.roles["snapshot"].threshold = 6
    repository.publish("root", "snapshot", "timestamp")
    assert client.init()
    assert not client.refresh()
    assert client.versions()["root"] == 2
    assert "snapshot" not in client.versions()


def repeat_signatures(repository: Repository, role: str, times: int) -> None:
    name = repository.name(role, repository.roles[role].version)
    content = json.loads(repository.files[name])
    content["signatures"] *= times
    repository.files[name] = json.dumps(content).encode()


def test_a_key_named_many_times_counts_once(client: Driven) -> None:
    """Case test_duplicate_keys."""
    repository = client.repository
    role = repository.root.roles["snapshot"]
    role.keyids *= 9
    role.threshold = 6
    repository.publish("root", "snapshot", "timestamp")
    repeat_signatures(repository, "snapshot", 9)
    assert client.init()
    assert not client.refresh()
    assert "snapshot" not in client.versions()


def test_signatures_with_the_same_key_id_are_refused(client: Driven) -> None:
    """Case test_duplicate_sig_keyids."""
    repeat_signatures(client.repository, "snapshot", 2)
    assert client.init()
    assert not client.refresh()
    assert "snapshot" not in client.versions()


@pytest.mark.parametrize("kind", ["rsa/rsassa-pss-sha256", "ecdsa/ecdsa-sha2-nistp256", "ed25519/ed25519"])
def test_keys_of_the_specification_s_kinds_are_verified(client: Driven, kind: str) -> None:
    """Case test_keytype_and_scheme."""
    repository = client.repository
    signer: CryptoSigner = getattr(CryptoSigner, f"generate_{kind.partition('/')[0]}")()
    assert f"{signer.public_key.keytype}/{signer.public_key.scheme}" == kind
    assert client.init()
    repository.add_key("root", signer)
    repository.root.roles["root"].threshold = 2
    repository.publish("root")
    assert client.refresh()
    assert client.versions()["root"] == 2
    elsewhere = signer.sign(b"something else").signature
    repository.publish("root")
    content = json.loads(repository.files["metadata/3.root.json"])
    next(one for one in content["signatures"] if one["keyid"] == signer.public_key.keyid)["sig"] = elsewhere
    repository.files["metadata/3.root.json"] = json.dumps(content).encode()
    assert not client.refresh()
    assert client.versions()["root"] == 2


@pytest.mark.parametrize("signature", ["ab" * 64, "", "not even hex"])
def test_a_wrong_signature_beside_enough_right_ones_does_no_harm(client: Driven, signature: str) -> None:
    """Case test_invalid_sig_in_valid_metadata."""
    repository = client.repository
    wrong = repository.signers["timestamp"][0].public_key.keyid
    repository.add_key("timestamp")
    repository.publish("root", "timestamp")
    content = json.loads(repository.files["metadata/timestamp.json"])
    next(one for one in content["signatures"] if one["keyid"] == wrong)["sig"] = signature
    repository.files["metadata/timestamp.json"] = json.dumps(content).encode()
    assert client.init()
    assert client.refresh()


#: Versions of a role as "keys/threshold/who signs", keys by one digit each; the last one is refused where marked.
ROOTS = {
    "1-of-1-key-rotation": "1/1/1 2/1/21 2/1/2",
    "1-of-1-key-rotation-unused-signatures": "1/1/314 2/1/3214 2/1/324",
    "3-of-5-sign-with-different-keycombos": "01234/3/024 01234/3/041 01234/3/013 01234/3/013",
    "3-of-5-one-key-rotated": "01234/3/024 01345/3/041",
    "3-of-5-one-key-rotated-with-intermediate-step": "01234/3/024 01345/3/0245 01345/3/045",
    "3-of-5-all-keys-rotated-with-intermediate-step": "01234/3/024 56789/3/024567 56789/3/567",
    "1-of-3-threshold-increase-to-2-of-3": "123/1/1 123/2/12",
    "2-of-3-threshold-decrease-to-1-of-3": "123/2/12 123/1/12 123/1/1",
    "1-of-2-threshold-increase-to-2-of-2": "1/1/1 12/2/12",
    "1-of-1-key-rotation-fail-not-signed-with-old-key": "1/1/1 2/1/234 refused",
    "1-of-1-key-rotation-fail-not-signed-with-new-key": "1/1/1 2/1/134 refused",
    "3-of-5-one-key-rotate-fails-not-signed-with-3-new-keys": "01234/3/024 01345/3/024 refused",
    "3-of-5-one-key-rotate-fails-not-signed-with-3-old-keys": "01234/3/024 01345/3/045 refused",
    "1-of-3-threshold-bump-to-2-of-3-fails-new-threshold-not-reached": "123/1/1 123/2/2 refused",
    "2-of-3-threshold-decr-to-1-of-3-fails-old-threshold-not-eached": "123/2/12 123/1/1 refused",
}
OTHERS = {
    "1-of-1-key-rotation": "2/1/2",
    "1-of-1-key-rotation-unused-signatures": "1/1/314",
    "1-of-1-key-rotation-fail-not-signed-with-new-key": "2/1/134 refused",
    "3-of-5-one-key-signature-wrong-not-signed-with-3-expected-keys": "01345/3/024 refused",
    "2-of-5-one-key-signature-mising-threshold-not-reached": "01345/3/04 refused",
    "3-of-5-sign-first-combo": "01234/3/024",
    "3-of-5-sign-second-combo": "01234/3/041",
    "3-of-5-sign-third-combo": "01234/3/013",
    "3-of-5-sign-fourth-combo": "01234/3/123",
    "3-of-5-sign-fifth-combo": "01234/3/234",
}


def set_keys(repository: Repository, role: str, version: str, keys: list[CryptoSigner]) -> None:
    named, threshold, signing = version.split("/")
    for keyid in list(repository.root.roles[role].keyids):
        repository.root.revoke_key(keyid, role)
    for number in named:
        repository.root.add_key(keys[int(number)].public_key, role)
    repository.root.roles[role].threshold = int(threshold)
    repository.signers[role] = [keys[int(number)] for number in signing]


@pytest.mark.parametrize("case", ROOTS)
def test_root_moves_only_as_old_and_new_keys_agree(client: Driven, case: str) -> None:
    """Case test_root_rotation."""
    repository, keys = client.repository, [CryptoSigner.generate_ed25519() for _ in range(10)]
    *versions, last = ROOTS[case].split()
    good = versions[:-1] if last == "refused" else [*versions, last]
    shown = [one for one in [*versions, last] if one != "refused"]
    repository.root.version = 0
    for version in shown:
        set_keys(repository, "root", version, keys)
        repository.publish("root")
    repository.publish("targets", "snapshot", "timestamp")
    client.root = repository.files["metadata/1.root.json"]
    assert client.init()
    assert client.refresh() == (last != "refused")
    assert client.trusted("root") == repository.files[f"metadata/{len(good)}.root.json"]


@pytest.mark.parametrize("case", OTHERS)
def test_other_roles_are_believed_only_with_enough_of_their_keys(client: Driven, case: str) -> None:
    """Case test_non_root_rotations."""
    version, *refused = OTHERS[case].split()
    repository, keys = client.repository, [CryptoSigner.generate_ed25519() for _ in range(10)]
    assert client.init()
    for role in ("timestamp", "snapshot", "targets"):
        set_keys(repository, role, version, keys)
        repository.publish(*ALL)
        assert client.refresh() == (not refused)
        if not refused:
            assert client.trusted(role) == repository.served[role][-1]


def test_an_expired_root_is_kept_and_nothing_after_it(client: Driven) -> None:
    """Case test_root_expired."""
    repository = client.repository
    assert client.init()
    assert client.refresh()
    repository.root.expires = NOW - timedelta(days=1)
    repository.publish("root", "targets", "snapshot", "timestamp")
    assert not client.refresh()
    assert client.versions() == {"root": 2, "timestamp": 1, "snapshot": 1, "targets": 1}


@pytest.mark.parametrize(
    ("role", "trusted"),
    [
        ("timestamp", {"root": 1, "timestamp": 1, "snapshot": 1, "targets": 1}),
        ("snapshot", {"root": 1, "timestamp": 2, "snapshot": 1, "targets": 1}),
        ("targets", {"root": 1, "timestamp": 2, "snapshot": 2, "targets": 1}),
    ],
)
def test_an_expired_role_is_refused(client: Driven, role: str, trusted: dict[str, int]) -> None:
    """Cases test_timestamp_expired, test_snapshot_expired and test_targets_expired."""
    assert client.init()
    assert client.refresh()
    client.repository.roles[role].expires = NOW - timedelta(days=5)
    client.repository.publish("targets", "snapshot", "timestamp")
    assert not client.refresh()
    assert client.versions() == trusted


def test_what_expired_here_still_leads_to_what_is_new(client: Driven) -> None:
    """Case test_expired_metadata."""
    repository = client.repository
    repository.timestamp.expires = NOW + timedelta(days=7)
    repository.publish("timestamp")
    assert client.init()
    assert client.refresh()
    repository.timestamp.expires = NOW + timedelta(days=21)
    repository.publish("targets", "snapshot", "timestamp")
    client.later(18)
    assert client.refresh()
    assert client.versions() == {"root": 1, "timestamp": 3, "snapshot": 2, "targets": 2}


def test_an_older_snapshot_that_no_timestamp_names_is_not_asked_for(client: Driven) -> None:
    """Case test_simple_snapshot_rollback."""
    repository = client.repository
    repository.publish("snapshot", "timestamp")
    assert client.init()
    assert client.refresh()
    repository.files["metadata/2.snapshot.json"] = repository.files["metadata/1.snapshot.json"]
    assert client.refresh()
    assert client.versions()["snapshot"] == 2
    assert client.asked()[-1] == ("timestamp", None)


def test_an_older_timestamp_is_refused(client: Driven) -> None:
    """Case test_new_timestamp_version_rollback."""
    repository = client.repository
    repository.publish("timestamp")
    assert client.init()
    assert client.refresh()
    repository.files["metadata/timestamp.json"] = repository.served["timestamp"][0]
    assert not client.refresh()
    assert client.versions()["timestamp"] == 2
    assert client.asked()[-1] == ("timestamp", None)


@pytest.mark.parametrize("hashes", [False, True])
def test_a_timestamp_that_names_an_older_snapshot_is_refused(client: Driven, hashes: bool) -> None:
    """Case test_snapshot_rollback."""
    repository = client.repository
    repository.hashes = hashes
    repository.publish("snapshot", "timestamp")
    assert client.init()
    assert client.refresh()
    repository.snapshot.version = 0
    repository.publish("snapshot", "timestamp")
    assert not client.refresh()
    assert client.versions() == {"root": 1, "timestamp": 2, "snapshot": 2, "targets": 1}
    assert client.asked()[-1] == ("timestamp", None)


@pytest.mark.parametrize("hashes", [False, True])
def test_a_snapshot_that_names_older_targets_is_refused(client: Driven, hashes: bool) -> None:
    """Case test_targets_rollback."""
    repository = client.repository
    repository.hashes = hashes
    repository.publish_all()
    assert client.init()
    assert client.refresh()
    repository.targets.version = 0
    repository.publish_all()
    assert not client.refresh()
    assert client.versions() == {"root": 1, "timestamp": 3, "snapshot": 2, "targets": 2}


@pytest.mark.parametrize(
    ("role", "rotated"), [("targets", "snapshot"), ("snapshot", "snapshot timestamp"), ("timestamp", "timestamp")]
)
def test_versions_driven_up_are_forgotten_with_the_keys(client: Driven, role: str, rotated: str) -> None:
    """Cases test_new_targets_, test_new_snapshot_ and test_new_timestamp_fast_forward_recovery."""
    repository = client.repository
    repository.roles[role].version = 99
    repository.publish_all()
    assert client.init()
    assert client.refresh()
    assert client.versions()[role] == 100
    for one in rotated.split():
        repository.rotate(one)
    repository.roles[role].version = 0
    repository.publish("root", "targets", "snapshot", "timestamp")
    assert client.refresh()
    assert client.versions()[role] == 1


def test_a_snapshot_that_the_timestamp_does_not_name_yet_is_not_taken(client: Driven) -> None:
    """Case test_new_snapshot_version_mismatch."""
    repository = client.repository
    assert client.init()
    repository.publish("snapshot")
    repository.timestamp.snapshot_meta.version = 1
    repository.publish("root", "timestamp")
    assert client.refresh()
    assert client.versions() == {"root": 2, "timestamp": 2, "snapshot": 1, "targets": 1}
