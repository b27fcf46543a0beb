# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles read at any moment, and publishing may be cut at any moment."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workshop.release.desk import DAYS, NOW, add, begin, keys, out, vehicle
from workshop.release import draft, publishing
from workshop.release.keys import Role
from workshop.release.store import Store

ROLES: tuple[Role, ...] = ("root", "targets", "snapshot", "timestamp")


def rotate_all(folder: Path, new: Path) -> None:
    for role in ROLES:
        store = Store(folder / "repo")
        old = store.root.signed.roles[role].keyids[0]
        draft.rotate(store, keys(new, folder / "keys"), NOW, DAYS, role, old=old)


def test_a_vehicle_that_reads_while_releases_and_keys_change_always_finds_a_whole_state(tmp_path: Path) -> None:
    begin(tmp_path)
    add(tmp_path, 1)
    out(tmp_path)
    stop, problems, looks = threading.Event(), list[BaseException](), [0]

    def read(*, fresh: bool) -> None:
        car = vehicle(tmp_path, "reader")
        try:
            while not stop.is_set():
                looks[0] += 1
                car = vehicle(tmp_path, f"reader-{looks[0]}") if fresh else car
                assert "2026.11.1" in car.look()
        except BaseException as error:  # noqa: BLE001  told to the test's own thread
            problems.append(error)

    readers = [threading.Thread(target=read, kwargs={"fresh": fresh}) for fresh in (True, False)]
    for reader in readers:
        reader.start()
    more: list[Path] = []
    try:
        for number in range(2, 12):
            add(tmp_path, number)
            if number % 3 == 0:
                more.append(tmp_path / f"keys-{number}")
                rotate_all(tmp_path, more[-1])
            out(tmp_path, *more)
            publishing.refresh(Store(tmp_path / "repo"), keys(tmp_path / "keys", *more), NOW, DAYS)
    finally:
        stop.set()
        for reader in readers:
            reader.join(60)
    if problems:
        raise problems[0]
    assert looks[0] > 5
    assert len(vehicle(tmp_path, "last").look()) == 11


def killed_before(step: int, work: Callable[[], object]) -> bool:
    """Do the work in a process that is killed before its n-th change of the disk; whether that happened."""
    child = os.fork()
    if child == 0:
        left = [step]

        def counted(original: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return original(*arguments, **named)

            return call

        os.fsync = counted(os.fsync)
        os.open = counted(os.open)  # type: ignore[assignment]
        Path.replace = counted(Path.replace)  # type: ignore[method-assign]
        Path.unlink = counted(Path.unlink)  # type: ignore[method-assign]
        try:
            work()
        except BaseException:  # noqa: BLE001  the child must not go on as a test
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), "publishing failed by itself"
    return status == signal.SIGKILL


@pytest.mark.parametrize("lost", [None, "timestamp"])
def test_a_cut_at_any_write_leaves_the_old_state_or_the_new_and_the_same_command_ends_it(
    tmp_path: Path, lost: Role | None
) -> None:
    origin = tmp_path / "origin"
    begin(origin)
    add(origin, 1)
    out(origin)
    vehicle(origin, "known").look()
    add(origin, 2)
    rotate_all(origin, origin / "new")
    with_keys = keys(origin / "keys", origin / "new")
    draft.sign(Store(origin / "repo"), with_keys)
    if lost is not None:
        next((origin / "keys").glob(f"{lost}-*.key")).unlink()
    step, cut = 0, True
    while cut:
        folder = tmp_path / "trial"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(origin, folder)

        def publish(folder: Path = folder) -> None:
            publishing.publish(Store(folder / "repo"), keys(folder / "keys", folder / "new"), NOW, DAYS)

        cut = killed_before(step, publish)
        if lost is None:
            for name in ("known", f"fresh-{step}"):
                assert vehicle(folder, name).look() in ({"2026.11.1"}, {"2026.11.1", "2026.11.2"})
        store = Store(folder / "repo")
        if store.draft_root() is not None or store.draft_targets() is not None:
            publish(folder)
        assert vehicle(folder, "known").look() == vehicle(folder, "new").look() == {"2026.11.1", "2026.11.2"}
        step += 1
    assert step > 15, "so many changes of the disk there are at least"


def test_a_cut_in_a_refresh_leaves_a_repository_that_is_believed(tmp_path: Path) -> None:
    begin(tmp_path)
    add(tmp_path, 1)
    out(tmp_path)

    def refresh() -> None:
        publishing.refresh(Store(tmp_path / "repo"), keys(tmp_path / "keys"), NOW, DAYS)

    step = 0
    while killed_before(step, refresh):
        assert vehicle(tmp_path).look() == {"2026.11.1"}
        step += 1
    assert step > 8
