# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A small vehicle that is updated for real: real wheels, real virtual environments, real links, a little daemon."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import platform
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from edge.config_update import UpdateConfig
from edge.errors import WegewartError
from edge.heartbeat import Heartbeat
from edge.update import recover
from edge.update.build import Builder
from edge.update.device import Device
from edge.update.install import Ask, Updater
from edge.update.layout import Layout
from edge.update.ports import Proof, Unit
from edge.update.proof import SelfTest
from messages.release import File, Model, Release, Variant
from messages.types import Update

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MACHINE = platform.machine()
DEVICE = Device("pc", MACHINE, PYTHON)
CONFIG = UpdateConfig(parked_s=60, start_s=120, window_s=120, keep=2)
_RECOVER = Path(recover.__file__)

#: What a release's program does. `selftest` looks at the model; `release` says what it is.
PROGRAM = """
import json, pathlib, sys

import needed

VERSION = {version!r}


def main():
    if sys.argv[1] == "version":
        assert len(pathlib.Path(needed.__file__).with_name("data.bin").read_bytes()) == 9000
        print(VERSION)
        return 0
    models = pathlib.Path(sys.argv[sys.argv.index("--models") + 1])
    for model in models.iterdir():
        if "finds nothing" in (model / "model.onnx").read_text():
            print(json.dumps({{"ok": False, "reason": f"{{model.name}}: pothole at (1, 2, 3, 4) was not found"}}))
            return 4
    print(json.dumps({{"ok": True}}))
    return 0
"""


def make_wheel(name: str, version: str, files: dict[str, bytes], entry: str = "") -> tuple[str, bytes]:
    """Name and bytes of a wheel with a true RECORD."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if entry:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{entry}\n".encode()
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()},"
        f"{len(content)}\n"
        for path, content in files.items()
    )
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return f"{name}-{version}-py3-none-any.whl", packed.getvalue()


def app_wheels(version: str) -> dict[str, bytes]:
    """The application and something that it needs."""
    files = {
        "little.py": PROGRAM.format(version=version).encode(),
        "edge/__init__.py": b"",
        "edge/update/__init__.py": b"",
        "edge/update/recover.py": _RECOVER.read_bytes(),
    }
    return dict(
        (
            make_wheel("wegewart", version, files, "wegewart-edge = little:main"),
            make_wheel("needed", "1.0", {"needed/__init__.py": b"WORD = 1\n", "needed/data.bin": bytes(9000)}),
        )
    )


def model_tar(version: str, onnx: bytes, extra: dict[str, bytes] | None = None) -> tuple[str, bytes]:
    """Name and bytes of a packed model."""
    files = {"model.toml": f'version = "{version}"\n'.encode(), "model.onnx": onnx, "selftest/a.jpg": b"jpeg"}
    files.update(extra or {})
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    sha8 = hashlib.sha256(files["model.toml"]).hexdigest()[:8]
    return f"street-{version}-{sha8}.tar.gz", gzip.compress(packed.getvalue(), mtime=0)


@dataclass
class Depot:
    """Makes releases into a folder of bundles. A bundle here is a folder with bundle.json; nothing is signed."""

    folder: Path
    targets: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)

    def publish(
        self,
        name: str,
        number: int,
        *,
        app: str | None = None,
        onnx: bytes = b"finds potholes",
        wheels: dict[str, bytes] | None = None,
        model: tuple[str, bytes] | None = None,
        **changes: object,
    ) -> Path:
        """Make a release; the folder of its bundle. `app`: version of the application, by default the release's."""
        wheels = wheels if wheels is not None else app_wheels(app or name)
        packed = [self._file(f"wheels/{wheel}", content) for wheel, content in wheels.items()]
        model_name, content = model or model_tar(hashlib.sha256(onnx).hexdigest()[:6], onnx)
        version = model_name.split("-")[1]
        release = Release(
            id=name,
            number=number,
            software=app or name,
            boards=("pc",),
            variants=(Variant(machine=MACHINE, python=PYTHON, wheels=tuple(packed)),),  # type: ignore[arg-type]
            models=(Model(name="street", version=version, file=self._file(f"models/{model_name}", content)),),
        )
        self.manifests[name] = msgspec.json.encode(msgspec.structs.replace(release, **changes))
        bundle = self.folder / name
        bundle.mkdir(parents=True, exist_ok=True)
        (bundle / "bundle.json").write_text(json.dumps({"release": name}))
        return bundle

    def _file(self, target: str, content: bytes) -> File:
        self.targets[target] = content
        return File(target=target, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


@dataclass
class Opened:
    """Stands in for the trusted client: copies targets into the cache."""

    depot: Depot
    cache: Path

    def release(self, release: str) -> Release:
        return msgspec.json.decode(self.manifest(release), type=Release)

    def manifest(self, release: str) -> bytes:
        if release not in self.depot.manifests:
            raise WegewartError(f"{release} is not in the bundle")
        return self.depot.manifests[release]

    def fetch(self, file: File) -> Path:
        path = self.cache / file.sha256
        if not path.is_file():
            self.cache.mkdir(parents=True, exist_ok=True)
            recover.write(path, self.depot.targets[file.target])
        return path


@dataclass
class Daemon:
    """The daemon's service in its own time. What it runs outlives the updater: `running` is a file outside its root.

    `bad`: releases that are ill, and how: "crashes", "never ready", "hangs", "looks at nothing", "no frames".
    """

    layout: Layout
    running: Path
    bad: dict[str, str] = field(default_factory=dict)
    now_s: float = 1000.0
    started_s: float = 900.0
    pid: int = 1
    standing: bool = True
    restarts_asked: int = 0
    stopped: bool = False

    def pause(self, seconds: float) -> None:
        self.now_s += seconds

    def clock(self) -> float:
        return self.now_s

    def boot(self) -> None:
        self.running.write_text(recover.look(self.layout.root).current or "")
        self.started_s, self.pid = self.now_s, self.pid + 1

    def restart(self) -> None:
        self.restarts_asked += 1
        self.boot()

    def release(self) -> str | None:
        return self.running.read_text() or None if self.running.exists() else None

    def state(self) -> Unit:
        if self.stopped or self.release() is None:
            return Unit()
        if self.bad.get(self.release() or "") == "crashes":
            crashes = int((self.now_s - self.started_s) // 20)
            return Unit("activating", "auto-restart", crashes, "exit-code", 1)
        return Unit("active", "running")

    def beat(self) -> Heartbeat | None:
        release = self.release()
        kind = self.bad.get(release or "", "")
        age_s = self.now_s - self.started_s
        if release is None or self.stopped or kind == "crashes" or age_s < 4:
            return None
        life_s = min(age_s, 100.0) if kind == "hangs" else age_s
        ready = kind != "never ready"
        return Heartbeat(
            monotonic_s=self.started_s + life_s,
            pid=self.pid,
            release=release,
            ready=ready,
            frames=int(15 * (min(life_s, 30.0) if kind == "no frames" else life_s)),
            looked=0 if not ready else 1 if kind == "looks at nothing" else int(life_s),
            moved_m=0.0 if self.standing else life_s * 10,
            standing_since_s=self.started_s - 500 if self.standing else None,
        )


@dataclass
class Vehicle:
    """A device below one folder; the next `boot` begins a new life of the computer."""

    home: Path
    depot: Depot
    config: UpdateConfig = CONFIG
    device: Device = DEVICE
    proof: Proof | None = None
    lines: list[str] = field(default_factory=list)
    free_bytes: Callable[[Path], int] = lambda folder: 10**12
    boots: int = 0
    minute: int = 0

    def __post_init__(self) -> None:
        self.layout = Layout(self.home / "opt", self.home / "incoming", self.home / "run")
        self.layout.incoming.mkdir(parents=True, exist_ok=True)
        self.daemon = Daemon(self.layout, self.home / "running")

    def updater(self) -> Updater:
        return Updater(
            self.layout,
            self.config,
            self.device,
            lambda folder: Opened(self.depot, self.layout.cache),
            self.daemon,
            self.proof or SelfTest(self.home / "vehicle.toml", limit_s=60),
            clock=self.daemon.clock,
            pause=self.daemon.pause,
            say=self.lines.append,
            lang="en",
            builder=Builder(self.layout, free_bytes=self.free_bytes),
            boot=lambda: f"boot-{self.boots}",
            utc=lambda: f"2026-11-22T10:{self.minute:02}:00Z",
        )

    def install(self, bundle: Path | None = None, **asked: bool) -> int:
        return self.updater().install(Ask(bundle, **asked))

    def wish(self, release: str, *, fetched: bool = True) -> None:
        """The depot asks for a release, and it has been fetched."""
        fresh = self.layout.wanted.with_suffix(".new")
        fresh.write_text(json.dumps({"release": release}))
        fresh.replace(self.layout.wanted)
        if fetched:
            self.layout.bundle.mkdir(exist_ok=True)
            (self.layout.bundle / "bundle.json").write_text(json.dumps({"release": release}))

    def boot(self) -> list[str]:
        """The power comes back: recovery, then the daemon."""
        self.boots += 1
        done = list(recover.recover(self.layout.root, f"boot-{self.boots}"))
        self.daemon.boot()
        self.daemon.pause(30)
        return done

    @property
    def current(self) -> str | None:
        return recover.look(self.layout.root).current

    @property
    def said(self) -> Update:
        return msgspec.json.decode(self.layout.state.read_bytes(), type=Update)

    @property
    def refused(self) -> dict[str, object]:
        return recover.read(self.layout.refused)

    def starts(self, release: Path | None = None) -> str:
        """What the program of a release says, by default of the one that `current` leads to: it is really started."""
        program = (release or self.layout.current) / "bin" / "wegewart-edge"
        done = subprocess.run([str(program), "version"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
