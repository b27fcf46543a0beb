# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The way of a release on a small vehicle: real wheels, real environments, a little daemon."""

from __future__ import annotations

import stat

import pytest

from edge.update import recover
from edge.update.install import BusyError
from tests.update.world import Depot, Vehicle


def test_the_first_release_is_active_at_once_and_its_program_starts(vehicle: Vehicle) -> None:
    assert (vehicle.current, vehicle.said.state, vehicle.said.running) == ("2026.1.1", "active", "2026.1.1")
    assert vehicle.starts() == "2026.1.1"
    assert vehicle.layout.updater.resolve().name == "2026.1.1"
    assert (vehicle.layout.own / "recover.py").is_file()


def test_a_wish_that_was_fetched_becomes_active_after_a_trial(vehicle: Vehicle, depot: Depot) -> None:
    depot.publish("2026.2.1", 2)
    vehicle.wish("2026.2.1")
    assert vehicle.install() == 0
    assert (vehicle.current, vehicle.said.state, vehicle.starts()) == ("2026.2.1", "active", "2026.2.1")
    assert vehicle.daemon.release() == "2026.2.1"
    assert vehicle.daemon.restarts_asked == 1
    assert vehicle.layout.updater.resolve().name == "2026.2.1"
    assert not vehicle.layout.journal.exists()
    assert vehicle.install() == 0
    assert vehicle.lines[-1] == "nothing to do, 2026.2.1 runs"


def test_on_trial_the_updater_still_runs_from_the_last_confirmed_release(vehicle: Vehicle, depot: Depot) -> None:
    seen = []

    def look(seconds: float) -> None:
        vehicle.daemon.now_s += seconds
        seen.append((vehicle.current, vehicle.layout.updater.resolve().name, vehicle.said.state))

    vehicle.daemon.pause = look  # type: ignore[method-assign]
    vehicle.install(depot.publish("2026.2.1", 2))
    assert set(seen) == {("2026.2.1", "2026.1.1", "pending")}


def test_nothing_wanted_is_nothing_to_do(vehicle: Vehicle) -> None:
    assert vehicle.install() == 0
    assert vehicle.daemon.restarts_asked == 0


def test_a_wish_that_is_not_fetched_yet_waits(vehicle: Vehicle, depot: Depot) -> None:
    depot.publish("2026.2.1", 2)
    vehicle.wish("2026.2.1", fetched=False)
    assert vehicle.install() == 0
    assert vehicle.current == "2026.1.1"
    assert "not fetched yet" in vehicle.lines[-1]


def test_it_waits_until_the_vehicle_is_parked(vehicle: Vehicle, depot: Depot) -> None:
    vehicle.daemon.standing = False
    depot.publish("2026.2.1", 2)
    vehicle.wish("2026.2.1")
    assert vehicle.install() == 3
    assert (vehicle.current, vehicle.said.state, vehicle.said.release) == ("2026.1.1", "staged", "2026.2.1")
    assert vehicle.install() == 3
    vehicle.daemon.standing = True
    assert vehicle.install() == 0
    assert vehicle.current == "2026.2.1"


def test_somebody_at_the_device_need_not_wait(vehicle: Vehicle, depot: Depot) -> None:
    vehicle.daemon.standing = False
    stick = depot.publish("2026.2.1", 2)
    assert vehicle.install(stick) == 3
    assert vehicle.install(stick, now=True) == 0
    assert vehicle.current == "2026.2.1"


def test_what_a_stick_brought_is_installed_later_without_the_stick(vehicle: Vehicle, depot: Depot) -> None:
    depot.publish("2026.1.5", 5)
    vehicle.wish("2026.1.1")
    vehicle.daemon.standing = False
    assert vehicle.install(depot.publish("2026.2.1", 2)) == 3
    depot.manifests.clear()
    vehicle.daemon.standing = True
    assert vehicle.boot()
    assert vehicle.install() == 0
    assert vehicle.current == "2026.2.1"


def test_a_wish_that_was_granted_does_not_come_up_again_after_a_release_by_hand(vehicle: Vehicle, depot: Depot) -> None:
    depot.publish("2026.2.1", 2)
    vehicle.wish("2026.2.1")
    vehicle.install()
    assert vehicle.install(depot.publish("2026.3.1", 3)) == 0
    assert vehicle.install() == 0
    assert (vehicle.current, vehicle.said.release, vehicle.said.state) == ("2026.3.1", "2026.3.1", "active")
    vehicle.wish("2026.2.1")
    assert vehicle.install() == 4, "asked for anew, it is answered anew: it is older"
    assert vehicle.said.reason.startswith("rollback: ")
    assert vehicle.install() == 0


def test_a_new_wish_replaces_one_that_is_staged(vehicle: Vehicle, depot: Depot) -> None:
    vehicle.daemon.standing = False
    for number, name in ((2, "2026.2.1"), (3, "2026.3.1")):
        depot.publish(name, number)
        vehicle.wish(name)
        assert vehicle.install() == 3
    vehicle.daemon.standing = True
    assert vehicle.install() == 0
    assert vehicle.current == "2026.3.1"


def test_a_release_with_only_a_new_model_builds_no_application(vehicle: Vehicle, depot: Depot) -> None:
    before = {app.name: app.stat().st_mtime_ns for app in vehicle.layout.apps.iterdir()}
    assert vehicle.install(depot.publish("2026.2.1", 2, app="2026.1.1", onnx=b"finds more")) == 0
    assert {app.name: app.stat().st_mtime_ns for app in vehicle.layout.apps.iterdir()} == before
    assert (vehicle.layout.current / "models" / "street" / "model.onnx").read_bytes() == b"finds more"
    assert vehicle.starts() == "2026.1.1"


def test_nothing_in_a_complete_folder_is_ever_touched(vehicle: Vehicle, depot: Depot) -> None:
    def photograph() -> dict[str, tuple[int, int]]:
        folders = (vehicle.layout.releases, vehicle.layout.apps, vehicle.layout.models)
        return {
            str(path): (path.lstat().st_mtime_ns, path.lstat().st_size)
            for top in folders
            for path in top.glob("*/**/*")
        }

    before = photograph()
    vehicle.install(depot.publish("2026.2.1", 2))
    assert before.items() <= photograph().items()


def test_everybody_may_read_and_run_what_was_built(vehicle: Vehicle) -> None:
    for path in vehicle.layout.root.glob("**/*"):
        wanted = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
        if path.name != "lock" and not path.is_symlink():
            assert path.stat().st_mode & wanted == wanted, path
            assert not path.stat().st_mode & stat.S_IWOTH, path


def test_old_releases_go_and_those_that_are_needed_stay(vehicle: Vehicle, depot: Depot) -> None:
    for number in range(2, 7):
        assert vehicle.install(depot.publish(f"2026.{number}.1", number)) == 0
    names = {release.name for release in vehicle.layout.releases.iterdir()}
    assert names == {"2026.6.1", "2026.5.1", "2026.4.1"}
    assert len(list(vehicle.layout.apps.iterdir())) == 3
    assert len(list(vehicle.layout.models.iterdir())) == 1
    hashes = {file.name for file in vehicle.layout.cache.iterdir()}
    assert len(hashes) == 3 + 1 + 1, "three applications, what they need, and the model"
    assert vehicle.starts() == "2026.6.1"


def test_the_release_before_stays_whatever_its_number_is(vehicle: Vehicle, depot: Depot) -> None:
    for number in range(2, 5):
        vehicle.install(depot.publish(f"2026.{number}.1", number))
    assert vehicle.install(depot.publish("2026.1.9", 1, app="old"), allow_older=True) == 0
    assert "2026.4.1" in {release.name for release in vehicle.layout.releases.iterdir()}


def test_two_updaters_do_not_work_at_once(vehicle: Vehicle, depot: Depot) -> None:
    updater = vehicle.updater()
    with updater._alone(), pytest.raises(BusyError):
        vehicle.install()


def test_a_daemon_that_still_runs_the_old_release_is_restarted(vehicle: Vehicle, depot: Depot) -> None:
    # The updater was killed between the switch and the restart.
    vehicle.install(depot.publish("2026.2.1", 2))
    vehicle.daemon.running.write_text("2026.1.1")
    vehicle.install()
    assert vehicle.daemon.release() == "2026.2.1"


def test_an_asked_restart_is_not_needed_where_nothing_changed(vehicle: Vehicle) -> None:
    vehicle.install()
    assert vehicle.daemon.restarts_asked == 0


def test_one_name_for_two_releases_is_refused(vehicle: Vehicle, depot: Depot) -> None:
    vehicle.daemon.standing = False
    vehicle.install(depot.publish("2026.2.1", 2))
    recover.perform(vehicle.layout.root, recover.Note(None))
    assert vehicle.install(depot.publish("2026.2.1", 2, app="other")) == 4
    assert "other content" in vehicle.said.reason
