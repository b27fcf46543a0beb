# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""GStreamer pipelines: the Jetson's camera (nvarguscamerasrc), network cameras (RTSP) and anything else that has one.

OpenCV from PyPI is built without GStreamer, so the pipeline runs in a process of its own (`gst-launch-1.0`), which
writes raw BGR pictures into a pipe. That needs no other OpenCV, and a driver that crashes leaves the daemon alive.
The pipeline stands in the process list: use a camera account that may only watch.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError

if TYPE_CHECKING:
    from edge.types import Picture

_STOP_S = 2.0
_KEEP_ERRORS = 50


def jetson_pipeline(*, sensor: int, width: int, height: int, fps: int, flip: int = 0) -> str:
    """The Jetson's own camera by its image processor. `flip`: as `nvvidconv flip-method` counts (2: upside down)."""
    return (
        f"nvarguscamerasrc sensor-id={sensor} ! "
        f"video/x-raw(memory:NVMM),width={width},height={height},framerate={fps}/1"
        f" ! nvvidconv flip-method={flip} ! video/x-raw,format=BGRx"
    )


def rtsp_pipeline(*, url: str, latency_ms: int = 100) -> str:
    """A network camera over RTSP by TCP: over UDP a lost packet smears the picture unnoticed."""
    return f"rtspsrc location={shlex.quote(url)} protocols=tcp latency={latency_ms} ! decodebin"


class GstreamerDevice:
    """A pipeline's pictures. `pipeline` ends in any raw video; conversion to BGR at the given size is added here."""

    def __init__(self, *, pipeline: str, width: int, height: int) -> None:
        """Start the pipeline.

        Args:
            pipeline: as after `gst-launch-1.0`, without a sink.
            width: pixels of the pictures handed out.
            height: pixels.

        Raises:
            InputError: GStreamer is not installed or the pipeline cannot be split into words.
        """
        program = shutil.which("gst-launch-1.0")
        if program is None:
            raise InputError(f"camera {redacted(pipeline)}: no gst-launch-1.0; run `apt install gstreamer1.0-tools`")
        try:
            words = shlex.split(pipeline)
        except ValueError as error:
            raise InputError(f"camera {redacted(pipeline)}: {error}; check the quotes of the pipeline") from None
        self._width, self._height = width, height
        self._stride = -(-3 * width // 4) * 4  # GStreamer pads rows to four bytes
        ending = f"! videoconvert ! videoscale ! video/x-raw,format=BGR,width={width},height={height}"
        # A leaky queue of one drops old pictures where the pipe is full, so that what is read is new.
        ending += " ! queue leaky=downstream max-size-buffers=1 ! fdsink fd=1 sync=false"
        self._process = subprocess.Popen(  # noqa: S603 - no shell; the words come from the configuration
            [program, "-q", *words, *ending.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._errors: list[str] = []
        self._listener = threading.Thread(target=self._listen, name="gstreamer messages", daemon=True)
        self._listener.start()

    def grab(self) -> tuple[Picture, float] | None:
        """Wait for the next picture; its time is that of its arrival.

        Raises:
            OSError: the pipeline has ended.
        """
        assert self._process.stdout is not None
        size = self._stride * self._height
        data = self._process.stdout.read(size)
        if len(data) < size:
            raise OSError(f"the pipeline has ended: {self._reason()}")
        rows = np.frombuffer(data, np.uint8).reshape(self._height, self._stride)
        picture = rows[:, : 3 * self._width].reshape(self._height, self._width, 3)
        return np.ascontiguousarray(picture), time.monotonic()

    def interrupt(self) -> None:
        """End the pipeline; `grab` then finds its pipe at the end."""
        self._process.terminate()

    def close(self) -> None:
        """End the pipeline and wait for that."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(_STOP_S)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _listen(self) -> None:
        """Keep the errors that GStreamer writes; a pipe that nobody empties would stop it."""
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            for line in stream:
                if (line.startswith(b"ERROR") or b"erroneous" in line) and len(self._errors) < _KEEP_ERRORS:
                    self._errors.append(line.decode(errors="replace").strip())

    def _reason(self) -> str:
        """What GStreamer wrote before it ended, in one line: the first error of an element names the cause."""
        self._listener.join(_STOP_S)
        causes = [line for line in self._errors if "from element" in line] + self._errors
        return redacted(causes[0] if causes else f"exit status {self._process.wait(_STOP_S)}")


def redacted(text: str) -> str:
    """A text without the password of any URL in it."""
    return re.sub(r"(\w+://[^/\s:@]*):[^/\s]*@", r"\1:...@", text)
