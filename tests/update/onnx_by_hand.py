# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""ONNX files with the right inputs and outputs that always answer the same: bad models, written without a library."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

FLOAT, UINT8 = 1, 2


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _value(name: str, kind: int, shape: Iterable[int]) -> bytes:
    dims = b"".join(_bytes(1, _number(1, side)) for side in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, dims)))


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    dims = b"".join(_number(1, side) for side in values.shape)
    return dims + _number(2, FLOAT) + _bytes(8, name) + _bytes(9, values.astype("<f4").tobytes())


def always(boxes: NDArray[np.float32], scores: NDArray[np.float32], width: int, height: int) -> bytes:
    """A model that finds `boxes` [N,4] with `scores` [N,classes] in every picture."""
    graph = _bytes(2, "always")
    for name, values in (("boxes", boxes[None]), ("scores", scores[None])):
        node = _bytes(1, f"known_{name}") + _bytes(2, name) + _bytes(4, "Identity")
        graph += _bytes(1, node) + _bytes(5, _tensor(f"known_{name}", values))
        graph += _bytes(12, _value(name, FLOAT, values.shape))
    graph += _bytes(11, _value("image", UINT8, (1, height, width, 3)))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 17))
