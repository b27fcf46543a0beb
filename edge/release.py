# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The release that this process was started from, and what the updater says of it; without an updater neither."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.update.layout import COMPLETE, Layout
from messages.types import Update

#: Systemd's unit sets it to `current/models`; without it the models of a checkout are used.
MODELS = "WEGEWART_MODELS"
#: The updater's folder for wishes, as the daemon's unit names it.
_UPDATE_FOLDER = "wegewart-update"


@dataclass(frozen=True)
class Running:
    """Found once, at the start: `current` may lead elsewhere later."""

    name: str
    layout: Layout

    def update(self) -> Update | None:
        """What the updater is at; None where it has not said anything that can be read."""
        try:
            return msgspec.json.decode(self.layout.state.read_bytes(), type=Update)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None


def running(environment: Mapping[str, str] = os.environ) -> Running | None:
    """The release whose models this process was told to use; None where there is none."""
    models = environment.get(MODELS, "")
    if not models:
        return None
    folder = Path(models).parent.resolve()
    if not (folder / COMPLETE).is_file():
        return None
    return Running(folder.name, Layout(folder.parent.parent, incoming(environment) or Layout.incoming))


def incoming(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The updater's folder among systemd's state folders; None where the unit names none."""
    folders = [Path(name) for name in environment.get("STATE_DIRECTORY", "").split(":") if name]
    return next((folder for folder in folders if folder.name == _UPDATE_FOLDER), None)


def delivered_models(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of model packages that came with the software: the release's; without a release a checkout's.

    A technician who types a command has not set what the units set: then it is that of the release that runs.
    """
    named, checkout = environment.get(MODELS, ""), Path(__file__).resolve().parent.parent / "models"
    if named and Path(named).is_dir():
        return Path(named)
    return checkout if checkout.is_dir() else Layout().current / "models"
