# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder that somebody else made: links, devices, names, and content that changes while it is read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from edge.update.trusted import UntrustedError, wish
from edge.update.trusted.disk import plain_file, read_plain
from tests.update.trusted.conftest import Vehicle
from tests.update.trusted.simulator import RELEASE, Repository


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../secret", "/secret", "a//b", "a/../../secret", "a/./b", "\0", "a\0b", "x" * 300,
     "a/" * 3000 + "b", "\udcff", "ä\u202e", "secret/x", "folder", "missing"],
)  # fmt: skip
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "bundle"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(UntrustedError) as refused, plain_file(folder, name):
        pass
    assert refused.value.reason == "missing"
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("what", ["metadata", "targets", "metadata/timestamp.json", "targets/models", "bundle.json"])
def test_links_are_not_followed(vehicle: Vehicle, stick: Path, tmp_path: Path, what: str) -> None:
    (stick / what).rename(tmp_path / "elsewhere")
    (stick / what).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UntrustedError) as refused:
        wish(stick) if what == "bundle.json" else vehicle.take(stick)
    assert refused.value.reason == "missing"


def test_the_bundle_itself_may_be_named_by_a_link(vehicle: Vehicle, stick: Path, tmp_path: Path) -> None:
    (tmp_path / "media").symlink_to(stick)
    assert vehicle.take(tmp_path / "media")


@pytest.mark.parametrize("kind", ["fifo", "folder", "null"])
def test_devices_and_folders_are_no_files_and_nothing_waits_for_them(vehicle: Vehicle, stick: Path, kind: str) -> None:
    path = stick / "metadata" / "timestamp.json"
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif os.geteuid() == 0:
        try:
            os.mknod(path, 0o20666, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("not root enough to make a device")
    else:
        pytest.skip("not root")
    with pytest.raises(UntrustedError) as refused:
        vehicle.open(stick)
    assert refused.value.reason == "missing"


def test_a_file_of_exactly_the_allowed_length_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_plain(tmp_path, "a", 5) == b"12345"
    with pytest.raises(UntrustedError, match="longer"):
        read_plain(tmp_path, "a", 4)


def test_targets_exchanged_after_the_look_are_refused(vehicle: Vehicle, stick: Path) -> None:
    verified = vehicle.open(stick)
    release = verified.release(RELEASE)
    for path in stick.glob("targets/*/*"):
        path.write_bytes(path.read_bytes()[::-1])
    for file in (*release.variants[0].wheels, release.models[0].file):
        with pytest.raises(UntrustedError) as refused:
            verified.fetch(file)
        assert refused.value.reason == "signature"
    with pytest.raises(UntrustedError):
        verified.release(RELEASE)
    assert not any(len(path.name) == 64 for path in vehicle.cache.iterdir())


def test_what_was_verified_is_the_copy_and_not_the_stick(vehicle: Vehicle, stick: Path) -> None:
    """The stick is pulled, or its files are exchanged, right after each was read."""
    verified = vehicle.open(stick)
    model = verified.release(RELEASE).models[0].file
    path = verified.fetch(model)
    good = path.read_bytes()
    shutil.rmtree(stick)
    assert verified.fetch(model).read_bytes() == good


def test_metadata_is_read_once(vehicle: Vehicle, stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read twice, it could be good when it is verified and bad when it is believed."""
    from edge.update.trusted import bundle

    seen: list[str] = []

    def once(folder: Path, name: str, most: int) -> bytes:
        seen.append(name)
        content = read_plain(folder, name, most)
        (folder / name).write_bytes(b"{}")
        return content

    monkeypatch.setattr(bundle, "read_plain", once)
    verified = vehicle.open(stick)
    assert verified.release(RELEASE).id == RELEASE
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(
    "path",
    [
        "../../../escape",
        "/etc/escape",
        "a/../../escape",
        "wheels/../../escape",
        "x" * 5000,
        "wheels/\u202eä b?#%2e",
        "..",
    ],
)
def test_signed_targets_with_strange_names_touch_nothing(
    vehicle: Vehicle, repository: Repository, tmp_path: Path, path: str
) -> None:
    from tuf.api.metadata import TargetFile

    repository.targets.targets[path] = TargetFile.from_data(path, b"evil", ["sha256"])
    repository.publish_all()
    before = set(tmp_path.rglob("*"))
    stick = repository.bundle(tmp_path / "stick")
    (stick / "targets" / "escape").write_bytes(b"evil")
    assert vehicle.take(stick)
    assert not [new for new in set(tmp_path.rglob("*")) - before if "escape" in new.name and "stick" not in str(new)]
    for name in (path, "../" + path):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(
                msgspec.json.encode({"target": name, "sha256": "0" * 64, "bytes": 4}), type=type(_file(repository))
            )


def _file(repository: Repository) -> object:
    return repository.add("models/x", b"x")


def test_hashes_that_would_lead_elsewhere_are_refused(vehicle: Vehicle, repository: Repository, tmp_path: Path) -> None:
    target = repository.targets.targets[f"releases/{RELEASE}.json"]
    target.hashes = {"sha256": "../../../../tmp/evil"}
    repository.publish_all()
    with pytest.raises(UntrustedError) as refused:
        vehicle.take(repository.bundle(tmp_path / "stick"))
    assert refused.value.reason == "bad_metadata"
