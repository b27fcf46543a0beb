# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where an observation lies once its vehicle knows better."""

from __future__ import annotations

from msgspec.structs import replace

from messages.types import Observation, Revision


def corrected(seen: Observation, revision: Revision | None) -> Observation:
    """The observation at its revised place.

    What a revision leaves out stays as it was observed (not as an earlier revision said): so the place follows from
    these two alone, whatever arrived in between and in which order.
    """
    if revision is None:
        return seen
    position = revision.position
    return replace(
        seen,
        position=seen.position if position is None else replace(position, revised=True),
        line=revision.line or seen.line,
        heading_deg=seen.heading_deg if revision.heading_deg is None else revision.heading_deg,
    )
