# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Time of the shipped models' sessions beside networks of the size of a nano YOLO, in one run on the same threads.

    python -m benchmarks.session_time [--threads 1 2] [--rounds 20] [--as-by-default]

Needs `onnx` (requirements/training.lock). The others have random weights: time does not depend on what they know.
They are built here after the description of YOLOX (arXiv:2107.08430): `plain` has the 3x3 convolutions of YOLOX-tiny in
the width of YOLOX-nano, which is the size of other vendors' nano models (about 6.5 GFLOP at 640x640); `separable` is
YOLOX-nano as it stands. Both end before decoding and non-maximum suppression, ours after decoding.

Sessions are made as the vehicle makes them (`edge.vision.session`): with ONNX Runtime's defaults the threads of one
session go on looking for work after its run and take the second core from the next one. `--as-by-default` shows that.
The last three columns compare the best and the median time by the clock, and the processor's time, median of all runs:
on a machine that does something else besides, the clock's median says more about that. With two threads the
processor's time holds what one thread waits for the other.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, shape_inference

from edge.vision.manifest import read_manifest
from edge.vision.session import NO_WAITING_AT_FULL_LOAD

ROOT = Path(__file__).resolve().parents[1]
SIDE = 640
WIDTH = 16  # channels behind the first convolution
CLASSES = 80
GAIN = 1.7  # of random weights, so that signals neither fade nor grow
OPSET = 17
AFTER_S = 0.1

Inputs: TypeAlias = "dict[str, np.ndarray]"


class Yolox:
    """Writes the network's nodes one after the other; a feature map is its name and its channels."""

    def __init__(self, *, separable: bool) -> None:
        self._separable = separable
        self._nodes: list[onnx.NodeProto] = []
        self._values: list[onnx.TensorProto] = []
        self._channels = {"image": 3}
        self._rng = np.random.default_rng(0)

    def model(self) -> onnx.ModelProto:
        """The whole network: float [1,3,640,640] -> [1,8400,85]."""
        w = WIDTH
        slices = self._add("SpaceToDepth", ["image"], 12, blocksize=2)
        x = self._unit(slices, w, 3)
        x = self._csp(self._spatial(x, 2 * w, 2), 2 * w, 1, add=True)
        c3 = self._csp(self._spatial(x, 4 * w, 2), 4 * w, 3, add=True)
        c4 = self._csp(self._spatial(c3, 8 * w, 2), 8 * w, 3, add=True)
        x = self._pyramid(self._spatial(c4, 16 * w, 2), 16 * w)
        p5 = self._unit(self._csp(x, 16 * w, 1, add=False), 8 * w)
        p4 = self._unit(self._csp(self._join(self._enlarge(p5), c4), 8 * w, 1, add=False), 4 * w)
        n3 = self._csp(self._join(self._enlarge(p4), c3), 4 * w, 1, add=False)
        n4 = self._csp(self._join(self._spatial(n3, 4 * w, 2), p4), 8 * w, 1, add=False)
        n5 = self._csp(self._join(self._spatial(n4, 8 * w, 2), p5), 16 * w, 1, add=False)
        flat = [self._flat(self._head(feature)) for feature in (n3, n4, n5)]
        joined = self._add("Concat", flat, 5 + CLASSES, axis=1)
        cells = sum((SIDE // stride) ** 2 for stride in (8, 16, 32))
        graph = helper.make_graph(
            self._nodes,
            "yolox",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
            [helper.make_tensor_value_info(joined, TensorProto.FLOAT, [1, cells, 5 + CLASSES])],
            self._values,
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(made, full_check=True)
        return made

    def _add(self, kind: str, inputs: list[str], channels: int, **attributes: object) -> str:
        name = f"x{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        self._channels[name] = channels
        return name

    def _value(self, array: np.ndarray) -> str:
        name = f"v{len(self._values)}"
        self._values.append(numpy_helper.from_array(array, name))
        return name

    def _conv(self, x: str, out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> str:
        shape = (out, self._channels[x] // groups, kernel, kernel)
        weight = self._rng.normal(0, GAIN / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)
        inputs = [x, self._value(weight), self._value(np.zeros(out, np.float32))]
        pads = [kernel // 2] * 4
        return self._add("Conv", inputs, out, pads=pads, strides=[stride] * 2, group=groups)

    def _unit(self, x: str, out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> str:
        y = self._conv(x, out, kernel, stride, groups)
        return self._add("Mul", [y, self._add("Sigmoid", [y], out)], out)

    def _spatial(self, x: str, out: int, stride: int = 1) -> str:
        if not self._separable:
            return self._unit(x, out, 3, stride)
        channels = self._channels[x]
        return self._unit(self._unit(x, channels, 3, stride, groups=channels), out)

    def _csp(self, x: str, out: int, depth: int, *, add: bool) -> str:
        half = out // 2
        through, past = self._unit(x, half), self._unit(x, half)
        for _ in range(depth):
            y = self._spatial(self._unit(through, half), half)
            through = self._add("Add", [through, y], half) if add else y
        return self._unit(self._join(through, past), out)

    def _pyramid(self, x: str, out: int) -> str:
        x = self._unit(x, out // 2)
        pools = [
            self._add("MaxPool", [x], out // 2, kernel_shape=[k, k], pads=[k // 2] * 4, strides=[1, 1])
            for k in (5, 9, 13)
        ]
        return self._unit(self._join(x, *pools), out)

    def _join(self, *parts: str) -> str:
        return self._add("Concat", list(parts), sum(self._channels[part] for part in parts), axis=1)

    def _enlarge(self, x: str) -> str:
        scales = self._value(np.array([1, 1, 2, 2], np.float32))
        return self._add("Resize", [x, "", scales], self._channels[x], mode="nearest")

    def _head(self, x: str) -> str:
        x = self._unit(x, 4 * WIDTH)
        of_class, of_box = (self._spatial(self._spatial(x, 4 * WIDTH), 4 * WIDTH) for _ in range(2))
        classes, sure = self._conv(of_class, CLASSES), self._conv(of_box, 1)
        return self._join(
            self._conv(of_box, 4), self._add("Sigmoid", [sure], 1), self._add("Sigmoid", [classes], CLASSES)
        )

    def _flat(self, x: str) -> str:
        shape = self._value(np.array([1, self._channels[x], -1], np.int64))
        flat = self._add("Reshape", [x, shape], self._channels[x])
        return self._add("Transpose", [flat], self._channels[x], perm=[0, 2, 1])


@dataclass(frozen=True)
class Network:
    """One file to time."""

    name: str
    path: Path
    size: str
    macs: int
    parameters: int

    @classmethod
    def read(cls, name: str, path: Path, counted: Path | None = None) -> Network:
        """Count what is in `counted`, the same network in float, where `path` is quantized."""
        model = shape_inference.infer_shapes(onnx.load(str(counted or path)))
        shapes = {
            value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
            for value in (*model.graph.value_info, *model.graph.output)
        }
        weights = {value.name: list(value.dims) for value in model.graph.initializer}
        for node in model.graph.node:
            if node.op_type in ("Cast", "Identity") and node.input[0] in weights:  # stored shorter, or once for several
                weights[node.output[0]] = weights[node.input[0]]
        convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
        macs = sum(int(np.prod(weights[n.input[1]][1:]) * np.prod(shapes[n.output[0]])) for n in convolutions)
        parameters = sum(int(np.prod(weights[each])) for n in convolutions for each in n.input[1:])
        side = [dimension.dim_value for dimension in model.graph.input[0].type.tensor_type.shape.dim]
        height, width = side[1:3] if side[3] == 3 else side[2:]
        return cls(name, path, f"{width}x{height}", macs, parameters)


def networks(folder: Path) -> list[Network]:
    """Every file of every shipped model, what a vehicle prefers first, and the two others."""
    found = []
    for manifest in sorted((ROOT / "models").glob("*/model.toml")):
        for file in read_manifest(manifest).onnx:
            name, fp32 = f"{manifest.parent.name} {file.precision}", manifest.parent / "model-fp32.onnx"
            found.append(Network.read(name, manifest.parent / file.file, fp32))
    for name, separable in (("nano YOLO, plain", False), ("nano YOLO, separable", True)):
        path = folder / f"{name.split()[-1]}.onnx"
        onnx.save(Yolox(separable=separable).model(), str(path))
        found.append(Network.read(f"{name} fp32", path))
    return found


@dataclass(frozen=True)
class Run:
    """Milliseconds by the clock, and of the processor: what other programs take counts in the first alone."""

    wall_ms: float
    cpu_ms: float


def opened(found: list[Network], threads: int, *, spinning: bool) -> list[tuple[onnxruntime.InferenceSession, Inputs]]:
    """A session of every network, and a picture for it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    if not spinning:
        options.add_session_config_entry(*NO_WAITING_AT_FULL_LOAD)
    runs = []
    for network in found:
        session = onnxruntime.InferenceSession(str(network.path), options, providers=["CPUExecutionProvider"])
        entry = session.get_inputs()[0]
        kind = np.uint8 if entry.type == "tensor(uint8)" else np.float32
        picture = np.random.default_rng(0).integers(0, 255, entry.shape).astype(kind)
        runs.append((session, {entry.name: picture if kind is np.uint8 else picture / kind(255)}))
    return runs


def afterwards_ms(found: list[Network], threads: int, *, spinning: bool) -> float:
    """Milliseconds of the processor, all threads, in AFTER_S after a run of the first network; median of ten."""
    ((session, inputs),) = opened(found[:1], threads, spinning=spinning)
    spent = []
    for _ in range(10):
        session.run(None, inputs)
        cpu = time.process_time()
        time.sleep(AFTER_S)
        spent.append((time.process_time() - cpu) * 1000)
    return statistics.median(spent)


def measure(found: list[Network], threads: int, rounds: int, *, spinning: bool) -> list[list[Run]]:
    """Every run of every network. They take turns, so that a disturbance meets all of them."""
    runs = opened(found, threads, spinning=spinning)
    spent: list[list[Run]] = [[] for _ in found]
    for turn in range(rounds + 1):
        for (session, inputs), times in zip(runs, spent, strict=True):
            for _ in range(5):
                wall, cpu = time.perf_counter(), time.process_time()
                session.run(None, inputs)
                took = Run((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000)
                if turn:  # the first is to warm up
                    times.append(took)
    return spent


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=20, help="of five runs each")
    parser.add_argument("--as-by-default", action="store_true", help="threads spin after every run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = networks(Path(folder))
        yolo = next(index for index, network in enumerate(found) if "plain" in network.name)
        print(f"onnxruntime {onnxruntime.__version__}; {arguments.rounds * 5} runs each, taking turns")
        for threads in arguments.threads:
            spent = measure(found, threads, arguments.rounds, spinning=arguments.as_by_default)
            print(f"\n{threads} thread(s)")
            print(
                "| file | input | MMAC | parameters | MB | ms best | ms median | ms of the processor "
                "| times YOLO's, best | median | of the processor |"
            )
            print("| --- " * 11 + "|")
            best = [min(run.wall_ms for run in times) for times in spent]
            median = [statistics.median(run.wall_ms for run in times) for times in spent]
            cpu = [statistics.median(run.cpu_ms for run in times) for times in spent]
            for network, best_ms, median_ms, cpu_ms in zip(found, best, median, cpu, strict=True):
                print(
                    f"| {network.name} | {network.size} | {network.macs / 1e6:.0f} | {network.parameters / 1e6:.2f} M "
                    f"| {network.path.stat().st_size / 1e6:.2f} | {best_ms:.1f} | {median_ms:.1f} "
                    f"| {cpu_ms:.1f} | {best_ms / best[yolo]:.2f} | {median_ms / median[yolo]:.2f} "
                    f"| {cpu_ms / cpu[yolo]:.2f} |"
                )
            after_ms = afterwards_ms(found, threads, spinning=arguments.as_by_default)
            print(f"in the {1000 * AFTER_S:.0f} ms after a run: {after_ms:.1f} ms of the processor")
    ours = {network.path: network.path.stat().st_size for network in found if "YOLO" not in network.name}
    preferred = {path.parent: size for path, size in reversed(ours.items())}
    print(f"\nall files together: {sum(ours.values()) / 1e6:.2f} MB")
    print(f"those that a vehicle loads, the first of every package: {sum(preferred.values()) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
