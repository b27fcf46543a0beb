# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Is a release on trial good? Decision only: a verdict over all that was seen of it.

"It runs" is not enough: a process may live and do nothing. So frames must come, and a vehicle that moves must look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from edge.heartbeat import Heartbeat
from edge.update.ports import Unit

MOST_RESTARTS = 3
MOST_BLIND_M = 200.0
MOST_BLIND_S = 180.0
#: The daemon says how it is every two seconds; without a word or a frame for so long it hangs.
MOST_SILENT_S = 60.0
#: The old daemon may need so long to end.
FAREWELL_S = 60.0


@dataclass(frozen=True)
class Limits:
    """`start_s`: until the first frame was looked at; `window_s`: how long it must then be well."""

    start_s: float
    window_s: float


@dataclass(frozen=True)
class Sample:
    """One look; `time_s` on the monotonic clock."""

    time_s: float
    unit: Unit
    beat: Heartbeat | None


@dataclass(frozen=True)
class Verdict:
    """`open`: look again later. `ready`: it has looked at a first frame. `reason`: what is wrong with a bad one."""

    state: Literal["good", "bad", "open"]
    ready: bool = False
    reason: str = ""


def judge(samples: Sequence[Sample], release: str, limits: Limits) -> Verdict:
    """What the samples, first one at the start of the trial, say of a release."""
    if not samples:
        return Verdict("open")
    begun_s, last = samples[0].time_s, samples[-1]
    passed_s = last.time_s - begun_s
    if last.unit.active == "failed":
        return _bad(f"its service failed ({last.unit.result}, exit status {last.unit.exit_status})")
    if last.unit.restarts >= MOST_RESTARTS:
        return _bad(f"it ended {last.unit.restarts} times ({last.unit.result}, exit status {last.unit.exit_status})")
    speaking = last.beat is not None and last.beat.is_fresh(last.time_s)
    if speaking and last.beat is not None and last.beat.release != release and passed_s > FAREWELL_S:
        return _bad(f"{last.beat.release or 'software without a release'} runs instead of it")
    run = _run(samples, release)
    if not run:
        silent_s = last.time_s - max(_ready_until(samples, release), begun_s)
        if silent_s >= limits.start_s:
            return _bad(f"it did not look at a first frame within {limits.start_s:.0f} s")
        return Verdict("open", ready=_ready_until(samples, release) >= begun_s)
    problem = _blind(run, last.time_s)
    if problem is not None:
        return Verdict("bad", ready=True, reason=f"trial: {problem}")
    well_s = last.time_s - run[0].time_s
    # However short the window: READY is a word, a frame that was looked at is a deed.
    is_good = speaking and well_s >= limits.window_s and run[-1].beat.looked > 0
    return Verdict("good" if is_good else "open", ready=True)


def _bad(reason: str) -> Verdict:
    return Verdict("bad", reason=f"trial: {reason}")


@dataclass(frozen=True)
class _Look:
    time_s: float
    beat: Heartbeat


def _ours(samples: Sequence[Sample], release: str) -> Iterator[_Look]:
    """Looks at which the release had said that it is ready, since the trial began."""
    for sample in samples:
        beat = sample.beat
        if beat is not None and beat.release == release and beat.ready and beat.monotonic_s >= samples[0].time_s:
            yield _Look(sample.time_s, beat)


def _ready_until(samples: Sequence[Sample], release: str) -> float:
    """When a process of the release was last seen ready; before the trial if never."""
    return max((look.time_s for look in _ours(samples, release)), default=float("-inf"))


def _run(samples: Sequence[Sample], release: str) -> list[_Look]:
    """All looks at the process that runs now; none while it is not ready, or is started anew."""
    looks = list(_ours(samples, release))
    if not looks:
        return []
    pid = looks[-1].beat.pid
    run = [look for look in looks if look.beat.pid == pid]
    newest = samples[-1].beat
    return [] if newest is None or newest.pid != pid or not newest.ready else run


def _blind(run: Sequence[_Look], now_s: float) -> str | None:
    """What of a process that is ready does not move although it should."""
    first, last = run[0], run[-1].beat
    if now_s - last.monotonic_s >= MOST_SILENT_S:
        return f"it has not said anything for {now_s - last.monotonic_s:.0f} s"
    if not last.looked and now_s - first.time_s >= MOST_BLIND_S:
        return f"it said that it is ready and looked at nothing for {now_s - first.time_s:.0f} s"
    frame = next(look for look in run if look.beat.frames == last.frames)
    if now_s - frame.time_s >= MOST_SILENT_S:
        return f"no frame has come for {now_s - frame.time_s:.0f} s"
    looked = next(look for look in run if look.beat.looked == last.looked)
    blind_m = last.moved_m - looked.beat.moved_m
    return f"the vehicle moved {blind_m:.0f} m and it looked at nothing" if blind_m >= MOST_BLIND_M else None
