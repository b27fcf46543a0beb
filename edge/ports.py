# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the daemon expects of each stage that touches hardware, disk, network or a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.types import Detection, Frame, Measurement, Picture


class EndOfRecording(Exception):  # noqa: N818 - an end, not an error
    """A replayed camera has no more frames."""


class CameraStalledError(RuntimeError):
    """A live camera gave no frame in time; the process ends and systemd starts it anew."""


class Camera(Protocol):
    """A source of frames. Live cameras: the newest frame wins and older ones count as dropped."""

    @property
    def dropped(self) -> int:
        """Frames that nobody took before the next one came."""

    @property
    def bad(self) -> int:
        """Frames that could not be read and were skipped."""

    def read(self) -> Frame:
        """Wait for the next frame.

        Raises:
            EndOfRecording: a recording is over.
            CameraStalledError: a live camera gave nothing within its time limit.
        """

    def close(self) -> None:
        """Release the device. May be called twice."""


class PositionSource(Protocol):
    """A source of fixes and odometry."""

    def until(self, time_s: float) -> Sequence[Measurement]:
        """All measurements up to `time_s` that were not handed out yet, in order of time. Never blocks."""

    def close(self) -> None:
        """Release the device. May be called twice."""


class Detector(Protocol):
    """A model that judges pictures."""

    def detect(self, picture: Picture) -> Sequence[Detection]:
        """All boxes above their thresholds, in pixels of the picture as given."""
