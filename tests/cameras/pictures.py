# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Small pictures and videos to replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.ports import EndOfRecording

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cameras.replay import ReplayCamera
    from edge.types import Frame


def textured(shade: int = 100, *, width: int = 64, height: int = 48) -> np.ndarray:
    noise = np.random.default_rng(shade).integers(-20, 20, (height, width, 3))
    return np.clip(noise + shade, 0, 255).astype(np.uint8)


def encoded(suffix: str = ".jpg", shade: int = 100) -> bytes:
    good, data = cv2.imencode(suffix, textured(shade))
    assert good
    return data.tobytes()


def write_pictures(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        suffix = "." + name.rpartition(".")[2].lower()
        (folder / name).write_bytes(encoded(suffix, 40 + index))


def write_video(path: Path, *, frames: int = 20, fps: float = 10.0) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (64, 48))
    assert writer.isOpened()
    for index in range(frames):
        writer.write(textured(40 + index))
    writer.release()


def read_all(camera: ReplayCamera) -> list[Frame]:
    frames = []
    try:
        while True:
            frames.append(camera.read())
    except EndOfRecording:
        return frames
