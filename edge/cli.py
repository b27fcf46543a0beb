# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-edge`: the commands a technician or developer types on a vehicle or at a desk."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from edge import cli_doctor, cli_drive, cli_outbox, cli_selftest
from edge.errors import WegewartError

_EPILOG = """exit codes:
  0 done   1 other error   2 configuration or arguments   3 picture, video or track cannot be read
  4 model package refused   5 broker not there or login refused   6 outbox cannot be used
  7 the camera gave no more frames   8 inference, 9 store, 10 pipeline, 11 loop hung
  20 the computer should be booted   21 the computer should be switched off (ignition)"""
_EXIT_STALLED = 7

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    from edge.ports import CameraStalledError  # noqa: PLC0415 - numpy is slow to import, --help should not be

    try:
        result: int = options.command(options)
    except WegewartError as error:
        print(f"wegewart-edge: {error}", file=sys.stderr)
        return error.exit_code
    except CameraStalledError as error:
        print(f"wegewart-edge: {error}", file=sys.stderr)
        return _EXIT_STALLED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our lines has gone; nothing of ours is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wegewart-edge",
        description="Finds road and tunnel defects on a vehicle's camera and delivers them to the depot.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    cli_drive.add(commands)
    _add_tools(commands)
    return parser


def _add_tools(commands: Commands) -> None:
    simulate = commands.add_parser("simulate", help="render a test drive with its truth")
    simulate.add_argument("out", type=Path, help="new folder")
    simulate.add_argument("--seed", type=int, default=1, help="same seed, same drive (default: %(default)s)")
    simulate.add_argument("--km", type=float, default=0.5, help="length in kilometres (default: %(default)s)")
    simulate.add_argument("--speed-kmh", type=float, default=50.0, help="driving speed (default: %(default)s)")
    simulate.add_argument("--frame-every-m", type=float, default=2.0, help="metres per frame (default: %(default)s)")
    simulate.add_argument(
        "--scene", choices=["street", "tunnel", "mixed"], default="mixed", help="default: %(default)s"
    )
    simulate.add_argument("--stop-at-m", type=float, help="stand still here for 5 s")
    simulate.set_defaults(command=_simulate)

    _add_calibrate(commands)

    cli_outbox.add(commands)
    cli_doctor.add(commands)
    cli_selftest.add(commands)
    config = commands.add_parser("config", help="explain or check a configuration")
    actions = config.add_subparsers(required=True, metavar="ACTION")
    explain = actions.add_parser("explain", help="every key: meaning, unit, bounds, default, where its value came from")
    explain.add_argument("file", type=Path, nargs="?", help="show the values of this file")
    explain.set_defaults(command=_explain)
    check = actions.add_parser("check", help="check a file")
    check.add_argument("file", type=Path)
    check.set_defaults(command=_check)


def _add_calibrate(commands: Commands) -> None:
    calibrate = commands.add_parser("calibrate", help="find out about the camera's lens and how it sits on the vehicle")
    kinds = calibrate.add_subparsers(required=True, metavar="WHAT")

    board = kinds.add_parser("board", help="make a board to print")
    _add_board(board)
    board.add_argument("--dpi", type=float, default=300.0, help="dots per inch (default: %(default)g)")
    board.add_argument("--out", type=Path, required=True, metavar="FILE.pdf", help="PDF or PNG to write")
    board.set_defaults(command=_calibrate_board)

    lens = kinds.add_parser("intrinsics", help="focal length, middle and distortion from pictures of a board")
    lens.add_argument("source", type=Path, help="folder of pictures, or a video file")
    _add_board(lens)
    _add_result(lens, "lens")
    lens.set_defaults(command=_calibrate_lens)

    mount = kinds.add_parser("mount", help="height, pitch, roll and yaw from a straight drive, marks or a lane")
    mount.add_argument("source", type=Path, nargs="?", help="straight drive: folder of pictures, or a video file")
    mount.add_argument("--track", type=Path, help="GPX, NMEA log or CSV (default: track.csv in the folder)")
    mount.add_argument("--intrinsics", type=Path, metavar="FILE", help="the lens, from 'calibrate intrinsics'")
    mount.add_argument("--height-m", type=float, help="of the lens above the road, measured by hand")
    mount.add_argument("--points", type=Path, metavar="FILE.csv", help="marks on the ground: columns u,v,x_m,y_m")
    mount.add_argument("--lane", action="append", metavar="U1,V1,U2,V2", help="a line of a lane, pixels; twice")
    mount.add_argument("--lane-width-m", type=float, help="between the two lines")
    mount.add_argument("--roll-deg", type=float, default=0.0, help="with --lane: tilt, which it does not tell")
    mount.add_argument("--forward-m", type=float, default=0.0, help="camera ahead of the antenna (default: 0)")
    mount.add_argument("--left-m", type=float, default=0.0, help="camera to the left of the antenna (default: 0)")
    _add_result(mount, "mount")
    mount.set_defaults(command=_calibrate_mount)


def _add_board(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--board", choices=["charuco", "checkerboard"], default="charuco", help="default: %(default)s")
    parser.add_argument("--squares", default="11x8", help="columns x rows of squares (default: %(default)s)")
    parser.add_argument("--square-mm", type=float, default=30.0, help="side of a square (default: %(default)g)")
    parser.add_argument("--marker-mm", type=float, help="side of a marker (default: 73 %% of the square)")
    parser.add_argument("--dictionary", default="4X4_50", help="markers of ChArUco (default: %(default)s)")


def _add_result(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("--name", default=name, help="begins the calibration's id (default: %(default)s)")
    parser.add_argument("--date", metavar="YYYY-MM-DD", help="day of the calibration (default: today, UTC)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.toml", help="calibration file to write")


def _simulate(options: argparse.Namespace) -> int:
    from edge.simulator import simulate  # noqa: PLC0415

    progress: Callable[[int, int], None] | None = None
    if sys.stderr.isatty():

        def progress(done: int, total: int) -> None:
            print(f"\r{done}/{total} frames", end="" if done < total else "\n", file=sys.stderr, flush=True)

    started_s = time.monotonic()
    summary = simulate(
        options.out,
        seed=options.seed,
        km=options.km,
        speed_kmh=options.speed_kmh,
        frame_every_m=options.frame_every_m,
        scene=options.scene,
        stop_at_m=options.stop_at_m,
        progress=progress,
    )
    print(
        f"{options.out}: {summary.frames} frames, {summary.length_m:.0f} m, {sum(summary.defects.values())} defects "
        f"({sum(summary.clear_view.values())} in clear view), rendered in {time.monotonic() - started_s:.0f} s"
    )
    return 0


def _calibrate_board(options: argparse.Namespace) -> int:
    from edge.cli_calibrate import print_board  # noqa: PLC0415

    return print_board(options)


def _calibrate_lens(options: argparse.Namespace) -> int:
    from edge.cli_calibrate import lens  # noqa: PLC0415

    return lens(options)


def _calibrate_mount(options: argparse.Namespace) -> int:
    from edge.cli_calibrate import mount  # noqa: PLC0415

    return mount(options)


def _explain(options: argparse.Namespace) -> int:
    from edge.config import VehicleConfig, load_config  # noqa: PLC0415
    from settings import explain, read_tables  # noqa: PLC0415

    given = None
    if options.file is not None:
        load_config(options.file)
        given = read_tables(options.file)
    for line in explain(VehicleConfig, given):
        print(line)
    return 0


def _check(options: argparse.Namespace) -> int:
    from edge import assembly  # noqa: PLC0415
    from edge.config import load_calibration, load_config  # noqa: PLC0415

    config = load_config(options.file)
    if config.camera.calibration is not None:
        load_calibration(config.camera.calibration)
    # Reads the files of lines and areas.
    assembly.positioner(config)
    assembly.surroundings(config)
    print(f"{options.file}: in order")
    return 0
