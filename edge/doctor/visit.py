# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The order in which a vehicle is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edge.config import VehicleConfig
from edge.doctor import computer, place, sight
from edge.doctor.finding import Finding, Words
from edge.life.board import Board
from edge.ports import Camera
from edge.sources import open_camera

#: How long sensors get to speak.
WAIT_S = 20.0
_RUNNING = ("active", "activating", "reloading")


def visit(
    config: VehicleConfig,
    *,
    quick: bool = False,
    wait_s: float = WAIT_S,
    board: Board | None = None,
    ask_systemd: Callable[[], str | None] = computer.ask_systemd,
    camera: Callable[[VehicleConfig], Camera] = open_camera,
) -> Iterator[Finding]:
    """All findings, each as soon as it is there.

    Args:
        config: of the vehicle.
        quick: only what does not disturb a running daemon and takes no time.
        wait_s: how long sensors get to speak.
        board: sysfs.
        ask_systemd: state of the daemon's unit.
        camera: opens it.
    """
    running = ask_systemd() in _RUNNING
    yield from computer.check_service(ask_systemd)
    yield from computer.check_board(config, board or Board())
    yield from computer.check_disk(config)
    yield from place.check_clock()
    if quick:
        return
    yield from sight.check_models(config)
    if running:
        busy = Words("gehört dem laufenden Dienst", "belongs to the running service")
        stop = Words(
            "sudo systemctl stop wegewart-edge, dann noch einmal", "sudo systemctl stop wegewart-edge, then again"
        )
        yield Finding(sight.CAMERA, "skip", busy, stop)
        yield from place.check_sky(config.position, wait_s=wait_s)
    else:
        yield from sight.check_camera(config, lambda: camera(config))
        yield from place.check_sky(config.position, wait_s=wait_s)
        yield from place.check_sensors(config, wait_s=wait_s)
    yield from computer.check_login(config)
