# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Any byte of any file of a bundle, changed at random: refused, or nothing else is believed than before."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.update.trusted import UntrustedError
from tests.update.trusted.conftest import Vehicle
from tests.update.trusted.simulator import RELEASE, Repository

HONEST: dict[bool, tuple[Repository, list[bytes], dict[str, Any]]] = {}


def believed(vehicle: Vehicle) -> dict[str, Any]:
    """The signed part of all that is believed."""
    return {path.name: json.loads(path.read_bytes())["signed"] for path in vehicle.trust.glob("*.json")}


def honest(hashes: bool) -> tuple[Repository, list[bytes], dict[str, Any]]:
    """A repository whose root moved once, what a vehicle takes from it, and what it then believes."""
    if hashes not in HONEST:
        repository = Repository(hashes=hashes)
        repository.add_release()
        repository.publish("root")
        with tempfile.TemporaryDirectory() as folder:
            vehicle = Vehicle(Path(folder) / "vehicle", repository.first_root)
            HONEST[hashes] = (repository, vehicle.take(repository.bundle(Path(folder) / "stick")), believed(vehicle))
    return HONEST[hashes]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), hashes=st.booleans())
def test_a_changed_byte_is_refused_or_changes_nothing(data: st.DataObject, hashes: bool) -> None:
    repository, content, trusted = honest(hashes)
    name = data.draw(st.sampled_from(sorted(repository.files)))
    files = repository.files
    at = data.draw(st.integers(0, len(files[name]) - 1))
    changed = bytearray(files[name])
    changed[at] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder:
        stick = repository.bundle(Path(folder) / "stick")
        (stick / name).write_bytes(changed)
        vehicle = Vehicle(Path(folder) / "vehicle", repository.first_root)
        with contextlib.suppress(UntrustedError):
            assert vehicle.take(stick) == content
        now = believed(vehicle)
        assert all(now[part] == trusted[part] for part in now if part != "root.json")
        # A second root that is damaged is either refused or not there: the first one stays.
        assert now["root.json"] in (trusted["root.json"], json.loads(repository.first_root)["signed"])
        assert vehicle.take(repository.bundle(stick)) == content
        assert believed(vehicle) == trusted


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_bytes_in_the_place_of_metadata_are_refused_in_one_line(data: st.DataObject) -> None:
    repository, content, _ = honest(hashes=True)
    name = data.draw(st.sampled_from(["timestamp.json", "2.root.json", "2.snapshot.json", "2.targets.json"]))
    junk = data.draw(
        st.binary(max_size=300)
        | st.recursive(
            st.none() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
            max_leaves=20,
        ).map(lambda value: json.dumps(value).encode())
        | _mutated(repository.files[f"metadata/{name}"])
    )
    with tempfile.TemporaryDirectory() as folder:
        stick = repository.bundle(Path(folder) / "stick")
        (stick / "metadata" / name).write_bytes(junk)
        vehicle = Vehicle(Path(folder) / "vehicle", repository.first_root)
        with pytest.raises(UntrustedError) as refused:
            vehicle.take(stick, RELEASE)
        assert "\n" not in str(refused.value)
        shutil.rmtree(stick)
        assert vehicle.take(repository.bundle(stick)) == content


_WORDS = st.sampled_from(
    ["signed", "signatures", "_type", "version", "expires", "keys", "roles", "meta", "keyid", "sig"]
)


def _mutated(content: bytes) -> st.SearchStrategy[bytes]:
    """Good metadata with one value of the signed part replaced by anything."""
    value = json.loads(content)
    anything = (
        st.none()
        | st.integers()
        | st.text(max_size=5)
        | st.lists(st.none(), max_size=2)
        | st.just({})
        | st.just(10**400)
    )
    replaced = st.tuples(st.sampled_from(sorted(value["signed"])), anything)
    # Without a version of the specification python-tuf takes its own, so what was signed is unchanged.
    same = ("spec_version", None)
    return replaced.filter(lambda pair: value["signed"][pair[0]] != pair[1] and pair != same).map(
        lambda pair: json.dumps(value | {"signed": value["signed"] | {pair[0]: pair[1]}}).encode()
    )
