# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Watches the system that runs on trial until it is kept or left; the old one comes back by itself at any other end."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.os_update import deciding
from edge.os_update.control import Control
from edge.os_update.health import Course, Look

EVERY_S = 5.0
#: How often a healthy trial is put on record: it writes to the card.
SAVE_EVERY_S = 600.0

_log = logging.getLogger(__name__)


def watch(control: Control, look: Callable[[], Look], wait: Callable[[float], None]) -> str:
    """Watch the trial of this boot; at once "none" where there is none, else "kept" or "left".

    Args:
        control: the update.
        look: one look at the daemon, with the time of it.
        wait: waits for so many seconds.

    Raises:
        Doubt: the trial went well but may not be kept; whoever runs this then boots.
    """
    if control.is_stray():
        control.leave("on trial, but the record of it is lost")
        return "left"
    if not control.on_trial():
        return "none"
    course, saved_s = Course(), 0.0
    well_s = look().now_s
    while True:
        now = look()
        course = course.after(now)
        healthy_s = course.healthy_s(now.now_s)
        if healthy_s < saved_s:
            saved_s = 0.0  # it was not well in between: a new stretch
        if healthy_s:
            well_s = now.now_s
        if healthy_s >= deciding.HEALTHY_S and healthy_s - saved_s >= (SAVE_EVERY_S if saved_s else 0.0):
            control.saw(healthy_s - saved_s)
            saved_s = healthy_s
        verdict = deciding.judged(control.record(), course, now_s=now.now_s, well_s=well_s, online=now.online)
        if verdict.what != "wait":
            _log.warning("%s: %s", verdict.what, verdict.reason)
            if verdict.what == "keep":
                control.keep()
                return "kept"
            control.leave(verdict.reason)
            return "left"
        control.waits(verdict.reason)
        wait(EVERY_S)
