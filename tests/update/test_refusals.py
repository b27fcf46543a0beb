# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a vehicle does not take over: the reason is told, nothing is changed, nothing is left behind."""

from __future__ import annotations

import errno
import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from edge.update import build, recover
from edge.update.device import Device
from edge.update.proof import SelfTest
from edge.update.trusted import UntrustedError
from messages.release import Release
from tests.update.world import MACHINE, PYTHON, Depot, Vehicle, app_wheels, make_wheel, model_tar


def assert_refused(vehicle: Vehicle, reason: str, *, for_good: bool) -> None:
    said = vehicle.said
    assert (said.state, said.release, said.running) == ("failed", "2026.2.1", "2026.1.1")
    assert reason in said.reason
    assert "\n" not in said.reason
    assert ("2026.2.1" in vehicle.refused) == for_good
    assert vehicle.current == "2026.1.1"
    assert vehicle.starts() == "2026.1.1"
    assert recover.leftovers(vehicle.layout.root) == []
    assert not vehicle.layout.journal.exists()
    assert vehicle.daemon.restarts_asked == 0


def test_a_model_that_finds_nothing(vehicle: Vehicle, depot: Depot) -> None:
    assert vehicle.install(depot.publish("2026.2.1", 2, onnx=b"finds nothing")) == 4
    assert_refused(vehicle, "selftest: street: pothole at (1, 2, 3, 4) was not found", for_good=True)


def test_what_failed_here_is_not_tried_again_unless_somebody_says_so(vehicle: Vehicle, depot: Depot) -> None:
    bad = depot.publish("2026.2.1", 2, onnx=b"finds nothing")
    vehicle.install(bad)
    depot.publish("2026.2.1", 2)
    assert vehicle.install(bad) == 4
    assert "failed here before" in vehicle.lines[-1]
    assert vehicle.install(bad, again=True) == 0
    assert (vehicle.current, vehicle.refused) == ("2026.2.1", {})


def test_a_refused_wish_is_answered_once(vehicle: Vehicle, depot: Depot) -> None:
    depot.publish("2026.2.1", 2, onnx=b"finds nothing")
    vehicle.wish("2026.2.1")
    assert vehicle.install() == 4
    assert vehicle.install() == 0
    assert_refused(vehicle, "selftest", for_good=True)


def test_a_refusal_is_dated_again_only_where_it_was_asked_for_again(vehicle: Vehicle, depot: Depot) -> None:
    depot.publish("2026.2.1", 2)
    vehicle.free_bytes = lambda folder: 0
    vehicle.wish("2026.2.1")
    for minute in range(3):
        vehicle.minute = minute
        assert vehicle.install() == 4
        assert vehicle.said.utc == "2026-11-22T10:00:00Z", "the same failure, seen again"
    vehicle.free_bytes = lambda folder: 10**12
    depot.publish("2026.2.1", 2, onnx=b"finds nothing")
    vehicle.install()
    assert vehicle.said.utc == "2026-11-22T10:02:00Z"
    vehicle.minute = 9
    vehicle.wish("2026.2.1")
    assert vehicle.install() == 4
    assert (vehicle.said.state, vehicle.said.utc) == ("failed", "2026-11-22T10:09:00Z")
    assert vehicle.said.reason.startswith("selftest: ")


def test_an_application_that_does_not_start(vehicle: Vehicle, depot: Depot) -> None:
    wheels = app_wheels("x") | dict([make_wheel("wegewart", "x", {"little.py": b"1/0"}, "wegewart-edge = little:main")])
    assert vehicle.install(depot.publish("2026.2.1", 2, wheels=wheels)) == 4
    assert_refused(vehicle, "selftest: exit status 1: ZeroDivisionError: division by zero", for_good=True)


def test_an_application_without_our_program(vehicle: Vehicle, depot: Depot) -> None:
    wheels = dict([make_wheel("wegewart", "x", {"little.py": b""})])
    assert vehicle.install(depot.publish("2026.2.1", 2, wheels=wheels)) == 4
    assert_refused(vehicle, "the program does not start", for_good=False)


def test_a_self_test_that_never_ends(vehicle: Vehicle, depot: Depot) -> None:
    code = b"import threading\ndef main(): threading.Event().wait()\n"
    wheels = dict([make_wheel("wegewart", "x", {"little.py": code}, "wegewart-edge = little:main")])
    vehicle.proof = SelfTest(vehicle.home / "vehicle.toml", limit_s=1.0)
    assert vehicle.install(depot.publish("2026.2.1", 2, wheels=wheels)) == 4
    assert_refused(vehicle, "selftest: took longer than 1 s", for_good=True)


def test_a_self_test_that_takes_all_memory(vehicle: Vehicle, depot: Depot) -> None:
    code = b"def main():\n    x = bytearray(900_000_000)\n"
    wheels = dict([make_wheel("wegewart", "x", {"little.py": code}, "wegewart-edge = little:main")])
    vehicle.proof = SelfTest(vehicle.home / "vehicle.toml", most_bytes=200_000_000)
    assert vehicle.install(depot.publish("2026.2.1", 2, wheels=wheels)) == 4
    assert_refused(vehicle, "selftest: exit status 1: MemoryError", for_good=True)


def test_an_older_release_unless_somebody_says_so(vehicle: Vehicle, depot: Depot) -> None:
    vehicle.install(depot.publish("2026.3.1", 3))
    older = depot.publish("2026.2.1", 2)
    assert vehicle.install(older) == 4
    assert vehicle.said.reason.startswith("rollback: 2026.2.1 (number 2) is older than 2026.3.1 (number 3)")
    assert vehicle.refused == {}
    assert vehicle.install(older, allow_older=True) == 0
    assert vehicle.current == "2026.2.1"


def test_a_release_for_another_board(vehicle: Vehicle, depot: Depot) -> None:
    assert vehicle.install(depot.publish("2026.2.1", 2, boards=("raspberry_pi_5",))) == 4
    assert_refused(vehicle, "wrong_hardware: 2026.2.1 is made for raspberry_pi_5, this is pc", for_good=False)


@pytest.mark.parametrize("variant", [{"machine": "aarch64" if MACHINE == "x86_64" else "x86_64"}, {"python": "3.99"}])
def test_a_release_for_another_machine_or_python(vehicle: Vehicle, depot: Depot, variant: dict[str, str]) -> None:
    depot.publish("2026.2.1", 2)
    made = msgspec.json.decode(depot.manifests["2026.2.1"], type=Release).variants[0]
    other = msgspec.structs.replace(made, **variant)
    assert vehicle.install(depot.publish("2026.2.1", 2, variants=(other,))) == 4
    assert_refused(vehicle, "wrong_hardware: 2026.2.1 is made for", for_good=False)


def test_a_disk_without_room(vehicle: Vehicle, depot: Depot) -> None:
    vehicle.free_bytes = lambda folder: 50 * 2**20
    depot.publish("2026.2.1", 2)
    vehicle.wish("2026.2.1")
    assert vehicle.install() == 4
    assert_refused(vehicle, "space: needs 64 MiB below", for_good=False)
    vehicle.free_bytes = lambda folder: 10**12
    assert vehicle.install() == 0, "the wish stands, and now there is room"


def test_room_that_is_enough_for_the_wheels_but_not_for_what_is_in_them(vehicle: Vehicle, depot: Depot) -> None:
    wheels = app_wheels("x") | dict([make_wheel("big", "1.0", {"big.bin": bytes(90 * 2**20)})])
    vehicle.free_bytes = lambda folder: 100 * 2**20
    assert vehicle.install(depot.publish("2026.2.1", 2, wheels=wheels)) == 4
    assert_refused(vehicle, "space: needs 154 MiB", for_good=False)


def test_a_disk_that_is_full_in_the_middle(vehicle: Vehicle, depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, wheels: object) -> NoReturn:
        folder.joinpath("half").write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))

    monkeypatch.setattr(build, "make_environment", full)
    assert vehicle.install(depot.publish("2026.2.1", 2)) == 4
    assert_refused(vehicle, "disk: [Errno 28] No space left on device", for_good=False)


def test_a_bundle_that_is_not_believed(vehicle: Vehicle, depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> NoReturn:
        raise UntrustedError("freeze", f"{folder}: nobody has vouched for it lately")

    updater = vehicle.updater()
    object.__setattr__(updater, "open_bundle", refuse)
    monkeypatch.setattr(vehicle, "updater", lambda: updater)
    assert vehicle.install(depot.publish("2026.2.1", 2)) == 4
    assert_refused(vehicle, "untrusted (freeze): ", for_good=False)


def test_a_wheel_that_is_not_what_its_record_says(vehicle: Vehicle, depot: Depot) -> None:
    name, content = make_wheel("needed", "1.0", {"needed.py": b"WORD = 1"})
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, b"WORD = 2" if entry == "needed.py" else old.read(entry))
    assert vehicle.install(depot.publish("2026.2.1", 2, wheels=app_wheels("x") | {name: changed.getvalue()})) == 4
    assert_refused(vehicle, "wheel: needed-1.0-py3-none-any.whl", for_good=True)


def test_a_wheel_that_is_none(vehicle: Vehicle, depot: Depot) -> None:
    wheels = app_wheels("x") | {"needed-1.0-py3-none-any.whl": b"PK no"}
    assert vehicle.install(depot.publish("2026.2.1", 2, wheels=wheels)) == 4
    assert_refused(vehicle, "wheel: needed-1.0-py3-none-any.whl: File is not a zip file", for_good=True)


def test_a_wheel_that_writes_elsewhere(vehicle: Vehicle, depot: Depot) -> None:
    wheels = app_wheels("x") | dict([make_wheel("evil", "1.0", {"../../../../../../evil.txt": b"x"})])
    assert vehicle.install(depot.publish("2026.2.1", 2, wheels=wheels)) == 4
    assert_refused(vehicle, "wheel: evil-1.0", for_good=True)
    assert list(vehicle.home.rglob("evil.txt")) == []


def test_two_wheels_with_one_file(vehicle: Vehicle, depot: Depot) -> None:
    wheels = app_wheels("x") | dict([make_wheel("other", "1.0", {"needed/__init__.py": b"WORD = 2\n"})])
    assert vehicle.install(depot.publish("2026.2.1", 2, wheels=wheels)) == 4
    assert_refused(vehicle, "File already exists", for_good=True)


def test_a_model_that_is_called_otherwise(vehicle: Vehicle, depot: Depot) -> None:
    name, content = model_tar("7", b"finds")
    assert vehicle.install(depot.publish("2026.2.1", 2, model=(name[:-15] + "00000000.tar.gz", content))) == 4
    assert_refused(vehicle, "its model.toml is", for_good=True)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("../evil", tarfile.REGTYPE),
        ("/evil", tarfile.REGTYPE),
        ("COMPLETE", tarfile.REGTYPE),
        ("evil", tarfile.SYMTYPE),
    ],
)
def test_a_model_package_with_something_else_in_it(vehicle: Vehicle, depot: Depot, path: str, kind: bytes) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo(path)
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    assert vehicle.install(depot.publish("2026.2.1", 2, model=("street-7-00000000.tar.gz", packed.getvalue()))) == 4
    assert_refused(vehicle, "which is no plain file", for_good=True)


@pytest.mark.parametrize("content", [b"", b"no archive", model_tar("7", bytes(5000))[1][:60]])
def test_a_model_package_that_cannot_be_unpacked(vehicle: Vehicle, depot: Depot, content: bytes) -> None:
    model = ("street-7-00000000.tar.gz", content or b"\0")
    assert vehicle.install(depot.publish("2026.2.1", 2, model=model)) == 4
    assert_refused(vehicle, "model: street-7-00000000:", for_good=True)


def test_a_manifest_whose_names_do_not_fit(vehicle: Vehicle, depot: Depot) -> None:
    _, content = model_tar("7", b"finds")
    assert vehicle.install(depot.publish("2026.2.1", 2, model=("lane-7-00000000.tar.gz", content))) == 4
    assert_refused(vehicle, "model: street 7 cannot be models/lane-7-00000000.tar.gz", for_good=True)


def test_the_running_release_stays_complete_when_a_bad_one_shares_its_parts(vehicle: Vehicle, depot: Depot) -> None:
    assert vehicle.install(depot.publish("2026.2.1", 2, app="2026.1.1", onnx=b"finds nothing")) == 4
    assert_refused(vehicle, "selftest", for_good=True)


def test_a_jetson_is_known_by_its_device_tree(tmp_path: Path) -> None:
    from edge.update.device import this_device

    tree = tmp_path / "model"
    for said, board in (
        ("Raspberry Pi 4 Model B Rev 1.5", "raspberry_pi_4"),
        ("Raspberry Pi 5 Model B Rev 1.0", "raspberry_pi_5"),
        ("Raspberry Pi Compute Module 5 Rev 1.0", "raspberry_pi_5"),
        ("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super", "jetson_orin_nano"),
        ("Banana", "Banana"),
    ):
        tree.write_bytes(said.encode() + b"\0")
        assert this_device(device_tree=tree) == Device(board, MACHINE, PYTHON)
    assert this_device(device_tree=tmp_path / "none").board == "pc"
    assert this_device("raspberry_pi_4", tree).board == "raspberry_pi_4"
