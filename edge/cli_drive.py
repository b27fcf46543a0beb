# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-edge run`, `replay` and `detect`: drive, drive along a recording, judge single pictures."""

from __future__ import annotations

import argparse
import base64
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from edge.errors import BrokerError, ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config import VehicleConfig
    from edge.keeper import Keeper
    from edge.privacy.guard import Guard
    from edge.types import Box, Detection, Picture

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


def add(commands: Commands) -> None:
    """Add the commands."""
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
    detect.add_argument(
        "--safe", action="store_true", help="with --json: each defect's anonymised crop, as a vehicle sends it (base64)"
    )
    detect.add_argument(
        "--keep", metavar="X1,Y1,X2,Y2", help="with --safe: also a crop around this box, in shares of width and height"
    )
    detect.add_argument(
        "--blocks",
        type=int,
        default=40,
        help="with --safe: mosaic blocks in the picture's width (default: %(default)s)",
    )
    detect.add_argument(
        "--privacy",
        default="privacy",
        help="with --safe: package of the model that finds people and vehicles, beside --model where that is a folder "
        "(default: %(default)s, where it is installed; empty: none)",
    )
    _add_model(detect)
    detect.set_defaults(command=_detect)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="street", help="model package: a name or a folder (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads of the inference (default: %(default)s)")


def _run(options: argparse.Namespace) -> int:
    from edge.config import load_config  # noqa: PLC0415
    from edge.keeper import Keeper  # noqa: PLC0415
    from edge.last_good import keep  # noqa: PLC0415
    from edge.life.exits import REBOOT  # noqa: PLC0415

    config = load_config(options.config)
    keep(options.config, config.delivery.data)
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
    from edge.cameras.pictures import load_picture  # noqa: PLC0415
    from edge.privacy.guard import Guard  # noqa: PLC0415
    from edge.release import delivered_models  # noqa: PLC0415
    from edge.vision.detector import Detector  # noqa: PLC0415
    from edge.vision.installed import installed  # noqa: PLC0415
    from edge.vision.package import load_package  # noqa: PLC0415

    keep = _box(options.keep)
    if not 4 <= options.blocks <= 200:
        raise ConfigError(f"--blocks {options.blocks}: must be from 4 to 200")
    models, name = _model_place(options.model)
    detector = Detector(load_package((models or delivered_models()) / name, threads=options.threads), options.threads)
    # Not what assembles a vehicle: that loads the network's libraries, which the depot's cage does not have.
    privacy = installed(models or delivered_models(), options.privacy, options.threads) if options.safe else None
    guard = Guard(privacy)
    unreadable = 0
    for image in options.images:
        picture, problem = load_picture(image)
        if picture is None:
            print(f"wegewart-edge: {image}: {problem}; left out", file=sys.stderr)
            unreadable += 1
            continue
        height, width = picture.shape[:2]
        detections = detector.detect(picture)
        found: list[dict[str, Any]] = [
            {"class": d.label, "score": round(d.score, 4), "box": [round(v, 1) for v in d.box]} for d in detections
        ]
        if options.json:
            told: dict[str, Any] = {"image": str(image), "width": width, "height": height, "detections": found}
            if options.safe:
                told |= _safe(picture, detections, found, keep, options.blocks, guard=guard)
            print(json.dumps(told), flush=True)
        else:
            text = ", ".join(f"{d['class']} {d['score']:.2f}" for d in found) or "nothing found"
            print(f"{image} ({width}x{height}): {text}", flush=True)
    if unreadable:
        raise InputError(f"{unreadable} of {len(options.images)} pictures could not be read")
    return 0


def _safe(
    picture: Picture,
    detections: Sequence[Detection],
    found: list[dict[str, Any]],
    keep: Box | None,
    blocks: int,
    *,
    guard: Guard,
) -> dict[str, Any]:
    """Adds `safe` to each defect in `found`, and gives `kept` for the box that is asked for."""
    from edge.privacy.anonymise import PRIVATE_LABELS, PrivacySettings, anonymise  # noqa: PLC0415

    settings = PrivacySettings(block_share=1 / blocks)
    private = guard.private(picture, [d for d in detections if d.label in PRIVATE_LABELS])

    def crop(box: Box) -> dict[str, Any]:
        safe = anonymise(picture, box, private, settings, horizon_row=None)
        return {
            "jpeg": base64.b64encode(safe.jpeg).decode(),
            "width": safe.width,
            "height": safe.height,
            "box": safe.box,
            "anonymised": msgspec.to_builtins(safe.anonymised),
        }

    for told, detection in zip(found, detections, strict=True):
        if detection.label not in PRIVATE_LABELS:
            told["safe"] = crop(detection.box)
    if keep is None:
        return {}
    height, width = picture.shape[:2]
    return {"kept": crop((keep[0] * width, keep[1] * height, keep[2] * width, keep[3] * height))}


def _box(text: str | None) -> Box | None:
    """Raises ConfigError."""
    if text is None:
        return None
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
    except ValueError:
        x1 = y1 = x2 = y2 = -1.0
    if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
        raise ConfigError(f"--keep {text}: four shares from 0 to 1 are wanted: left,top,right,bottom")
    return x1, y1, x2, y2


def _model_place(model: str) -> tuple[Path | None, str]:
    """A package's name, or the path of its folder, as folder and name."""
    path = Path(model)
    return (path.parent, path.name) if os.sep in model else (None, model)


def _stop_on_signals(stop: threading.Event) -> None:
    """SIGTERM (systemd) and SIGINT end the drive cleanly."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
