# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One ONNX Runtime session, checked against what model.toml promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from edge.vision.manifest import ModelPackageError

if TYPE_CHECKING:
    from pathlib import Path

    from edge.types import Picture
    from edge.vision.decode import Scores
    from edge.vision.letterbox import Boxes
    from edge.vision.manifest import Manifest

QUIET = 3  # ONNX Runtime's log level "error"
#: By default the other threads look for new work for some 30 ms after every run, at full load: more than the run took,
#: heat for nothing, and in the way of the next model's threads.
NO_WAITING_AT_FULL_LOAD = ("session.force_spinning_stop", "1")


class Session:
    """Runs one file. The threads are always set: the default takes every core from the rest of the vehicle."""

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = QUIET
        options.add_session_config_entry(*NO_WAITING_AT_FULL_LOAD)
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no base class
            reason = f"onnxruntime {onnxruntime.__version__} cannot load it: {error}"
            raise ModelPackageError(path, "file", reason) from error
        self._input = manifest.input.name
        self._outputs = [manifest.output.boxes, manifest.output.scores]
        self._check(path, manifest)

    def run(self, canvas: Picture) -> tuple[Boxes, Scores]:
        """Boxes [N,4] in pixels of the canvas, and scores [N,classes]."""
        boxes, scores = self._session.run(self._outputs, {self._input: canvas[None]})
        return np.asarray(boxes[0], np.float32), np.asarray(scores[0], np.float32)

    def _check(self, path: Path, manifest: Manifest) -> None:
        entries = self._session.get_inputs()
        size = [1, manifest.input.height, manifest.input.width, 3]
        inputs = [(entry.name, entry.type, list(entry.shape)) for entry in entries]
        wanted = [(manifest.input.name, "tensor(uint8)", size)]
        if inputs != wanted:
            raise ModelPackageError(path, "input", f"is {inputs}, model.toml says {wanted}")
        outputs = {entry.name: (entry.type, list(entry.shape)) for entry in self._session.get_outputs()}
        for name, last in zip(self._outputs, (4, len(manifest.classes)), strict=True):
            kind, shape = outputs.get(name, ("missing", []))
            if kind != "tensor(float)" or len(shape) != 3 or shape[0] != 1 or shape[2] != last:
                raise ModelPackageError(path, f"output {name}", f"is {kind} {shape}, not float [1, N, {last}]")
