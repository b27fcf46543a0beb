# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which fixes are believed: those near to where the filter thinks it is, and those that insist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from edge.positioning.history import FIX_VALID_S
from edge.positioning.plausible import is_reachable

if TYPE_CHECKING:
    from edge.types import Fix

#: `insists`: the last of several refused ones that agree with each other. `news`: off, but the filter guessed for long.
Verdict: TypeAlias = Literal["believed", "refused", "insists", "news"]

_GATE = 13.8  # 99.9 % of chi-squared with two degrees of freedom
_AGREEING = 5
_AGREEING_EARLY = 2
_MAX_SPEED_MPS = 60.0
_MAX_TELEPORT_MPS = 400 / 3.6


class Gate:
    """Remembers the last fix believed and those refused since."""

    def __init__(self) -> None:
        self.last: Fix | None = None
        self.refused: list[Fix] = []
        self._believed = 0  # since the filter started

    def judge(self, fix: Fix, distance: float | None, *, odometer: bool) -> Verdict:
        """What to do with a fix.

        Args:
            fix: sane in itself.
            distance: squared Mahalanobis distance from the filter's place; None while there is no filter.
            odometer: whether the filter rests on more than speed.
        """
        before = self.last
        if distance is not None:
            near = distance <= _GATE
        else:
            near = before is None or is_reachable(before, fix, _MAX_TELEPORT_MPS)
        if near:
            return "believed"
        silent = before is not None and not odometer and fix.time_s - before.time_s > FIX_VALID_S
        if silent and before is not None and is_reachable(before, fix, _MAX_SPEED_MPS):
            return "news"
        if self.refused and not is_reachable(self.refused[-1], fix, _MAX_SPEED_MPS):
            self.refused = []
        self.refused.append(fix)
        # The filter's word weighs more with an odometer, and once its first guess of the heading has proved true.
        firm = odometer and self._believed >= _AGREEING
        return "insists" if len(self.refused) >= (_AGREEING if firm else _AGREEING_EARLY) else "refused"

    def believe(self, fix: Fix) -> None:
        """The fix counts."""
        self.last, self.refused = fix, []
        self._believed += 1

    def start_anew(self) -> None:
        """A filter has just started."""
        self._believed = 0

    def forget(self) -> None:
        """After a long silence nothing before says anything of what comes."""
        self.last = None
