# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The shipped package, and copies of it that are broken on purpose."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

STREET = Path(__file__).resolve().parents[2] / "models" / "street"


def copy_of_street(folder: Path, change: Callable[[str], str] = lambda text: text) -> Path:
    """A copy whose model.toml went through `change`."""
    copy = folder / "street"
    shutil.copytree(STREET, copy)
    manifest = copy / "model.toml"
    text = manifest.read_text(encoding="utf-8")
    changed = change(text)
    manifest.write_text(changed, encoding="utf-8")
    return copy


def without_calibration(text: str) -> str:
    """The text of a model.toml that tells the network's own scores."""
    return re.sub(r"\[calibration[^]]*\]\n(?:\w.*\n)*\n*", "", text)
