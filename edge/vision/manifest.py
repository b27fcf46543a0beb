# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What model.toml says: every key, its type, and what has to hold between them.

Reading is strict: an unknown key, a missing key or a wrong type refuses the package.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from edge.errors import ModelError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
Side = Annotated[int, msgspec.Meta(ge=32, le=4096)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+\.onnx$")]
PictureName = Annotated[str, msgspec.Meta(pattern=r"^selftest/[A-Za-z0-9_-]+\.jpg$")]
Precision = Literal["int8", "fp32"]


class ModelPackageError(ModelError):
    """A model package is refused; the text is one line that names file, key and reason."""

    def __init__(self, file: Path, key: str, reason: str) -> None:
        super().__init__(" ".join(f"{file}: {key}: {reason}".split()))
        self.file = file
        self.key = key
        self.reason = reason


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Expected(_Strict, frozen=True):
    """A box that the self test has to find; pixels of the model's input."""

    label: str
    score: Probability
    box: tuple[float, float, float, float]


class OnnxFile(_Strict, frozen=True):
    """One ONNX file of the package, with what it finds on the self test's picture."""

    precision: Precision
    file: FileName
    sha256: Sha256
    opset: Annotated[int, msgspec.Meta(ge=13, le=17)]
    expected: tuple[Expected, ...]


class Input(_Strict, frozen=True):
    """The picture that the model takes: uint8, [1, height, width, 3], BGR."""

    name: str
    width: Side
    height: Side
    layout: Literal["NHWC"]
    colour: Literal["BGR"]
    dtype: Literal["uint8"]


class Output(_Strict, frozen=True):
    """Names of the outputs: boxes [1, N, 4] in pixels of the input, scores [1, N, classes]."""

    boxes: str
    scores: str


class Superclass(_Strict, frozen=True):
    """A class that contains others: a box carries a member's name where the member's score convinces."""

    name: str
    members: tuple[str, ...]


class Nms(_Strict, frozen=True):
    """Boxes of one group that overlap more than `overlap` are one; the best stays."""

    overlap: Probability
    groups: tuple[tuple[str, ...], ...]
    most: Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Line(_Strict, frozen=True):
    """Calibrated log odds = slope x log odds of the score + offset; see `edge.vision.confidence`."""

    slope: Annotated[float, msgspec.Meta(gt=0, le=20)]
    offset: Annotated[float, msgspec.Meta(ge=-20, le=20)]


class Known(_Strict, frozen=True):
    """Something that a stored picture shows: the answer comes from who drew the picture, not from a model."""

    label: str
    box: tuple[float, float, float, float]


class StoredPicture(_Strict, frozen=True):
    """A picture of the package; boxes in its pixels. `most`: a model that finds more than so many things is wrong."""

    file: PictureName
    sha256: Sha256
    known: tuple[Known, ...]
    most: Annotated[int, msgspec.Meta(ge=0, le=1000)]


class SelfTest(_Strict, frozen=True):
    """See `edge.vision.selftest`; for `pictures` see `edge.vision.proof`."""

    seed: int
    floor: Probability
    score_tolerance: Probability
    least_overlap: Probability
    pictures: tuple[StoredPicture, ...] = ()


class Origin(_Strict, frozen=True):
    """Where the weights come from."""

    start_weights: str
    data: tuple[str, ...]
    data_tiers: tuple[str, ...]
    made_on: str
    card: str


class Score(_Strict, frozen=True):
    """One measured F1 at an overlap of one half; for people and the depot, the daemon does not use it.

    Of a privacy model: marks instead of boxes, recall by how many are covered, precision by area
    (`models/training/covered.py`), and labels that are no classes: face, plate, all.
    """

    onnx: Precision
    split: Literal["val", "test"]
    view: str
    label: str
    boxes: int
    precision: Probability
    recall: Probability
    f1: Probability


class Manifest(_Strict, frozen=True):
    """All of model.toml."""

    format: Literal[1]
    name: str
    version: str
    task: Literal["road", "tunnel", "privacy"]
    licence: str
    classes: tuple[str, ...]
    thresholds: dict[str, Probability]
    input: Input
    output: Output
    nms: Nms
    selftest: SelfTest
    origin: Origin
    onnx: tuple[OnnxFile, ...]
    scores: tuple[Score, ...]
    #: None: no class contains another.
    superclass: Superclass | None = None
    calibration: dict[str, Line] = {}


def read_manifest(path: Path) -> Manifest:
    """Read and check model.toml.

    Raises:
        ModelPackageError: it cannot be read, or a key is unknown, missing, of a wrong type or contradicts another.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelPackageError(path, "file", str(error)) from error
    try:
        manifest = msgspec.convert(raw, Manifest)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at ")
        raise ModelPackageError(path, place.strip("`$.") or "top level", reason) from error
    for key, reason in _contradictions(manifest):
        raise ModelPackageError(path, key, reason)
    return manifest


def _contradictions(manifest: Manifest) -> list[tuple[str, str]]:
    classes = set(manifest.classes)
    grouped = [name for group in manifest.nms.groups for name in group]
    above = manifest.superclass
    named = set() if above is None else {above.name, *above.members}
    precisions = [file.precision for file in manifest.onnx]
    known = {one.label for picture in manifest.selftest.pictures for one in picture.known}
    checks = (
        (len(classes) != len(manifest.classes), "classes", "a class is named twice"),
        (set(manifest.thresholds) != classes, "thresholds", "need exactly one for every class"),
        (not set(manifest.calibration) <= classes, "calibration", "names a class that is not in classes"),
        (sorted(grouped) != sorted(classes), "nms.groups", "need every class exactly once"),
        (not named <= classes, "superclass", "names a class that is not in classes"),
        (not any(named <= set(group) for group in manifest.nms.groups), "superclass", "has to be one nms group"),
        (not known <= classes, "selftest.pictures", "names a class that is not in classes"),
        (not precisions, "onnx", "need at least one file"),
        (len(set(precisions)) != len(precisions), "onnx", "a precision is given twice"),
        (manifest.input.width % 32 > 0 or manifest.input.height % 32 > 0, "input", "sides are multiples of 32"),
    )
    return [(key, reason) for wrong, key, reason in checks if wrong]
