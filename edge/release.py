# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which release this process was started from, what the updater says of it, and which one the depot wishes for.

Software that was put there by hand has no release and no updater.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.delivery.pictures import write_durably
from edge.update.layout import COMPLETE, Layout
from messages.release import RELEASE_PATTERN
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


def wish(release: str, folder: Path) -> None:
    """Note the depot's wish for the updater; the newest one counts.

    Raises:
        ValueError: one line: not the name of a release, or it cannot be written down.
    """
    if re.fullmatch(RELEASE_PATTERN, release) is None:
        raise ValueError(f"{release!r} is not the name of a release, such as 2026.11.1")
    try:
        write_durably(Layout(incoming=folder).wanted, msgspec.json.encode({"release": release}))
    except OSError as error:
        raise ValueError(f"the wish for {release} cannot be written down: {error.strerror}") from None
