# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-edge`: the commands a technician or developer types on a vehicle or at a desk."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from edge import cli_outbox
from edge.errors import BrokerError, ConfigError, InputError, WegewartError

if TYPE_CHECKING:
    from edge.config import VehicleConfig
    from edge.keeper import Keeper

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

    _add_driving(commands)
    _add_tools(commands)
    return parser


def _add_driving(commands: Commands) -> None:
    run = commands.add_parser("run", help="drive: the daemon, as systemd starts it")
    run.add_argument("--config", type=Path, required=True, metavar="FILE", help="the vehicle's configuration (TOML)")
    run.set_defaults(command=_run)

    replay = commands.add_parser("replay", help="the same on a recording: picture folder or video")
    replay.add_argument("source", type=Path, help="folder of pictures, or a video file")
    replay.add_argument("--track", type=Path, help="GPX, NMEA log or CSV (default: track.csv in the folder)")
    replay.add_argument("--lines", type=Path, metavar="FILE", help="known lines with chainage: GeoJSON or CSV")
    replay.add_argument("--calibration", type=Path, help="camera calibration (default: calibration.toml in the folder)")
    target = replay.add_mutually_exclusive_group()
    target.add_argument("--broker", metavar="URL", help="mqtt://[user[:password]@]host[:port], mqtts:// for TLS")
    target.add_argument("--out", type=Path, metavar="FILE.jsonl", help="write events here, one per line")
    replay.add_argument("--data", type=Path, help="folder of the outbox (default: below ~/.local/state/wegewart)")
    replay.add_argument("--vehicle", default="replay", help="vehicle's name (default: %(default)s)")
    replay.add_argument(
        "--every-m", type=float, default=2.0, help="metres between judged frames (default: %(default)s)"
    )
    replay.add_argument("--pace", type=float, default=0.0, help="times real speed; 0: as fast as judged (default)")
    replay.add_argument("--drain-s", type=float, default=30.0, help="seconds to wait for acknowledgements at the end")
    replay.add_argument(
        "--wait-s", type=float, default=10.0, help="seconds to wait for the broker (default: %(default)s)"
    )
    _add_model(replay)
    replay.set_defaults(command=_replay)

    detect = commands.add_parser("detect", help="judge single pictures")
    detect.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    detect.add_argument("--json", action="store_true", help="one JSON line per picture (default: one line of text)")
    _add_model(detect)
    detect.set_defaults(command=_detect)


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


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="street", help="model package: a name or a folder (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads of the inference (default: %(default)s)")


def _run(options: argparse.Namespace) -> int:
    from edge.config import load_config  # noqa: PLC0415
    from edge.keeper import Keeper  # noqa: PLC0415
    from edge.life.exits import REBOOT  # noqa: PLC0415

    config = load_config(options.config)
    keeper = Keeper(config)
    if keeper.life.start.reboot:
        print("wegewart-edge: several runs in a row failed: asks for a boot of the computer", file=sys.stderr)
        return REBOOT
    return _drive(config, keeper)


def _drive(config: VehicleConfig, keeper: Keeper) -> int:
    from edge.daemon import Daemon  # noqa: PLC0415
    from edge.ports import CameraStalledError  # noqa: PLC0415
    from edge.uplinks import open_uplink  # noqa: PLC0415

    daemon = Daemon(config, lambda models, calibration: open_uplink(config, models, calibration), keeper=keeper)
    _stop_on_signals(daemon.stop)
    try:
        summary = daemon.run()
    except CameraStalledError as error:
        print(f"wegewart-edge: {error}", file=sys.stderr)
        return keeper.life.stalled("camera", str(error))
    except ConfigError:
        keeper.life.ended()  # a person has to look: neither restarts nor boots help
        raise
    except Exception as error:
        keeper.life.crashed(f"{type(error).__name__}: {error}")
        raise
    keeper.life.ended()
    print(json.dumps(summary.as_dict()), flush=True)
    return keeper.exit_code()


def _replay(options: argparse.Namespace) -> int:
    from msgspec.structs import replace  # noqa: PLC0415

    from edge import config as c  # noqa: PLC0415
    from edge.daemon import Daemon  # noqa: PLC0415
    from edge.uplinks import open_jsonl, open_uplink  # noqa: PLC0415
    from messages.topics import is_vehicle_name  # noqa: PLC0415

    if not is_vehicle_name(options.vehicle):
        raise ConfigError(f"--vehicle {options.vehicle!r}: use lower-case letters, digits and hyphens, 63 at most")
    for name, low, high in (
        ("every_m", 0.01, 50),
        ("pace", 0, 100),
        ("drain_s", 0, 3600),
        ("wait_s", 0, 3600),
        ("threads", 1, 64),
    ):
        if not low <= getattr(options, name) <= high:
            raise ConfigError(f"--{name.replace('_', '-')} {getattr(options, name)}: must be from {low} to {high}")
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "wegewart" / options.vehicle
    models, model = _model_place(options.model)
    config = c.VehicleConfig(
        vehicle=options.vehicle,
        camera=c.CameraConfig(
            kind="replay", source=str(options.source), calibration=options.calibration, pace=options.pace
        ),
        position=c.PositionConfig(kind="replay", track=options.track),
        line=c.LineConfig(file=options.lines),
        sampling=c.SamplingConfig(every_m=options.every_m),
        vision=c.VisionConfig(models=models, street=model, threads=options.threads),
        delivery=c.DeliveryConfig(data=options.data or state, drain_s=options.drain_s, health_s=2.0),
    )
    refusals: list[BrokerError] = []
    stop = threading.Event()

    def refused(error: BrokerError) -> None:
        refusals.append(error)
        stop.set()

    if options.broker:
        daemon = Daemon(
            config,
            lambda models, calibration: open_uplink(
                config, models, calibration, url=options.broker, on_fatal=refused, wait_s=options.wait_s
            ),
            stop=stop,
        )
    else:
        out = options.out
        daemon = Daemon(
            replace(config, delivery=replace(config.delivery, drain_s=0.0)),
            lambda _models, _calibration: open_jsonl(options.vehicle, out),
            stop=stop,
        )
    _stop_on_signals(stop)
    summary = daemon.run()
    if refusals:
        raise refusals[0]
    print(json.dumps(summary.as_dict()), file=sys.stdout if options.broker or options.out else sys.stderr, flush=True)
    return 0


def _detect(options: argparse.Namespace) -> int:
    from edge.assembly import MODELS  # noqa: PLC0415
    from edge.cameras.pictures import load_picture  # noqa: PLC0415
    from edge.vision.detector import Detector  # noqa: PLC0415
    from edge.vision.package import load_package  # noqa: PLC0415

    models, name = _model_place(options.model)
    detector = Detector(load_package((models or MODELS) / name, threads=options.threads), options.threads)
    unreadable = 0
    for image in options.images:
        picture, problem = load_picture(image)
        if picture is None:
            print(f"wegewart-edge: {image}: {problem}; left out", file=sys.stderr)
            unreadable += 1
            continue
        height, width = picture.shape[:2]
        found = [
            {"class": d.label, "score": round(d.score, 4), "box": [round(v, 1) for v in d.box]}
            for d in detector.detect(picture)
        ]
        if options.json:
            print(json.dumps({"image": str(image), "width": width, "height": height, "detections": found}), flush=True)
        else:
            told = ", ".join(f"{d['class']} {d['score']:.2f}" for d in found) or "nothing found"
            print(f"{image} ({width}x{height}): {told}", flush=True)
    if unreadable:
        raise InputError(f"{unreadable} of {len(options.images)} pictures could not be read")
    return 0


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


def _model_place(model: str) -> tuple[Path | None, str]:
    """A package's name, or the path of its folder, as folder and name."""
    path = Path(model)
    return (path.parent, path.name) if os.sep in model else (None, model)


def _stop_on_signals(stop: threading.Event) -> None:
    """SIGTERM (systemd) and SIGINT end the drive cleanly."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
