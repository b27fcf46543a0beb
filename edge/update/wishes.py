# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The depot's wish, as the daemon noted it, until it has been answered.

A wish that came to an end must not come up again when somebody installs another release by hand. Its file belongs to
the daemon, so the updater leaves it and remembers which file it was: the daemon notes a new wish by a new file.
"""

from __future__ import annotations

from edge.update import recover
from edge.update.layout import Layout


def open_wish(layout: Layout) -> str | None:
    """The release that is wished for and has not been answered; None without a wish that can be read."""
    release = recover.read(layout.wanted).get("release")
    if not isinstance(release, str) or recover.read(layout.answered).get("wish") == _mark(layout):
        return None
    return release


def answer(layout: Layout, release: str) -> None:
    """It is active, or was refused and will not be taken.

    Raises:
        OSError: the disk takes nothing.
    """
    if open_wish(layout) == release:
        recover.write_json(layout.answered, {"release": release, "wish": _mark(layout)})


def _mark(layout: Layout) -> str:
    """Which file it is; empty where there is none."""
    try:
        found = layout.wanted.stat()
    except OSError:
        return ""
    return f"{found.st_ino}-{found.st_mtime_ns}"
