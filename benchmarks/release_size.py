# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How many bytes an update costs over a mobile link: everything, the software alone, a model alone.

    python -m benchmarks.release_size [--computer aarch64/3.13 ...] [--rate 100000]

Builds three releases with the locked wheels of this checkout: the first; one in which only our own code changed; one in
which only the model's weights changed. Each is signed, published, bundled for one computer and read back as a vehicle
reads it. Bytes are those of the files that travel, metadata included.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from messages.release import Release
from workshop.release import draft, publishing
from workshop.release.building import Order, build
from workshop.release.bundle import bundle
from workshop.release.keys import Keys
from workshop.release.lock import Computer
from workshop.release.source import LOCK, PARTS

_ROOT = Path(__file__).resolve().parent.parent
_ALL = [f"{machine}/{python}" for machine in ("aarch64", "x86_64") for python in ("3.10", "3.11", "3.12", "3.13")]
_LIMIT_MODEL_BYTES = 5_000_000


class Desk:
    """A repository in a folder that goes away."""

    def __init__(self, folder: Path, computers: tuple[Computer, ...]) -> None:
        self._folder, self._computers = folder, computers
        self._now = datetime.now(timezone.utc).replace(microsecond=0)
        self._keys = Keys([folder / "keys"], lambda _: b"only for measuring")
        self._days = draft.Days()
        self.store = publishing.begin(folder / "repo", self._keys, self._now, self._days, number=1, threshold=1)
        self.checkout = folder / "checkout"
        for name in (*PARTS, LOCK, "models/street"):
            copy = self.checkout / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            if (_ROOT / name).is_dir():
                shutil.copytree(_ROOT / name, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(_ROOT / name, copy)
        self._git("init", "-q")
        self._commit()

    def release(self) -> Release:
        """Build what the checkout holds, and publish it."""
        self._commit()
        models = (self.checkout / "models" / "street",)
        order = Order(self.checkout, self._computers, models, ("raspberry_pi_5",))
        made = build(self.store, order, self._now, self._days, lambda line: print(f"  {line}", file=sys.stderr))
        draft.sign(self.store, self._keys)
        publishing.publish(self.store, self._keys, self._now, self._days)
        return made

    def size(self, release: Release, computer: Computer, base: Release | None) -> int:
        """Bytes of a bundle."""
        out = self._folder / "bundle"
        made = bundle(
            self.store,
            out,
            release=release.id,
            machine=computer.machine,
            python=computer.python,
            base=base.id if base else None,
        )
        shutil.rmtree(out)
        return made.size

    def new_weights(self) -> None:
        """A model as large as ours whose weights compress no better."""
        folder = self.checkout / "models" / "street"
        text = (folder / "model.toml").read_text()
        for path in sorted(folder.glob("*.onnx")):
            old = path.read_bytes()
            key = hashlib.shake_256(path.name.encode()).digest(len(old))
            # Every 32nd byte is another one: no old byte is shared, the compressibility stays.
            path.write_bytes(
                bytes(a ^ b if at % 32 == 0 else a for at, (a, b) in enumerate(zip(old, key, strict=True)))
            )
            text = text.replace(hashlib.sha256(old).hexdigest(), hashlib.sha256(path.read_bytes()).hexdigest())
        (folder / "model.toml").write_text(text.replace('version = "', 'version = "9', 1))

    def _commit(self) -> None:
        self._git("add", "--all")
        self._git("commit", "-q", "--allow-empty", "-m", "measured")

    def _git(self, *arguments: str) -> None:
        who = ["-c", "user.name=measured", "-c", "user.email=measured@localhost"]
        subprocess.run(["git", "-C", str(self.checkout), *who, *arguments], check=True)


def main() -> int:
    """Entry point; 1 where an update of the model alone is larger than promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--computer", nargs="+", default=_ALL, metavar="MACHINE/PYTHON", help="default: all")
    parser.add_argument("--rate", type=float, default=100_000.0, help="bytes/s (default: %(default).0f)")
    options = parser.parse_args()
    computers = tuple(Computer(*name.split("/")) for name in options.computer)
    worst = 0
    with tempfile.TemporaryDirectory(prefix="wegewart-size-") as folder:
        desk = Desk(Path(folder), computers)
        first = desk.release()
        (desk.checkout / "edge" / "errors.py").open("a").write("# another line\n")
        app = desk.release()
        desk.new_weights()
        model = desk.release()
        print("| computer | first, MB | software only, MB | model only, MB | at the rate, s |")
        print("| --- | --- | --- | --- | --- |")
        for computer in computers:
            sizes = [desk.size(first, computer, None), desk.size(app, computer, first), desk.size(model, computer, app)]
            worst = max(worst, sizes[2])
            seconds = ", ".join(f"{size / options.rate:.0f}" for size in sizes)
            print(f"| {computer} | {' | '.join(f'{size / 1e6:.2f}' for size in sizes)} | {seconds} |")
    print(f"model only: {worst} bytes, promised below {_LIMIT_MODEL_BYTES}")
    return int(worst >= _LIMIT_MODEL_BYTES)


if __name__ == "__main__":
    sys.exit(main())
