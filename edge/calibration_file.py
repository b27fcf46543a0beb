# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files: what a camera's lens and mounting are, how well that is known, and how it was found.

Two kinds, both TOML with `format = 1`: the lens alone (`calibrate intrinsics`) and the mounted camera (`calibrate
mount`), which holds the lens too. A file without `format` is one from before there was this key.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct, json

from edge.errors import ConfigError
from edge.geometry import Calibration
from edge.lens import Intrinsics, Lens
from settings import SettingsError, load, read_tables

FORMAT = 1

_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}\Z")]
_Size = Annotated[int, Meta(ge=16, le=20_000)]
_Focal = Annotated[float, Meta(gt=1, le=1_000_000)]
_Centre = Annotated[float, Meta(ge=-20_000, le=40_000)]
_Bend = Annotated[float, Meta(ge=-100, le=100)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Pixels = Annotated[float, Meta(ge=0, le=1000)]
_ErrorDeg = Annotated[float, Meta(ge=0, le=20)]
_LENS = ("k1", "k2", "p1", "p2", "k3")
#: What a file says beside the numbers.
_ABOUT = ("format", "kind", "date", "method")


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What both kinds hold."""

    id: _Name
    width: _Size
    height: _Size
    fx: _Focal
    fy: _Focal
    cx: _Centre
    cy: _Centre
    k1: _Bend = 0.0
    k2: _Bend = 0.0
    p1: _Bend = 0.0
    p2: _Bend = 0.0
    k3: _Bend = 0.0
    focal_error_share: _Share = 0.0
    reprojection_px: _Pixels = 0.0
    format: int = FORMAT
    kind: str = ""
    date: dt.date | None = None
    method: Annotated[str, Meta(max_length=500)] = ""


class _IntrinsicsFile(_File, frozen=True):
    centre_error_px: _Pixels = 0.0


class _MountFile(_File, frozen=True):
    """Fields as in `edge.geometry.Calibration`."""

    height_m: Annotated[float, Meta(gt=0.1, le=10)]
    pitch_deg: Annotated[float, Meta(ge=-45, le=90)] = 0.0
    roll_deg: Annotated[float, Meta(ge=-45, le=45)] = 0.0
    yaw_deg: Annotated[float, Meta(ge=-180, le=180)] = 0.0
    forward_m: Annotated[float, Meta(ge=-30, le=30)] = 0.0
    left_m: Annotated[float, Meta(ge=-5, le=5)] = 0.0
    pitch_error_deg: Annotated[float, Meta(gt=0, le=20)] = 0.3
    mount_pitch_error_deg: _ErrorDeg = 0.0
    mount_yaw_error_deg: _ErrorDeg = 0.0
    mount_roll_error_deg: _ErrorDeg = 0.0
    height_error_m: Annotated[float, Meta(ge=0, le=10)] = 0.0


def load_calibration(path: Path) -> Calibration:
    """Read the file of a mounted camera.

    Raises:
        ConfigError: one line that names file, key and reason.
    """
    values = _load(path, _MountFile, "mount")
    return Calibration(**values)


def load_intrinsics(path: Path) -> Intrinsics:
    """Read the file of a lens.

    Raises:
        ConfigError: one line that names file, key and reason.
    """
    values = _load(path, _IntrinsicsFile, "intrinsics")
    lens = Lens(**{name: values.pop(name) for name in _LENS})
    return Intrinsics(lens=lens, **values)


def calibration_text(calibration: Calibration, *, method: str = "", date: dt.date | None = None) -> str:
    """A mounted camera as the text of its file; `load_calibration` reads it back."""
    values = {name: getattr(calibration, name) for name in _keys(_MountFile)}
    return _text("mount", "edge.geometry.Calibration", values, method, date)


def intrinsics_text(intrinsics: Intrinsics, *, method: str = "", date: dt.date | None = None) -> str:
    """A lens as the text of its file; `load_intrinsics` reads it back."""
    values = {name: getattr(intrinsics.lens if name in _LENS else intrinsics, name) for name in _keys(_IntrinsicsFile)}
    return _text("intrinsics", "edge.lens.Intrinsics", values, method, date)


_Named = TypeVar("_Named", Calibration, Intrinsics)


def named(found: _Named, name: str, date: dt.date) -> _Named:
    """The same with the id NAME-YYYYMMDD-HASH; the hash is over what it says, so that two never share an id."""
    content = repr(replace(found, id=""))
    return replace(found, id=f"{name}-{date:%Y%m%d}-{hashlib.sha256(content.encode()).hexdigest()[:6]}")


def _load(path: Path, kind: type[_File], name: str) -> dict[str, Any]:
    try:
        tables = read_tables(path)
        # Asked first: the keys of a newer format are not the mistake.
        if (number := tables.get("format", FORMAT)) != FORMAT:
            raise ConfigError(f"{path}: format: {number!r} is not known here, only {FORMAT}; update this software")
        if (other := tables.get("kind", name)) != name:
            raise ConfigError(f"{path}: kind: is a file of {other!r}, here one of {name!r} is needed")
        values = load(path, kind)
    except SettingsError as error:
        raise ConfigError(str(error)) from None
    return {key: getattr(values, key) for key in _keys(kind)}


def _keys(kind: type[_File]) -> list[str]:
    """The keys that are numbers (and the id), what both kinds hold first."""
    return [key for key in dict.fromkeys(_File.__struct_fields__ + kind.__struct_fields__) if key not in _ABOUT]


def _text(kind: str, meaning: str, values: dict[str, Any], method: str, date: dt.date | None) -> str:
    lines = [f"# {meaning} says what each key means.", f"format = {FORMAT}", f'kind = "{kind}"']
    lines += [f"date = {date.isoformat()}"] if date else []
    lines += [f"method = {_toml(method)}"] if method else []
    return "\n".join(lines + [f"{key} = {_toml(value)}" for key, value in values.items()]) + "\n"


def _toml(value: str | float) -> str:
    if isinstance(value, str):
        return json.encode(value).decode()
    return str(value) if isinstance(value, int) else repr(float(value))
