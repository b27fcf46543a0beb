# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The pictures' store that the configuration names."""

from __future__ import annotations

from pathlib import Path

from depot.services import Pictures
from depot.store.picture_config import PicturesConfig
from depot.store.pictures import PictureFolder


def open_pictures(pictures: PicturesConfig, *, folder: Path) -> Pictures:
    """Folder or bucket. `folder`: that of the depot's data. Raises ConfigError."""
    if pictures.store == "folder":
        return PictureFolder(folder / "pictures")
    from depot.store.s3 import PictureBucket  # noqa: PLC0415 - its library is loaded only where it is used

    return PictureBucket(pictures.s3)
