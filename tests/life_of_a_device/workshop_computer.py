# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The workshop's computer: scripts/provision, scripts/release and scripts/flash, typed as in docs/technician.md."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from pathlib import Path

from tests.delivery.samples import VEHICLE
from tests.servers import HOST
from tests.workshop.flash import making
from tests.workshop.release.desk import git
from workshop import provision
from workshop.flash import cli as flash
from workshop.release import cli as release
from workshop.release.source import LOCK

ROOT = Path(__file__).parents[2]
MACHINE = platform.machine()
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
#: An x86 computer is nobody's vehicle; on others a container cannot be told from the board that it runs on.
BOARD = "pc" if MACHINE == "x86_64" else "raspberry_pi_5"


class WorkshopComputer:
    """Keys, repository and a checkout below one folder. `media`: the sticks that lie around, by release."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fleet, self.repository, self.keys = folder / "fleet", folder / "repository", folder / "keys"
        self.media = folder / "media"
        self.media.mkdir(parents=True)
        self.checkout = _checkout(folder / "checkout")
        self.street = self.checkout / "models" / "street"
        self._secret = folder / "passphrase"
        self._secret.write_text("korrekt pferd batterie\n")
        self._number = 0

    # ---- scripts/provision

    def provision(self, *words: str) -> None:
        """`scripts/provision FLEET ...`."""
        assert provision.main([str(self.fleet), *words]) == 0, words

    def new_fleet(self) -> None:
        """An authority, and certificates for broker, depot and the vehicle."""
        self.provision("init", "--name", "Test")
        self.provision("broker", HOST, "localhost")
        self.provision("depot")
        self.provision("vehicle", VEHICLE)

    # ---- scripts/release

    def new_repository(self) -> None:
        """Keys and a repository without a release."""
        self._release("init", "--keys", self.keys, *self._passphrase())

    def release(self, model: Path, *, app_of: str | None = None) -> str:
        """Build, sign and publish a release of the checkout; its id."""
        self._number += 1
        made = f"2026.11.{self._number}"
        app = ("--app-of", app_of) if app_of else ("--machine", MACHINE, "--python", PYTHON)
        self._release("build", "--id", made, "--checkout", self.checkout, "--model", model, *app)
        for step in ("sign", "publish"):
            self._release(step, "--keys", self.keys, *self._passphrase())
        return made

    def stick(self, made: str, *, base: str | None = None) -> str:
        """A stick with a release; its place on the vehicle."""
        less = ("--base", base) if base else ()
        self._release("bundle", self.media / made, "--release", made, *less)
        return f"/media/{made}"

    def stick_bytes(self, made: str) -> int:
        """How large it is."""
        return sum(path.stat().st_size for path in (self.media / made).rglob("*") if path.is_file())

    def change(self, name: str, old: str, new: str) -> None:
        """Another version of the software: one place in one file, committed."""
        path = self.checkout / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name}: {old!r} is not what the test takes it for"
        path.write_text(text.replace(old, new), encoding="utf-8")
        git(self.checkout, "commit", "--quiet", "--all", "--message", f"another {name}")

    def undo(self) -> None:
        """As it was before the last change."""
        git(self.checkout, "revert", "--no-edit", "HEAD")

    def model(self, version: str, *, thresholds: float | None = None) -> Path:
        """The street model under another version. `thresholds`: with 1 or nearly it finds nothing."""
        folder = self.folder / "models" / version
        shutil.copytree(self.street, folder)
        manifest = folder / "model.toml"
        text = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', manifest.read_text(encoding="utf-8"))
        if thresholds is not None:
            head, table, rest = re.split(r"(?s)(\[thresholds\].*?)(?=\n\n)", text, maxsplit=1)
            text = head + re.sub(r"= 0\.\d+", f"= {thresholds}", table) + rest
        manifest.write_text(text, encoding="utf-8")
        return folder

    def _release(self, *words: object) -> None:
        assert release.main([str(self.repository), *map(str, words)]) == 0, words

    def _passphrase(self) -> tuple[str, str]:
        return "--passphrase-file", str(self._secret)

    # ---- scripts/flash

    def flash(self, vehicle_toml: str, first: str) -> Path:
        """A card for the vehicle with its first release; returns its boot partition, as the vehicle mounts it."""
        image = making.raw_image(self.folder / "os.img", boot_mib=256, root_mib=2)
        site = making.site(self.folder)
        (self.folder / "vehicle.toml").write_text(vehicle_toml, encoding="utf-8")
        card = self.folder / "card"
        card.touch()
        words = [image, card, "--vehicle", VEHICLE, "--site", site, "--fleet", self.fleet, "--serial", card.name]
        words += ["--bundle", self.media / first, "--root-json", self.keys / "root.json"]
        assert flash.main([str(word) for word in words]) == 0
        boot = self.folder / "boot"
        boot.mkdir()
        making.run("mcopy", "-s", "-n", "-i", f"{card}@@{making.MIB}", "::/*", str(boot))
        for path in (image, card):
            path.unlink()
        return boot


def _checkout(folder: Path) -> Path:
    """What a vehicle's release is made of, in a repository of its own: changes of it harm nobody."""
    for name in ("edge", "messages", "settings", "LICENSES", "models/street"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", ".gitignore", LOCK):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    git(folder.parent, "init", "--quiet", str(folder))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "as it is")
    return folder
