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
from typing import TypeAlias

from edge.errors import BrokerError, ConfigError, InputError, WegewartError

_EPILOG = """exit codes:
  0 done   1 other error   2 configuration or arguments   3 picture, video or track cannot be read
  4 model package refused   5 broker not there or login refused   6 outbox cannot be used
  7 the camera gave no more frames"""
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

    calibrate = commands.add_parser("calibrate", help="find out how the camera sits on the vehicle")
    kinds = calibrate.add_subparsers(required=True, metavar="WHAT")
    mount = kinds.add_parser("mount", help="pitch, yaw and focal length from a recording of a straight drive")
    mount.add_argument("source", type=Path, help="folder of pictures, or a video file")
    mount.add_argument("--track", type=Path, help="GPX, NMEA log or CSV (default: track.csv in the folder)")
    mount.add_argument("--height-m", type=float, required=True, help="of the camera above the road, measured by hand")
    mount.add_argument("--name", default="mount", help="the calibration's name in observations (default: %(default)s)")
    mount.add_argument("--out", type=Path, required=True, metavar="FILE.toml", help="calibration file to write")
    mount.set_defaults(command=_calibrate_mount)

    config = commands.add_parser("config", help="explain or check a configuration")
    actions = config.add_subparsers(required=True, metavar="ACTION")
    explain = actions.add_parser("explain", help="every key: meaning, unit, bounds, default, where its value came from")
    explain.add_argument("file", type=Path, nargs="?", help="show the values of this file")
    explain.set_defaults(command=_explain)
    check = actions.add_parser("check", help="check a file")
    check.add_argument("file", type=Path)
    check.set_defaults(command=_check)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="street", help="model package: a name or a folder (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads of the inference (default: %(default)s)")


def _run(options: argparse.Namespace) -> int:
    from edge.config import load_config  # noqa: PLC0415
    from edge.daemon import Daemon  # noqa: PLC0415
    from edge.uplinks import open_uplink  # noqa: PLC0415

    config = load_config(options.config)
    daemon = Daemon(config, lambda model, calibration: open_uplink(config, model, calibration))
    _stop_on_signals(daemon.stop)
    summary = daemon.run()
    print(json.dumps(summary.as_dict()), flush=True)
    return 0


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
            lambda model, calibration: open_uplink(
                config, model, calibration, url=options.broker, on_fatal=refused, wait_s=options.wait_s
            ),
            stop=stop,
        )
    else:
        out = options.out
        daemon = Daemon(
            replace(config, delivery=replace(config.delivery, drain_s=0.0)),
            lambda _model, _calibration: open_jsonl(options.vehicle, out),
            stop=stop,
        )
    _stop_on_signals(stop)
    summary = daemon.run()
    if refusals:
        raise refusals[0]
    print(json.dumps(summary.as_dict()), file=sys.stdout if options.broker or options.out else sys.stderr, flush=True)
    return 0


def _detect(options: argparse.Namespace) -> int:
    from edge.cameras.pictures import load_picture  # noqa: PLC0415
    from edge.daemon import MODELS  # noqa: PLC0415
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


def _calibrate_mount(options: argparse.Namespace) -> int:
    from edge.config import calibration_text  # noqa: PLC0415
    from edge.sources import mount_from_drive, recorded_track  # noqa: PLC0415

    if not 0.1 < options.height_m <= 10:
        raise ConfigError(f"--height-m {options.height_m}: must be above 0.1 and at most 10")
    track = recorded_track(options.source, options.track)
    found = mount_from_drive(options.source, track, options.height_m, name=options.name)
    if found is None:
        raise InputError(
            f"{options.source}: the mounting cannot be found from this recording; it needs a track or odometry and at"
            " least 100 m straight ahead on a road with visible texture, by day"
        )
    try:
        options.out.write_text(calibration_text(found), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{options.out}: cannot be written: {error.strerror}") from None
    print(
        f"{options.out}: focal length {found.fx:.0f} px, pitch {found.pitch_deg:.1f} deg, yaw {found.yaw_deg:.1f} deg"
    )
    return 0


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
    from edge.config import load_calibration, load_config  # noqa: PLC0415

    config = load_config(options.file)
    if config.camera.calibration is not None:
        load_calibration(config.camera.calibration)
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
