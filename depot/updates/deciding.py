# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a roll-out does next. Pure: no database, no network, no clock.

A step is complete while every vehicle that it has come to and that can be reached runs the release, or has failed
within the limit, or is excused by a person. Who was told and has not ended yet holds the step up even while it is
away; who was never heard since does not. A step must have been complete without a break for its time before the next
one begins. The last step ends only when nobody waits any more.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from depot.roads.projections import moment
from depot.updates.records import BAD, GOOD, UNDER_WAY, Member, Phase, Rollout, Vehicle, Why

#: Without an answer a vehicle is told again after so long, twice as long each time.
_FIRST_WAIT_S, _LONGEST_WAIT_S = 60.0, 3600.0
#: One that has said yes is reminded after so long without any sign of it.
_REMIND_S = 24 * 3600.0
#: Told at once; the others at the next look.
MOST_AT_ONCE = 50
#: Alarms that may be the release's fault, and in which phases.
_SWITCHED: frozenset[Phase] = frozenset({"pending", "active"})
_TELLING: dict[str, frozenset[Phase]] = {
    # The last word of one that never came back may be "staged".
    "offline": _SWITCHED | {"staged"},
    "frame_rate": _SWITCHED,
    "faults": _SWITCHED,
    "lost": _SWITCHED,
}


@dataclass(frozen=True)
class Standing:
    """Where a vehicle stands, and what it or the depot says of it."""

    phase: Phase
    text: str = ""


@dataclass(frozen=True)
class Decision:
    """`rollout`: as it is from now on; `joined`: vehicles it has come to; `wishes`: members to be told, as claimed."""

    rollout: Rollout
    joined: tuple[Member, ...] = ()
    wishes: tuple[Member, ...] = ()
    why: Why | None = None


def standing(vehicle: Vehicle, member: Member, release: str) -> Standing:
    """Where a vehicle stands in a roll-out of this release."""
    if vehicle.is_newer:
        return Standing("newer")
    of_this = vehicle.update_release == release
    phase, text = _told(vehicle, member, release, of_this=of_this)
    alarm = next(
        (
            name
            for name, phases in _TELLING.items()
            if phase in phases and _since_wish(vehicle.alarms.get(name), member)
        ),
        None,
    )
    if alarm is not None:
        phase, text = "ailing", alarm
    if member.excused and phase not in GOOD:
        phase = "excused"
    return Standing(phase, text)


def _told(vehicle: Vehicle, member: Member, release: str, *, of_this: bool) -> tuple[Phase, str]:
    state = vehicle.update_state if of_this else None
    if state == "active" or (vehicle.release == release and state is None):
        return "active", ""
    if state == "staged":
        return "staged", vehicle.update_reason
    if state == "pending":
        return "pending", vehicle.update_reason
    # An earlier failure says nothing of this wish: the vehicle is told, and may fail once more.
    if state == "failed" and _since_wish(vehicle.update_noted_utc, member):
        return "failed", vehicle.update_reason
    if member.wished_utc is None:
        return "waiting", ""
    if member.answer == "refused":
        return "refused", member.answer_text or ""
    return ("taken" if member.answer == "ok" else "offered"), member.answer_text or ""


def _since_wish(utc: str | None, member: Member) -> bool:
    return utc is not None and member.wished_utc is not None and utc > member.wished_utc


def standings(rollout: Rollout, vehicles: Iterable[Vehicle], members: Mapping[str, Member]) -> dict[str, Standing]:
    """Of all members that are in service, by name."""
    return {
        vehicle.name: standing(vehicle, members[vehicle.name], rollout.release)
        for vehicle in vehicles
        if vehicle.name in members
    }


def joining(rollout: Rollout, vehicles: Sequence[Vehicle], members: Iterable[str], step: int) -> list[str]:
    """Whom a step adds to those that the roll-out has come to, by name."""
    known, wanted = set(members), rollout.steps[step]
    fresh = [vehicle.name for vehicle in vehicles if vehicle.name not in known]
    if wanted.group is not None:
        return sorted(vehicle.name for vehicle in vehicles if vehicle.group == wanted.group and vehicle.name in fresh)
    # Rounded before: 0.07 * 100 is a little more than 7.
    most = math.ceil(round((wanted.share or 0.0) * len(vehicles), 6))
    fresh.sort(key=lambda name: _lot(rollout.number, name))
    return sorted(fresh[: max(most - (len(vehicles) - len(fresh)), 0)])


def _lot(rollout: int, vehicle: str) -> str:
    """The same for ever, and another order in each roll-out, so that not the same vehicles always go first."""
    return hashlib.sha256(f"{rollout}/{vehicle}".encode()).hexdigest()


def plan(rollout: Rollout, vehicles: Sequence[Vehicle], members: Iterable[str] = ()) -> list[list[str]]:
    """Whom each step would still add to the members, if nothing changed; those that are over add nobody."""
    found: list[list[str]] = [[] for _ in range(rollout.step)]
    known = list(members)
    for step in range(rollout.step, len(rollout.steps)):
        found.append(joining(rollout, vehicles, known, step))
        known += found[-1]
    return found


def decide(
    rollout: Rollout, vehicles: Sequence[Vehicle], members: Mapping[str, Member], now_utc: str, *,
    hindrance: str | None = None,
) -> Decision:  # fmt: skip
    """The next step of a roll-out.

    Args:
        rollout: as it stands.
        vehicles: those in service.
        members: those that it has come to, by name.
        now_utc: the depot's clock.
        hindrance: why no vehicle could take the release now.
    """
    if rollout.state != "running":
        return Decision(rollout)
    if hindrance is not None:
        return Decision(replace(rollout, state="paused"), why=Why(reason="repository", text=hindrance))
    added = [Member(name, rollout.step) for name in joining(rollout, vehicles, members, rollout.step)]
    everyone = {**members, **{member.vehicle: member for member in added}}
    stand = standings(rollout, vehicles, everyone)
    failed = {name: found.text or found.phase for name, found in stand.items() if found.phase in BAD}
    if _share_of(failed, stand) > rollout.steps[rollout.step].most_failed + 1e-9:
        return Decision(replace(rollout, state="paused"), tuple(added), why=Why(reason="failed", vehicles=failed))
    online = {vehicle.name for vehicle in vehicles if vehicle.online}
    moved = _moved(rollout, stand, online, now_utc)
    wishes = [
        _claimed(everyone[name], now_utc) for name in sorted(online) if _is_due(everyone.get(name), stand, now_utc)
    ]
    return Decision(moved, tuple(added), tuple(wishes[:MOST_AT_ONCE]))


def _share_of(failed: Mapping[str, str], stand: Mapping[str, Standing]) -> float:
    """Of those that anything is known of."""
    counted = sum(found.phase not in {"waiting", "excused"} for found in stand.values())
    return len(failed) / counted if counted else 0.0


def _moved(rollout: Rollout, stand: Mapping[str, Standing], online: set[str], now_utc: str) -> Rollout:
    if not _is_complete(stand, online):
        return replace(rollout, complete_utc=None)
    since_utc = rollout.complete_utc or now_utc
    since, now = moment(since_utc), moment(now_utc)
    assert since is not None
    assert now is not None
    if now - since < timedelta(hours=rollout.steps[rollout.step].hold_h):
        return replace(rollout, complete_utc=since_utc)
    if not rollout.is_at_last:
        return replace(rollout, step=rollout.step + 1, step_utc=now_utc, complete_utc=None)
    if any(found.phase == "waiting" for found in stand.values()):
        return replace(rollout, complete_utc=since_utc)
    return replace(rollout, state="done", complete_utc=since_utc)


def _is_complete(stand: Mapping[str, Standing], online: set[str]) -> bool:
    """Somebody has it, and of those that can be reached nobody is still to have it."""
    if any(found.phase in UNDER_WAY for found in stand.values()):
        return False
    if any(found.phase == "waiting" and name in online for name, found in stand.items()):
        return False
    return any(found.phase != "waiting" for found in stand.values())


def _is_due(member: Member | None, stand: Mapping[str, Standing], now_utc: str) -> bool:
    if member is None or stand[member.vehicle].phase not in ("waiting", "offered", "taken"):
        return False
    return member.next_utc is None or member.next_utc <= now_utc


def _claimed(member: Member, now_utc: str) -> Member:
    """The member as it is written down before it is told: whoever dies in between tells it again later."""
    wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(member.attempts, 10))
    return replace(
        member,
        wished_utc=member.wished_utc or now_utc,
        attempts=member.attempts + 1,
        next_utc=later(now_utc, wait_s),
        answer=None,
        answer_text=None,
    )


def answered(member: Member, now_utc: str, *, ok: bool, text: str) -> Member:
    """The member after a vehicle's answer."""
    if not ok:
        return replace(member, answer="refused", answer_text=text)
    return replace(member, answer="ok", answer_text=text, next_utc=later(now_utc, _REMIND_S))


def later(utc: str, seconds: float) -> str:
    """`seconds` after a time of the depot's clock."""
    time = moment(utc)
    assert time is not None
    return (time + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
