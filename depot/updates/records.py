# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a roll-out is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from depot.errors import DepotError

State = Literal["draft", "running", "paused", "done", "stopped"]
#: Where a vehicle stands. waiting: not told yet. offered: told, no answer yet. taken: it said yes. ailing: the release
#: runs, or was about to, and an alarm began. newer: it runs a later one.
Phase = Literal[
    "waiting", "offered", "taken", "staged", "pending", "active", "newer", "failed", "refused", "ailing", "excused"
]
GOOD: frozenset[Phase] = frozenset({"active", "newer"})
BAD: frozenset[Phase] = frozenset({"failed", "refused", "ailing"})
UNDER_WAY: frozenset[Phase] = frozenset({"offered", "taken", "staged", "pending"})


class RolloutError(DepotError):
    """It cannot be done with this roll-out; `status` is the HTTP status that says so."""

    exit_code = 8

    def __init__(self, text: str, *, status: int = 409) -> None:
        super().__init__(text)
        self.status = status


class Step(Struct, frozen=True, kw_only=True):
    """Whom a step adds: a group, or so many vehicles that it is this share of all, those before it counted in.

    `hold_h`: hours that all must have been well before the next step. `most_failed`: the share of failures above
    which the roll-out pauses.
    """

    group: str | None = None
    share: float | None = None
    hold_h: float = 24.0
    most_failed: float = 0.0


#: Where nobody says otherwise.
USUAL = (
    Step(group="canary", hold_h=24.0, most_failed=0.0),
    Step(share=0.2, hold_h=24.0, most_failed=0.1),
    Step(share=1.0, hold_h=0.0, most_failed=0.1),
)


class Why(Struct, frozen=True, kw_only=True):
    """Why a roll-out stands still. `vehicles`: those that failed, with what they say."""

    reason: Literal["failed", "repository", "person"]
    text: str = ""
    vehicles: dict[str, str] = {}


@dataclass(frozen=True)
class Rollout:
    """A row of `rollouts`."""

    number: int
    release: str
    steps: tuple[Step, ...]
    state: State
    step: int
    step_utc: str | None = None
    complete_utc: str | None = None

    @property
    def is_at_last(self) -> bool:
        """Whether no step follows."""
        return self.step == len(self.steps) - 1


@dataclass(frozen=True)
class Vehicle:
    """A vehicle in service, as the depot knows it. `is_newer`: it runs a release after the roll-out's.

    `update_noted_utc`: when the depot learned of its update. `alarms`: those that go on, and since when.
    """

    name: str
    group: str
    online: bool
    release: str | None = None
    update_release: str | None = None
    update_state: str | None = None
    update_reason: str = ""
    update_noted_utc: str = ""
    is_newer: bool = False
    alarms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """A vehicle that the roll-out has come to; see `depot.updates.tables`."""

    vehicle: str
    step: int
    wished_utc: str | None = None
    attempts: int = 0
    next_utc: str | None = None
    answer: Literal["ok", "refused"] | None = None
    answer_text: str | None = None
    excused: bool = False
