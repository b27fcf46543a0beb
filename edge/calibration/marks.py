# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Marks on the ground as a technician writes them down: a CSV with the columns u, v, x_m, y_m."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError

_COLUMNS = ("u", "v", "x_m", "y_m")
_MOST_BYTES = 100_000
#: A mark farther away is a mistake in the unit.
_MOST_M = 100.0


def read_marks(path: Path) -> NDArray[np.float64]:
    """N x 4: pixel (u to the right, v down), metres ahead of the antenna and to its left.

    Raises:
        InputError: one line that names file, line and reason.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path}: larger than {_MOST_BYTES} bytes, these are no marks")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no UTF-8 text") from None
    lines = text.splitlines()
    german = bool(lines) and ";" in lines[0]  # as spreadsheets there save it: semicolons, decimal commas
    rows = csv.DictReader(lines, delimiter=";" if german else ",", skipinitialspace=True)
    missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise InputError(f"{path}: column {', '.join(missing)} is missing; the first line must be u,v,x_m,y_m")
    marks = []
    for row in rows:
        values = [_number(row[name], german=german) for name in _COLUMNS]
        if not all(map(math.isfinite, values)) or max(map(abs, values[2:])) > _MOST_M:
            raise InputError(f"{path}: line {rows.line_num}: {row} is no mark; u, v are pixels, x_m, y_m metres")
        marks.append(values)
    return np.array(marks, dtype=np.float64).reshape(-1, 4)


def _number(text: str | None, *, german: bool) -> float:
    try:
        return float((text or "").replace(",", ".") if german else text or "")
    except ValueError:
        return math.nan
