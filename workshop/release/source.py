# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The project's own wheel for vehicles: without depot and workshop, the same bytes whenever it is built.

Its version names the commit that last changed something in it (0.1.0+g1a2b3c4d5e6f). A release that brings nothing but
a new model therefore has the same wheel as the one before, and a vehicle needs not fetch it again.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.release.wheels import last_error, run

#: What a vehicle runs, and what is needed to build it.
PARTS = ("edge", "messages", "settings", "LICENSES", "pyproject.toml")
LOCK = "requirements/edge.lock"
#: Lines of pyproject.toml for the depot, or that would change the wheel with the README.
_NOT_FOR_VEHICLES = (r'readme = "README\.md"\n', r'wegewart-depot = "depot\.cli:main"\n')
#: Where a vehicle finds the date of its software: the earliest time that it believes.
CLOCK = "edge/update/trusted/clock.py"
_BUILT = re.compile(r"^BUILT = .+$", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A checkout. `epoch`: seconds since 1970, the date of the software. `software`: its version."""

    root: Path
    files: tuple[str, ...]
    software: str
    epoch: int

    @property
    def wheel(self) -> str:
        """The wheel's file name."""
        return f"wegewart-{self.software}-py3-none-any.whl"


def find(root: Path, models: tuple[Path, ...], *, dirty: bool) -> Source:
    """Look at a checkout.

    Args:
        root: its folder.
        models: folders of model packages; those inside the checkout must be as committed too.
        dirty: take it as it is, also with changes that are in no commit.

    Raises:
        WorkshopError: no checkout, it has changes and `dirty` was not said, or its commit is from the future.
    """
    inside = [str(path.resolve().relative_to(root)) for path in models if path.resolve().is_relative_to(root)]
    changes = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *PARTS, LOCK, *inside).splitlines()
    if changes and not dirty:
        raise WorkshopError(
            f"{root}: {len(changes)} changes are in no commit (the first: {changes[0][3:]}); commit them, or --dirty"
        )
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PARTS).split("\0")
    files = tuple(sorted(name for name in listed if name and (root / name).is_file()))
    commit, epoch = _git(root, "log", "-1", "--format=%H %ct", "--", *PARTS).split()
    if int(epoch) > time.time():
        raise WorkshopError(
            f"{root}: commit {commit[:12]} is from the future, by this computer's clock; a vehicle with such a release"
            " would refuse updates until then: set the clock right, or commit anew"
        )
    mark = f"dirty.{_digest(root, files)[:12]}" if any(_part(line) for line in changes) else f"g{commit[:12]}"
    version = re.search(r'^version = "([0-9.]+)"$', (root / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    if version is None:
        raise WorkshopError(f"{root / 'pyproject.toml'}: has no version")
    return Source(root, files, f"{version[1]}+{mark}", int(epoch))


def build(source: Source, into: Path) -> Path:
    """Build the wheel; returns its path.

    Raises:
        WorkshopError: it cannot be built.
    """
    tree = into / "tree"
    for name in source.files:
        copy = tree / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.root / name, copy)
        copy.chmod(0o644)
    _date(tree / CLOCK, source.epoch)
    project = tree / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    text = re.sub(r'^version = ".*"$', f'version = "{source.software}"', text, count=1, flags=re.MULTILINE)
    for line in _NOT_FOR_VEHICLES:
        text = re.sub(line, "", text, count=1)
    project.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-deps", "--no-index"]
    done = run(
        [*command, "--no-build-isolation", "--no-cache-dir", f"--wheel-dir={into}", str(tree)],
        extra={"SOURCE_DATE_EPOCH": str(source.epoch), "PYTHONHASHSEED": "0"},
    )
    if done.returncode or not (into / source.wheel).is_file():
        raise WorkshopError(f"{source.wheel}: cannot be built: {last_error(done.stderr)}")
    return into / source.wheel


def _date(clock: Path, epoch: int) -> None:
    """Write the commit's time into the software: whatever its clock says, a vehicle believes no time before it."""
    text, found = _BUILT.subn(f"BUILT = datetime.fromtimestamp({epoch}, tz=timezone.utc)", clock.read_text("utf-8"))
    if found != 1:
        raise WorkshopError(f"{CLOCK}: has {found} lines 'BUILT = ', one is to be the release's date")
    clock.write_text(text, encoding="utf-8")


def _part(change: str) -> bool:
    """Whether a line of `git status` is about something in the wheel."""
    return change[3:].strip('"').split("/")[0] in PARTS


def _digest(root: Path, files: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in files:
        digest.update(name.encode() + b"\0" + hashlib.sha256((root / name).read_bytes()).digest())
    return digest.hexdigest()


def _git(root: Path, *arguments: str) -> str:
    try:
        done = run(["git", "-C", str(root), *arguments])
    except OSError as error:
        raise WorkshopError(f"git: {error.strerror}; a release is built from a git checkout") from None
    if done.returncode:
        raise WorkshopError(f"{root}: {last_error(done.stderr)}; a release is built from a git checkout")
    return done.stdout
