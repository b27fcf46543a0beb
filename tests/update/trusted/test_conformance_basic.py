# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Our tests for the cases of the public suite's test_basic.py; docs/tuf_conformance.md lists them all."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import MetaFile

from tests.update.trusted.simulator import NOW, TOP
from tests.update.trusted.suite import Driven, make

FIRST_LOOK = [("root", 2), ("timestamp", None), ("snapshot", 1), ("targets", 1)]


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    yield from make(tmp_path, monkeypatch)


def test_a_refresh_asks_for_each_role_once_and_in_order(client: Driven) -> None:
    """Case test_basic_refresh_requests."""
    assert client.init()
    assert client.asked() == []
    assert client.refresh()
    assert client.asked() == FIRST_LOOK


def test_after_a_refresh_the_repository_s_metadata_is_trusted(client: Driven) -> None:
    """Case test_basic_refresh_trusted_data."""
    assert client.init()
    assert client.refresh()
    assert {role: client.trusted(role) for role in TOP} == {role: client.repository.served[role][-1] for role in TOP}


def test_a_download_refreshes_first(client: Driven) -> None:
    """Case test_implicit_refresh."""
    assert client.init()
    assert not client.download("nobody knows it")
    assert client.asked() == FIRST_LOOK
    assert client.versions() == dict.fromkeys(TOP, 1)


def test_with_a_first_root_that_is_none_nothing_is_asked(client: Driven) -> None:
    """Case test_invalid_initial_root."""
    content = json.loads(client.root)
    del content["signed"]["version"]
    client.root = json.dumps(content).encode()
    client.init()
    assert not client.refresh()
    assert client.asked() == []


def test_with_a_first_root_that_is_not_signed_nothing_is_asked(client: Driven) -> None:
    """Case test_unsigned_initial_root."""
    content = json.loads(client.root)
    content["signatures"][0]["sig"] = "ab" * 64
    client.root = json.dumps(content).encode()
    client.init()
    assert not client.refresh()
    assert client.asked() == []


@pytest.mark.parametrize(
    ("role", "trusted"),
    [
        ("root", {"root": 1}),
        ("timestamp", {"root": 2}),
        ("snapshot", {"root": 2, "timestamp": 2}),
        ("targets", {"root": 2, "timestamp": 2, "snapshot": 2}),
    ],
)
def test_an_unsigned_role_is_refused_and_those_before_it_kept(
    client: Driven, role: str, trusted: dict[str, int]
) -> None:
    """Case test_unsigned_metadata."""
    client.repository.signers[role].clear()
    client.repository.publish("root", "targets", "snapshot", "timestamp")
    assert client.init()
    assert not client.refresh()
    assert client.versions() == trusted


@pytest.mark.parametrize(
    ("role", "trusted"),
    [
        ("root", {"root": 1}),
        ("snapshot", {"root": 2, "timestamp": 2}),
        ("targets", {"root": 2, "timestamp": 2, "snapshot": 2}),
    ],
)
def test_a_version_other_than_in_the_file_s_name_is_refused(client: Driven, role: str, trusted: dict[str, int]) -> None:
    """Case test_url_and_metadata_version_mismatch."""
    repository = client.repository
    repository.roles[role].version = 3
    wrong = repository.sign(role)
    repository.roles[role].version = 1
    repository.publish("root", "targets", "snapshot", "timestamp")
    repository.files[f"metadata/2.{role}.json"] = wrong
    assert client.init()
    assert not client.refresh()
    assert client.versions() == trusted


def test_another_timestamp_of_the_same_version_is_ignored(client: Driven) -> None:
    """Case test_timestamp_content_changes (formerly also test_timestamp_eq_versions_check)."""
    assert client.init()
    assert client.refresh()
    before = client.trusted("timestamp")
    client.repository.timestamp.snapshot_meta.version = 100
    client.repository.publish("timestamp", bump=False)
    assert client.refresh()
    assert client.trusted("timestamp") == before
    assert client.asked()[-1] == ("timestamp", None)


def test_hashes_of_metadata_are_checked(client: Driven) -> None:
    """Case test_basic_metadata_hash_support."""
    repository = client.repository
    repository.hashes = True
    repository.publish_all()
    assert client.init()
    assert client.refresh()
    repository.publish("targets")
    repository.snapshot.meta["targets.json"].hashes = {"sha256": "01" * 32}
    repository.publish("snapshot", "timestamp")
    assert not client.refresh()
    assert client.versions() == {"root": 1, "timestamp": 3, "snapshot": 3, "targets": 2}


def test_metadata_is_stored_as_it_came(client: Driven) -> None:
    """Case test_metadata_bytes_match."""
    client.repository.files["metadata/timestamp.json"] += b" \n "
    assert client.init()
    assert client.refresh()
    assert client.trusted("timestamp") == client.repository.files["metadata/timestamp.json"]


def test_targets_that_the_snapshot_does_not_name_are_not_asked_for(client: Driven) -> None:
    """Case test_new_targets_version_mismatch (of earlier versions of the suite)."""
    assert client.init()
    assert client.refresh()
    client.repository.publish("targets")
    assert client.refresh()
    assert client.versions()["targets"] == 1
    assert client.asked()[-1] == ("timestamp", None)


def odd_signer(fields: dict[str, object]) -> CryptoSigner:
    """A signer whose public key has fields that the specification does not know, and an id that covers them."""
    plain = CryptoSigner.generate_ed25519()
    described = plain.public_key.to_dict() | fields
    keyid = hashlib.sha256((encode_canonical(described) or "").encode()).hexdigest()
    return CryptoSigner(plain._private_key, SSlibKey.from_dict(keyid, described))


def test_unknown_fields_are_part_of_what_is_signed(client: Driven) -> None:
    """Case test_custom_fields."""
    root = client.repository.root
    assert client.init()
    assert client.refresh()
    root.unrecognized_fields["x-own"] = {"any": ["thing", 1]}
    root.roles["root"].unrecognized_fields["x-role"] = "thing"
    client.repository.add_key("root", odd_signer({"x-key": {"a": 1}}))
    client.repository.publish("root")
    assert client.refresh()
    assert client.versions()["root"] == 2


def test_a_key_s_outdated_field_about_hashes_means_nothing(client: Driven) -> None:
    """Case test_deprecated_keyid_hash_algorithms."""
    repository = client.repository
    assert client.init()
    for keyid in list(repository.root.roles["snapshot"].keyids):
        repository.root.revoke_key(keyid, "snapshot")
    repository.signers["snapshot"].clear()
    repository.add_key("snapshot", odd_signer({"keyid_hash_algorithms": ["md5"]}))
    repository.publish("root", "snapshot", "timestamp")
    assert client.refresh()
    assert client.versions() == {"root": 2, "timestamp": 2, "snapshot": 2, "targets": 1}


@pytest.mark.parametrize(
    ("role", "trusted"),
    [
        ("timestamp", {"root": 1, "timestamp": 1, "snapshot": 1, "targets": 1}),
        ("snapshot", {"root": 1, "timestamp": 2, "snapshot": 1, "targets": 1}),
        ("targets", {"root": 1, "timestamp": 2, "snapshot": 2, "targets": 1}),
    ],
)
def test_a_role_that_is_not_there_ends_the_refresh(client: Driven, role: str, trusted: dict[str, int]) -> None:
    """Cases test_timestamp_404, test_snapshot_404 and test_targets_404."""
    repository = client.repository
    assert client.init()
    assert client.refresh()
    repository.publish_all()
    del repository.files["metadata/timestamp.json" if role == "timestamp" else f"metadata/2.{role}.json"]
    assert not client.refresh()
    assert client.asked()[-1] == (role, None if role == "timestamp" else 2)
    assert client.versions() == trusted


def test_one_role_s_metadata_does_not_pass_for_another_s(client: Driven) -> None:
    """Case test_incorrect_metadata_type."""
    repository = client.repository
    assert client.init()
    repository.add_key("snapshot", repository.signers["timestamp"][0])
    repository.snapshot.meta = {"snapshot.json": MetaFile(1)}
    repository.publish("root", "snapshot")
    repository.files["metadata/timestamp.json"] = repository.served["snapshot"][-1]
    assert not client.refresh()
    assert client.versions() == {"root": 2}


def test_the_clock_of_the_test_is_the_client_s(client: Driven) -> None:
    """Case test_faketime."""
    assert client.init()
    client.repository.root.expires = NOW + timedelta(days=7)
    client.repository.publish("root")
    assert client.refresh()
    client.later(8)
    assert not client.refresh()


@pytest.mark.integration
def test_the_commands_are_the_suite_s(client: Driven, tmp_path: Path) -> None:
    """CLIENT-CLI.md: options before the command; 0 where it succeeded, 1 and a line where not."""
    program = [sys.executable, "-m", "edge.update.trusted.conformance"]
    (tmp_path / "given").write_bytes(client.root)
    metadata = ["--metadata-dir", str(client.metadata)]
    address = ["--metadata-url", f"{client.server.address}metadata/"]
    assert subprocess.run([*program, *metadata, "init", str(tmp_path / "given")]).returncode == 0
    assert subprocess.run([*program, *address, *metadata, "refresh"]).returncode == 0
    del client.repository.files["metadata/timestamp.json"]
    failed = subprocess.run([*program, *address, *metadata, "refresh"], capture_output=True, text=True)
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1
    assert "missing" in failed.stderr
