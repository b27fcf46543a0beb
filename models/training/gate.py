# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Old package against new one on the same pictures: `scripts/gate street OLD NEW`.

The new one passes if it is nowhere worse and somewhere better. Per view and class:

* from ENOUGH boxes on: worse is an F1 more than TOLERANCE lower, better one as much higher. One box more or less moves
  an F1 by about one over the number of boxes, so below 100 boxes a single one could decide by 0.01;
* from FEW boxes on: worse only if it is worse by more than TOLERANCE in 95 of 100 samples drawn anew from the same
  pictures; never better;
* with fewer boxes it is told and not judged.

For people and vehicles recall counts: they are found to be blurred. The result names both packages and the pictures by
hash and is signed, so that `scripts/package --sign-off` takes no other one.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from edge.vision.detector import Detector
from edge.vision.package import MANIFEST, ModelPackage, load_package
from models.training.added import load_added
from models.training.classes import MODELS
from models.training.dataset import Sample, load
from models.training.evaluate import ALL_VIEWS, detect_all, is_in
from models.training.metric import Count, judge
from models.training.teacher import teach

RESULT = "gate.json"
KEY = Path("runs/gate.key")
TOLERANCE = 0.01
ENOUGH, FEW = 100, 20
SURE = 0.95
DRAWS = 2000
#: Whole numbers below are stored as floats; a difference of exactly TOLERANCE is none.
EPSILON = 1e-9

#: By view and class: right, wrong and missed of every picture in which the class can be judged.
Counts = Mapping[tuple[str, str], NDArray[np.int64]]
Measure = Literal["f1", "recall"]
Verdict = Literal["better", "same", "worse", "too few boxes"]


@dataclass(frozen=True)
class Line:
    """One view and class. `worse_chance`: share of new samples in which it is worse; None: enough boxes, or too few."""

    view: str
    label: str
    boxes: int
    measure: Measure
    old: float
    new: float
    worse_chance: float | None
    verdict: Verdict


def counts(
    package: ModelPackage, samples: Sequence[Sample], threads: int = 2, precision: Literal["int8", "fp32"] = "int8"
) -> Counts:
    """Run a file of a package over pictures."""
    results = detect_all(Detector(package, threads, precision), samples)
    found: dict[tuple[str, str], NDArray[np.int64]] = {}
    for view in (ALL_VIEWS, *sorted({sample.view for sample in samples})):
        for label, name in enumerate(samples[0].classes.names):
            each = [
                judge(sample, boxes, label).count()
                for sample, boxes in results
                if sample.scored[label] and is_in(sample, view)
            ]
            table = [(one.right, one.wrong, one.missed) for one in each]
            found[view, name] = np.array(table, np.int64).reshape(-1, 3)
    return found


def compare(old: Counts, new: Counts, recall_of: Sequence[str] = ()) -> list[Line]:
    """Every view and class with boxes. `recall_of`: classes of which recall counts."""
    lines = []
    for (view, label), before in old.items():
        boxes = int(before[:, [0, 2]].sum())
        if boxes:
            measure: Measure = "recall" if label in recall_of else "f1"
            chance, verdict = _verdict(boxes, before, new[view, label], measure)
            scores = (round(_whole(part, measure), 4) for part in (before, new[view, label]))
            lines.append(Line(view, label, boxes, measure, *scores, chance, verdict))
    return lines


def _verdict(
    boxes: int, before: NDArray[np.int64], after: NDArray[np.int64], measure: Measure
) -> tuple[float | None, Verdict]:
    if boxes < FEW:
        return None, "too few boxes"
    if boxes < ENOUGH:
        chance = _worse_chance(before, after, measure)
        return chance, "worse" if chance >= SURE else "same"
    more = _whole(after, measure) - _whole(before, measure)
    if more < -TOLERANCE - EPSILON:
        return None, "worse"
    return None, "better" if more >= TOLERANCE - EPSILON else "same"


def _whole(part: NDArray[np.int64], measure: Measure) -> float:
    return float(_score(part.sum(0, keepdims=True), measure)[0])


def _score(sums: NDArray[np.int64], measure: Measure) -> NDArray[np.float64]:
    """Of rows of right, wrong, missed."""
    counted = [Count(*map(int, row)) for row in sums]
    return np.array([one.recall if measure == "recall" else one.f1 for one in counted])


def gains(before: NDArray[np.int64], after: NDArray[np.int64], measure: Measure = "f1") -> NDArray[np.float64]:
    """What `after` scores more than `before` in each of DRAWS samples of the pictures, drawn with replacement."""
    rng = np.random.default_rng(0)
    taken = rng.multinomial(len(before), np.full(len(before), 1 / len(before)), DRAWS)
    return _score(taken @ after, measure) - _score(taken @ before, measure)


def _worse_chance(before: NDArray[np.int64], after: NDArray[np.int64], measure: Measure) -> float:
    return float((gains(before, after, measure) < -TOLERANCE - EPSILON).mean())


def passes(lines: Sequence[Line]) -> bool:
    """Nowhere worse and somewhere better."""
    verdicts = {line.verdict for line in lines}
    return "better" in verdicts and "worse" not in verdicts


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of model.toml and of every ONNX file beside it."""
    files = [folder / MANIFEST, *sorted(folder.glob("*.onnx"))]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def data_hash(samples: Sequence[Sample]) -> str:
    """SHA-256 of all pictures with what is known of each."""
    whole = hashlib.sha256()
    for sample in samples:
        whole.update(hashlib.sha256(sample.path.read_bytes()).digest())
        for part in (sample.scored, sample.boxes, sample.labels, sample.ignored, sample.ignored_labels):
            whole.update(np.ascontiguousarray(part).tobytes())
    return whole.hexdigest()


def result(split: str, old: Path, new: Path, samples: Sequence[Sample], lines: Sequence[Line]) -> dict[str, Any]:
    """What is signed."""
    return {
        "format": 1,
        "model": samples[0].classes.model,
        "old": fingerprint(old),
        "new": fingerprint(new),
        "data": {"split": split, "pictures": len(samples), "sha256": data_hash(samples)},
        "rule": {"tolerance": TOLERANCE, "enough_boxes": ENOUGH, "few_boxes": FEW, "sure": SURE},
        "lines": [asdict(line) for line in lines],
        "passed": passes(lines),
        "made_on": dt.datetime.now(dt.timezone.utc).date().isoformat(),
    }


def sign(content: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """The result file."""
    return json.dumps({"content": content, "signature": key.sign(_canonical(content)).hex()}, indent=1)


def checked(new: Path, old: Path, key: Ed25519PrivateKey) -> dict[str, Any]:
    """The result that lets `new` take the place of `old`. Raises SystemExit: one line that says why there is none."""
    file = new / RESULT
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        content: dict[str, Any] = read["content"]
        key.public_key().verify(bytes.fromhex(read["signature"]), _canonical(content))
        named, split, passed = (content["old"], content["new"]), content["data"]["split"], content["passed"] is True
    except FileNotFoundError:
        raise SystemExit(f"{file}: missing: an older package exists, so run scripts/gate first") from None
    except (OSError, ValueError, KeyError, TypeError, InvalidSignature):
        raise SystemExit(f"{file}: not signed by this key, or changed since; run scripts/gate again") from None
    if named != (fingerprint(old), fingerprint(new)):
        raise SystemExit(f"{file}: is about other packages than {old} and {new}; run scripts/gate again")
    if split != "test":
        raise SystemExit(f"{file}: was made on {split}; only test decides")
    if not passed:
        raise SystemExit(f"{file}: the gate was not passed: {told_worse(content['lines'])}")
    return content


def told_worse(lines: Sequence[Mapping[str, Any]]) -> str:
    """Where the new one is worse, in words."""
    worse = [
        f"{one['label']} ({one['view']}) {one['old']:.3f} -> {one['new']:.3f}"
        for one in lines
        if one["verdict"] == "worse"
    ]
    return "worse: " + ", ".join(worse) if worse else "nowhere better"


def sign_off(new: Path, old: Path, key_file: Path = KEY) -> None:
    """Put the new package in the place of the old one, if the gate let it pass. Raises SystemExit."""
    checked(new, old, open_key(key_file))
    for file in sorted(path for path in new.rglob("*") if path.is_file() and path.name != MANIFEST):
        target = old / file.relative_to(new)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    shutil.copyfile(new / MANIFEST, old / MANIFEST)  # last: it names the others
    for picture in (old / "selftest").glob("*"):
        if not (new / "selftest" / picture.name).exists():
            picture.unlink()  # of the old package's self test


def open_key(file: Path) -> Ed25519PrivateKey:
    """The key that signs results; made at the first use, for its owner alone. Raises SystemExit."""
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            made = Ed25519PrivateKey.generate().private_bytes(
                form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
            )
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(made)
        key = form.load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise SystemExit(f"{file}: cannot be used as the gate's key: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SystemExit(f"{file}: is no Ed25519 key")
    return key


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def markdown(lines: Sequence[Line]) -> str:
    """The comparison for people."""
    rows = ["| view | class | boxes | measure | old | new | verdict |", "| --- " * 7 + "|"]
    for line in lines:
        chance = "" if line.worse_chance is None else f" ({line.worse_chance:.0%} worse)"
        rows.append(
            f"| {line.view} | {line.label} | {line.boxes} | {line.measure} | {line.old:.3f} | {line.new:.3f} "
            f"| {line.verdict}{chance} |"
        )
    return "\n".join(rows)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Compare two packages of a model; exit code 1: not passed.")
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("old", type=Path, help="folder of the package that runs now")
    parser.add_argument("new", type=Path, help=f"folder of the new package; {RESULT} is written there")
    parser.add_argument("--split", choices=["val", "test"], default="test", help="val: only to try things out")
    parser.add_argument("--add", type=Path, help="judge on these cases of the city, too (their part for judging)")
    parser.add_argument("--teacher", type=Path, default=Path("runs/teacher.json"))
    parser.add_argument("--key", type=Path, default=KEY, help=f"signs the result; made if missing ({KEY})")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    classes = MODELS[arguments.model]
    key = open_key(arguments.key)
    samples = load(classes, arguments.split, teach(arguments.teacher) if classes.taught else None)
    if arguments.add:
        samples += load_added(arguments.add, "val", classes)
    old, new = (counts(load_package(folder), samples, arguments.threads) for folder in (arguments.old, arguments.new))
    lines = compare(old, new, classes.taught_names)
    content = result(arguments.split, arguments.old, arguments.new, samples, lines)
    (arguments.new / RESULT).write_text(sign(content, key), encoding="utf-8")
    print(markdown(lines))
    print("passed" if content["passed"] else f"NOT passed: {told_worse(content['lines'])}")
    raise SystemExit(0 if content["passed"] else 1)


if __name__ == "__main__":
    main()
