# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`frames.csv`: when each picture of a folder was taken.

Columns `frame` (picture name or number) and `t_s` (seconds); others are left alone.
"""

from __future__ import annotations

import csv
import logging
import math
from pathlib import PurePath
from typing import TYPE_CHECKING

from edge.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)


def frame_key(name: str) -> str:
    """What a picture is looked up by: its name without folder and suffix; plain numbers without leading zeros."""
    stem = PurePath(name.strip()).stem
    return str(int(stem)) if stem.isascii() and stem.isdigit() and len(stem) < 20 else stem


def read_frame_times(folder: Path) -> dict[str, float] | None:
    """Seconds by picture name from `frames.csv` in the folder, or beside it where it is named `frames`.

    None where there is no such file.

    Raises:
        InputError: the file is there and cannot be used.
    """
    for path in (folder / "frames.csv", folder.parent / "frames.csv"):
        if path.is_file() and (path.parent == folder or folder.name == "frames"):
            return _read(path)
    return None


def _read(path: Path) -> dict[str, float]:
    times: dict[str, float] = {}
    bad: list[int] = []
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            rows = csv.DictReader(file)
            if not {"frame", "t_s"} <= set(rows.fieldnames or ()):
                raise InputError(f"{path}: line 1: needs the columns 'frame' and 't_s'")
            for row in rows:
                time_s = _seconds(row["t_s"])
                if time_s is None or not row["frame"] or row["frame"] in times:
                    bad.append(rows.line_num)
                else:
                    times[row["frame"]] = time_s
    except (OSError, csv.Error) as error:
        raise InputError(f"{path}: {error}; write it anew with the columns 'frame' and 't_s'") from None
    if not times:
        raise InputError(f"{path}: gives no picture a time; each line needs a name in 'frame' and seconds in 't_s'")
    if bad:
        _log.warning("%s: line %d: no time, or a picture named twice; %d such lines skipped", path, bad[0], len(bad))
    return times


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
