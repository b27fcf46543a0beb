# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What lies where on a vehicle that is updated.

current -> releases/ID             what runs; replaced by one atomic rename, nothing else switches
updater -> releases/ID             what the updater runs from; follows once a release is confirmed
releases/ID/release.json           the manifest as it was signed
releases/ID/bin -> ../../apps/APP/bin
releases/ID/models/NAME -> ../../../models/NAME-VERSION-SHA8
apps/APP/                          a virtual environment, made at its place
models/NAME-VERSION-SHA8/          a model package
update/                            trust/ (metadata), cache/ (verified targets by SHA-256), the updater's own files

Every folder below releases, apps and models gets the empty file COMPLETE last of all; without it nothing may use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

COMPLETE = "COMPLETE"


@dataclass(frozen=True)
class Layout:
    """Paths below one root. `incoming`: where what was fetched, not yet believed, lies."""

    root: Path = Path("/opt/wegewart")
    incoming: Path = Path("/var/lib/wegewart-update")
    runtime: Path = Path("/run/wegewart")

    @property
    def current(self) -> Path:
        """The release that runs (a link)."""
        return self.root / "current"

    @property
    def updater(self) -> Path:
        """The release from which the updater runs (a link)."""
        return self.root / "updater"

    @property
    def releases(self) -> Path:
        """Releases side by side."""
        return self.root / "releases"

    @property
    def apps(self) -> Path:
        """Virtual environments side by side."""
        return self.root / "apps"

    @property
    def models(self) -> Path:
        """Model packages side by side."""
        return self.root / "models"

    @property
    def own(self) -> Path:
        """The updater's own files."""
        return self.root / "update"

    @property
    def trust(self) -> Path:
        """TUF metadata that was believed last."""
        return self.own / "trust"

    @property
    def cache(self) -> Path:
        """Verified targets, each named by its SHA-256."""
        return self.own / "cache"

    @property
    def state(self) -> Path:
        """What the depot is told (`messages.types.Update`); anybody may read it."""
        return self.own / "state.json"

    @property
    def journal(self) -> Path:
        """What was under way, for after a cut."""
        return self.own / "journal.json"

    @property
    def refused(self) -> Path:
        """Releases that failed here, with their reasons: not tried again by themselves."""
        return self.own / "refused.json"

    @property
    def wanted(self) -> Path:
        """The depot's wish, written by the daemon: `{"release": ID}`."""
        return self.incoming / "wanted.json"

    @property
    def answered(self) -> Path:
        """The wish that came to an end, good or bad (`wishes.py`)."""
        return self.own / "answered.json"

    @property
    def bundle(self) -> Path:
        """The folder into which is fetched: a bundle as on a USB stick."""
        return self.incoming / "incoming"
