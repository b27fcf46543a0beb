# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Signed, published, taken back, bundled: judged by python-tuf's own client."""

from __future__ import annotations

import shutil
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from tuf.api.exceptions import RepositoryError

from messages.release import Bundle
from tests.workshop.release.desk import DAYS, NOW, PASSPHRASE, add, begin, keys, out, vehicle
from workshop.errors import WorkshopError
from workshop.release import client, draft, publishing
from workshop.release.bundle import bundle
from workshop.release.cli import main
from workshop.release.keys import Keys, Role
from workshop.release.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    begin(tmp_path)
    return tmp_path


def anchor(folder: Path) -> bytes:
    return (folder / "keys" / "root.json").read_bytes()


def test_a_new_repository_is_believed_and_offers_nothing(folder: Path) -> None:
    assert vehicle(folder).look() == set()


def test_a_release_is_offered_once_it_is_signed_and_published(folder: Path) -> None:
    car = vehicle(folder)
    add(folder, 1)
    assert car.look() == set()
    assert out(folder) == ["targets 2"]
    assert car.look() == {"2026.11.1"}
    assert client.check(str(folder / "repo"), anchor(folder))[0] == 4


def test_what_nobody_signed_is_not_published(folder: Path) -> None:
    add(folder, 1)
    with pytest.raises(WorkshopError, match="signatures missing: 1"):
        publishing.publish(Store(folder / "repo"), keys(folder / "keys"), NOW, DAYS)
    assert vehicle(folder).look() == set()


def test_a_draft_that_was_changed_after_signing_must_be_signed_again(folder: Path) -> None:
    add(folder, 1)
    draft.sign(Store(folder / "repo"), keys(folder / "keys"))
    add(folder, 2)
    with pytest.raises(WorkshopError, match="signatures missing"):
        publishing.publish(Store(folder / "repo"), keys(folder / "keys"), NOW, DAYS)


def test_without_the_servers_keys_nothing_changes(folder: Path) -> None:
    add(folder, 1)
    draft.sign(Store(folder / "repo"), keys(folder / "keys"))
    before = sorted((folder / "repo" / "metadata").iterdir())
    with pytest.raises(WorkshopError, match="the key of snapshot is not at hand"):
        publishing.publish(Store(folder / "repo"), keys(), NOW, DAYS)
    assert sorted((folder / "repo" / "metadata").iterdir()) == before


def test_a_damaged_file_is_not_published(folder: Path) -> None:
    add(folder, 1)
    draft.sign(Store(folder / "repo"), keys(folder / "keys"))
    wheel = next((folder / "repo" / "targets" / "wheels").iterdir())
    wheel.write_bytes(bytes(wheel.stat().st_size))
    with pytest.raises(WorkshopError, match="missing or damaged"):
        publishing.publish(Store(folder / "repo"), keys(folder / "keys"), NOW, DAYS)


def test_another_file_under_a_published_name_is_refused(folder: Path) -> None:
    add(folder, 1, app=b"app 1")
    out(folder)
    with pytest.raises(WorkshopError, match="an earlier release has another file of this name"):
        add(folder, 2, app=b"oth 1")


def test_a_release_taken_back_is_offered_no_more_and_what_others_need_stays(folder: Path) -> None:
    car = vehicle(folder)
    add(folder, 1)
    add(folder, 2)
    out(folder)
    assert car.look() == {"2026.11.1", "2026.11.2"}
    assert draft.take_back(Store(folder / "repo"), NOW, DAYS, "2026.11.2") == 2
    out(folder)
    assert car.look() == {"2026.11.1"}
    with pytest.raises(WorkshopError, match=r"no such release; there are: 2026\.11\.1"):
        draft.take_back(Store(folder / "repo"), NOW, DAYS, "2026.11.2")


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_a_new_key_is_believed_by_old_and_new_vehicles_and_the_old_key_no_more(folder: Path, role: Role) -> None:
    known = vehicle(folder)
    add(folder, 1)
    out(folder)
    known.look()
    store = Store(folder / "repo")
    old = store.root.signed.roles[role].keyids[0]
    fresh = draft.rotate(store, keys(folder / "new", folder / "keys"), NOW, DAYS, role, old=old)
    out(folder, folder / "new")
    assert known.look() == vehicle(folder, "fresh").look() == {"2026.11.1"}
    listed = Store(folder / "repo").root.signed.roles[role].keyids
    assert fresh.keyid in listed
    assert old not in listed
    next((folder / "keys").glob(f"{role}-{old[:8]}.key")).unlink()
    draft.renew(Store(folder / "repo"), NOW, DAYS, "targets")
    out(folder, folder / "new")
    assert known.look() == {"2026.11.1"}


def test_a_lost_key_of_targets_is_replaced_without_it(folder: Path) -> None:
    known = vehicle(folder)
    add(folder, 1)
    out(folder)
    known.look()
    next((folder / "keys").glob("targets-*.key")).unlink()
    draft.rotate(Store(folder / "repo"), keys(folder / "new", folder / "keys"), NOW, DAYS, "targets", old=None)
    assert out(folder, folder / "new") == ["targets 3", "root 2"]
    assert known.look() == vehicle(folder, "fresh").look() == {"2026.11.1"}


def test_a_root_needs_as_many_signatures_as_were_agreed(folder: Path) -> None:
    draft.renew(Store(folder / "repo"), NOW, DAYS, "root")
    safes = [folder / f"safe-{number}" for number in range(3)]
    for safe, key in zip(safes, sorted((folder / "keys").glob("root-*.key")), strict=True):
        safe.mkdir()
        shutil.copy(key, safe)
    (one,) = draft.sign(Store(folder / "repo"), keys(safes[0]))
    assert (one.made, one.missing) == (1, 1)
    with pytest.raises(WorkshopError, match="root 2: signatures missing: 1"):
        publishing.publish(Store(folder / "repo"), keys(folder / "keys"), NOW, DAYS)
    (one,) = draft.sign(Store(folder / "repo"), keys(safes[2]))
    assert (one.made, one.missing) == (2, 0)
    assert publishing.publish(Store(folder / "repo"), keys(folder / "keys"), NOW, DAYS) == ["root 2"]
    assert vehicle(folder).look() == set()


def test_a_server_cannot_exchange_the_root_that_lies_beside_the_keys(folder: Path, tmp_path: Path) -> None:
    begin(tmp_path / "attacker")
    shutil.rmtree(folder / "repo")
    shutil.copytree(tmp_path / "attacker" / "repo", folder / "repo")
    with pytest.raises(WorkshopError, match="is not signed by its keys"):
        Store(folder / "repo", anchor(folder)).current()
    assert main([str(folder / "repo"), "verify", "--root", str(folder / "keys" / "root.json")]) == 1


def test_a_repository_that_nobody_refreshes_ends_and_a_refresh_mends_that(folder: Path) -> None:
    store = Store(folder / "repo")
    publishing.refresh(store, keys(folder / "keys"), NOW, replace(DAYS, online=-1))
    with pytest.raises(RepositoryError, match="expired"):
        vehicle(folder).look()
    publishing.refresh(store, keys(folder / "keys"), NOW, DAYS)
    assert vehicle(folder).look() == set()


def test_a_computer_whose_clock_is_behind_signs_nothing(folder: Path) -> None:
    """Vehicles believe that it is at least as late as the newest timestamp says."""
    before = (folder / "repo" / "metadata" / "timestamp.json").read_bytes()
    with pytest.raises(WorkshopError, match="set the clock right"):
        publishing.refresh(Store(folder / "repo"), keys(folder / "keys"), NOW - timedelta(days=1), DAYS)
    assert (folder / "repo" / "metadata" / "timestamp.json").read_bytes() == before


def test_refreshing_every_day_keeps_few_snapshots(folder: Path) -> None:
    for _ in range(40):
        publishing.refresh(Store(folder / "repo"), keys(folder / "keys"), NOW, DAYS)
    assert 10 < len(list((folder / "repo" / "metadata").glob("*.snapshot.json"))) <= 22
    assert vehicle(folder).look() == set()


def test_a_bundle_is_all_that_a_new_vehicle_needs(folder: Path) -> None:
    add(folder, 1)
    add(folder, 2)
    out(folder)
    made = bundle(Store(folder / "repo"), folder / "b", release=None, machine="aarch64", python="3.13", base=None)
    assert msgspec.json.decode((folder / "b" / "bundle.json").read_bytes(), type=Bundle).release == "2026.11.2"
    assert made.files == 4 + 4 + 1  # metadata; release, two wheels, model; bundle.json
    assert made.size == sum(path.stat().st_size for path in (folder / "b").rglob("*") if path.is_file())
    assert made.until == NOW + timedelta(days=7)


def test_a_bundle_on_top_of_a_release_brings_only_what_is_new(folder: Path) -> None:
    add(folder, 1, app=b"app 1")
    add(folder, 2, model=b"better", app=b"app 1")
    out(folder)
    draft.take_back(Store(folder / "repo"), NOW, DAYS, "2026.11.1")
    out(folder)
    bundle(Store(folder / "repo"), folder / "b", release="2026.11.2", machine=None, python=None, base="2026.11.1")
    brought = {path.name.partition(".")[2] for path in (folder / "b" / "targets").rglob("*") if path.is_file()}
    assert brought == {"2026.11.2.json", "street-better.tar.gz"}


def test_a_bundle_for_a_computer_without_wheels_is_refused(folder: Path) -> None:
    add(folder, 1)
    out(folder)
    with pytest.raises(WorkshopError, match=r"has no wheels for x86_64/3\.11; it has aarch64/3\.13"):
        bundle(Store(folder / "repo"), folder / "b", release=None, machine="x86_64", python="3.11", base=None)


def test_a_wrong_passphrase_is_one_line_and_no_key_is_ever_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(folder, 1)
    (folder / "pass").write_text("falsch falsch falsch\n")
    arguments = [
        str(folder / "repo"),
        "sign",
        "--keys",
        str(folder / "keys"),
        "--passphrase-file",
        str(folder / "pass"),
    ]
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "wrong passphrase" in said.err
    assert "falsch falsch" not in said.out + said.err


def test_a_new_keys_passphrase_is_asked_for_once(tmp_path: Path) -> None:
    asked = []

    def ask(key: Path) -> bytes:
        asked.append(key.name.split("-")[0])
        return PASSPHRASE

    publishing.begin(tmp_path / "repo", Keys([tmp_path / "keys"], ask), NOW, DAYS, number=3, threshold=2)
    assert sorted(asked) == ["root", "root", "root", "targets"]


def test_keys_of_the_safe_are_encrypted_and_all_are_their_owners_alone(folder: Path) -> None:
    files = list((folder / "keys").glob("*.key"))
    assert len(files) == 6
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (b"ENCRYPTED" in path.read_bytes()) == path.name.startswith(("root", "targets"))


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkshopError, match="at least 12 characters"):
        publishing.begin(tmp_path / "r", keys(tmp_path / "k", passphrase=b"kurz"), NOW, DAYS, number=1, threshold=1)


def test_a_second_repository_in_the_same_folder_is_refused(folder: Path) -> None:
    with pytest.raises(WorkshopError, match="holds an update repository already"):
        publishing.begin(folder / "repo", keys(folder / "more"), NOW, DAYS, number=1, threshold=1)


def test_the_list_warns_of_what_ends_soon(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = str(folder / "repo")
    assert main([repo, "list"]) == 0
    assert main([repo, "list"], now=NOW + timedelta(days=70)) == 3
    assert "renew targets, sign, publish" in capsys.readouterr().err


def test_the_whole_ceremony_by_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo, key, secret = str(tmp_path / "repo"), str(tmp_path / "keys"), tmp_path / "pass"
    secret.write_text("korrekt pferd batterie\n")
    with_keys = ["--keys", key, "--passphrase-file", str(secret)]
    assert main([repo, "init", *with_keys]) == 0
    add(tmp_path, 1)
    assert main([repo, "sign", *with_keys]) == 0
    assert main([repo, "publish", *with_keys]) == 0
    assert main([repo, "rotate", "timestamp", *with_keys]) == 0
    assert main([repo, "sign", *with_keys]) == 0
    assert main([repo, "publish", *with_keys]) == 0
    assert main([repo, "refresh", *with_keys]) == 0
    assert main([repo, "verify", "--root", f"{key}/root.json"]) == 0
    assert main([repo, "bundle", str(tmp_path / "b")]) == 0
    assert main([repo, "revoke-release", "2026.11.1"]) == 0
    assert main([repo, "list"]) == 0
    said = capsys.readouterr()
    assert "targets: releases/2026.11.1.json is new" in said.out
    assert "root: timestamp: key" in said.out
    assert "published, to be taken back" in said.out
    assert "PRIVATE" not in said.out + said.err
    assert main([repo, "revoke-release", "2026.11.1"]) == 1
