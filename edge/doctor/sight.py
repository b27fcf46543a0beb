# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The camera's pictures, how it is mounted, and the models that judge them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress

from edge.assembly import MODELS
from edge.config import VehicleConfig, load_calibration
from edge.doctor.finding import Finding, Words
from edge.errors import ModelError, WegewartError
from edge.geometry import Calibration
from edge.ports import Camera, CameraStalledError, EndOfRecording
from edge.sampling.quality import Limits, Measures, measure, refuse
from edge.sampling.view import view
from edge.types import Frame
from edge.vision.detector import Detector
from edge.vision.package import MANIFEST, load_package

CAMERA = Words("Kamera", "camera")
MOUNT = Words("Einbau der Kamera", "camera mount")
MODEL = Words("Modell", "model")

#: Pictures that are looked at; the first ones, while exposure settles, are not.
_SETTLE, _PICTURES = 5, 10
#: Sharper than this many times the limit is well focused; below it the picture is still judged, but barely.
_COMFORT = 2.0
#: Road that must be in view, metres: less and a bus at 50 km/h has passed it between two looks.
_LEAST_VIEW_M = 4.0

_UNJUDGED = {
    "dark": Words("zu dunkel", "too dark"),
    "overexposed": Words("überbelichtet", "overexposed"),
    "blocked": Words("verdeckt oder ohne Zeichnung", "covered, or without any detail"),
    "blurred": Words("unscharf", "blurred"),
}
_DO = {
    "dark": Words("bei Tageslicht wiederholen; Objektivdeckel?", "repeat in daylight; lens cap?"),
    "overexposed": Words("nicht gegen die Sonne prüfen", "do not test against the sun"),
    "blocked": Words("Scheibe und Objektiv reinigen", "clean windscreen and lens"),
    "blurred": Words("Objektiv scharf stellen, Scheibe reinigen", "focus the lens, clean the windscreen"),
}


def check_camera(config: VehicleConfig, open_camera: Callable[[], Camera]) -> Iterator[Finding]:
    """Picture, exposure, sharpness; then whether the calibration fits these pictures."""
    try:
        with closing(open_camera()) as camera:
            frames = _frames(camera)
    except (WegewartError, CameraStalledError, OSError) as error:
        yield Finding(CAMERA, "bad", Words(str(error), str(error)), Words("Kabel, camera.kind", "cable, camera.kind"))
        return
    if not frames:
        yield Finding(CAMERA, "bad", Words("gibt kein Bild", "gives no picture"), Words("Kabel", "cable"))
        return
    yield _pictures(frames)
    yield check_mount(config, frames[-1])


def _frames(camera: Camera) -> list[Frame]:
    frames: list[Frame] = []
    with suppress(EndOfRecording):
        while len(frames) < _SETTLE + _PICTURES:
            frames.append(camera.read())
    return frames[_SETTLE:] or frames


def _pictures(frames: Sequence[Frame]) -> Finding:
    limits = Limits()
    measures = [measure(frame.picture, limits) for frame in frames]
    middle = Measures(
        **{
            name: statistics.median(getattr(one, name) for one in measures)
            for name in ("bright", "saturated", "contrast", "sharpness")
        }
    )
    height, width = frames[-1].picture.shape[:2]
    figures = {
        "width_px": width,
        "height_px": height,
        "bright": round(middle.bright, 1),
        "saturated_share": round(middle.saturated, 3),
        "sharpness": round(middle.sharpness, 3),
    }
    span_s = frames[-1].time_s - frames[0].time_s
    if span_s > 0:
        figures["frames_per_s"] = round((len(frames) - 1) / span_s, 1)
    told = f"{width}x{height}, {figures['sharpness']:.2f} / {limits.min_sharpness}"
    reason = refuse(middle, limits)
    if reason is not None:
        why = _UNJUDGED.get(reason, Words(reason, reason))
        return Finding(
            CAMERA,
            "bad",
            Words(f"Bild {why.de} ({told})", f"picture {why.en} ({told})"),
            _DO.get(reason, Words("Bild ansehen", "look at the picture")),
            figures,
        )
    if middle.sharpness < _COMFORT * limits.min_sharpness:
        return Finding(
            CAMERA, "warn", Words(f"wenig scharf ({told})", f"not very sharp ({told})"), _DO["blurred"], figures
        )
    return Finding(CAMERA, "ok", Words(f"hell und scharf ({told})", f"bright and sharp ({told})"), figures=figures)


def check_mount(config: VehicleConfig, frame: Frame) -> Finding:
    """Whether there is a calibration, of this picture size, that shows enough road."""
    if config.camera.calibration is None:
        return Finding(
            MOUNT,
            "warn",
            Words("nicht vermessen: Orte und Größen fehlen", "not calibrated: no places and sizes"),
            Words("wegewart-edge calibrate (Anleitung: Kamera vermessen)", "wegewart-edge calibrate (see the guide)"),
        )
    height, width = frame.picture.shape[:2]
    try:
        calibration = load_calibration(config.camera.calibration).scaled(width, height)
    except (WegewartError, ValueError) as error:
        return Finding(
            MOUNT, "bad", Words(str(error), str(error)), Words("Kamera neu vermessen", "calibrate the camera again")
        )
    return mounted(calibration, config.defects.max_range_m)


def mounted(calibration: Calibration, max_range_m: float) -> Finding:
    """What a calibration says of the way a camera hangs."""
    angles = f"{calibration.height_m:.2f} m, {calibration.pitch_deg:.1f} deg"
    figures = {"height_m": calibration.height_m, "pitch_deg": calibration.pitch_deg, "yaw_deg": calibration.yaw_deg}
    seen = view(calibration, max_range_m)
    if seen is None or seen.length_m < _LEAST_VIEW_M:
        length = 0.0 if seen is None else seen.length_m
        return Finding(
            MOUNT,
            "bad",
            Words(f"nur {length:.1f} m Straße im Bild ({angles})", f"only {length:.1f} m of road in view ({angles})"),
            Words("Kamera anders neigen, neu vermessen", "tilt the camera, calibrate again"),
            figures,
        )
    figures |= {"near_m": round(seen.near_m, 1), "far_m": round(seen.far_m, 1)}
    return Finding(
        MOUNT,
        "ok",
        Words(
            f"Straße von {seen.near_m:.1f} bis {seen.far_m:.1f} m im Bild ({angles})",
            f"road from {seen.near_m:.1f} to {seen.far_m:.1f} m in view ({angles})",
        ),
        figures=figures,
    )


def check_models(config: VehicleConfig) -> Iterator[Finding]:
    """Each model's hash and self-test, and how long one picture takes."""
    folder = config.vision.models or MODELS
    private = config.vision.privacy
    installed = private if private and (folder / private / MANIFEST).is_file() else None
    for name in filter(None, (config.vision.street, config.tunnel.model, installed)):
        try:
            package = load_package(folder / name, threads=config.vision.threads)
            detector = Detector(package, config.vision.threads)
        except ModelError as error:
            yield Finding(
                MODEL, "bad", Words(str(error), str(error)), Words("Modell neu aufspielen", "install the model again")
            )
            continue
        milliseconds = _pace_ms(detector)
        version = f"{package.manifest.name} {package.manifest.version}"
        yield Finding(
            MODEL,
            "ok",
            Words(
                f"{version}: Selbsttest bestanden, {milliseconds:.0f} ms je Bild",
                f"{version}: passes its self-test, {milliseconds:.0f} ms a picture",
            ),
            figures={"picture_ms": round(milliseconds, 1)},
        )


def _pace_ms(detector: Detector) -> float:
    from edge.vision.selftest import draw  # noqa: PLC0415 - only here

    picture, took = draw(1, 1280, 720), []
    for _ in range(5):
        began_s = time.perf_counter()
        detector.detect(picture)
        took.append(time.perf_counter() - began_s)
    return 1000 * statistics.median(took)
