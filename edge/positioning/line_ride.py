# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One ride along one line: the filter's states over time, what was seen on the way, and both looked at backwards."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from edge.positioning.line_course import Course, Stretch, between
from edge.positioning.line_filter import Along, measured, moved, smoothed
from edge.types import Pose

#: A state is kept this often while the vehicle moves, seconds and metres.
_NODE_S, _NODE_M = 0.5, 0.02
#: What a ride keeps at most (about three hours of driving without a fix), and what it keeps while fixes come, seconds.
_MAX_NODES = 20_000
_KEEP_S = 60.0
#: Ahead of the last measurement a place is given for so long, seconds, and is this uncertain, (m/s)^2 per s.
_COAST_S = 5.0
_ACCELERATION_Q = 1.5**2


@dataclass(frozen=True)
class Seen:
    """A measured chainage; `error_m`: one standard deviation."""

    chainage_m: float
    error_m: float
    kind: Literal["fix", "landmark", "stop"]


@dataclass(frozen=True)
class Node:
    """The state at a time, with the odometer's way in the direction of growing chainage since the node before.

    `pose`: as the estimator gave it.
    """

    time_s: float
    way_m: float
    dt_s: float
    state: Along
    pose: Pose
    seen: Seen | None = None


class Ride:
    """States in order of time. `fixed_s`: time of the last fix that lay on the line."""

    def __init__(self, course: Course, state: Along, time_s: float, pose: Pose, *, fixed_s: float = -math.inf) -> None:
        self.course = course
        self.nodes = [Node(time_s, 0.0, 0.0, state, pose)]
        self.time_s = time_s
        self.ended_s = math.inf
        self.fixed_s = fixed_s
        #: What the vehicle rolled since the ride began, backwards counts negative.
        self.rolled_m = 0.0
        self._way_m = 0.0
        self._speed_mps = 0.0

    @property
    def state(self) -> Along:
        """After everything that came."""
        last = self.nodes[-1]
        return moved(last.state, self._way_m, self.time_s - last.time_s)

    def roll(self, time_s: float, metres: float, pose: Pose) -> None:
        """The vehicle rolled on by the odometer's metres, backwards where they are negative."""
        dt = time_s - self.time_s
        self._speed_mps = metres / dt if dt > 0 else self._speed_mps
        self._way_m += self.course.sign * metres
        self.rolled_m += metres
        self.time_s = time_s
        if time_s - self.nodes[-1].time_s >= _NODE_S and abs(self._way_m) >= _NODE_M:
            self._note(pose)

    def ahead_m(self, time_s: float) -> float:
        """How far chainage has gone on at a time after the last measurement, at the speed of then."""
        return self.course.sign * self._speed_mps * min(max(0.0, time_s - self.time_s), _COAST_S)

    def see(self, seen: Seen, pose: Pose) -> None:
        """The vehicle is at a measured chainage at the time of the last roll."""
        self._note(pose, seen)

    def fixed(self, time_s: float) -> None:
        """A fix lay on the line: what was before it is as well known as it will be."""
        self.fixed_s = time_s
        if self.nodes[-1].time_s - self.nodes[0].time_s > 2 * _KEEP_S:
            del self.nodes[: self._index(self.time_s - _KEEP_S)]

    def _note(self, pose: Pose, seen: Seen | None = None) -> None:
        state = self.state
        if seen is not None:
            state = measured(state, seen.chainage_m, seen.error_m)
        dt = self.time_s - self.nodes[-1].time_s
        self.nodes.append(Node(self.time_s, self._way_m, dt, state, pose, seen))
        self._way_m = 0.0
        if len(self.nodes) > _MAX_NODES:
            del self.nodes[: _MAX_NODES // 10]

    def at(self, time_s: float) -> Along | None:
        """The state at a time; None before the ride, after it, and where too long nothing was measured."""
        if not self.nodes[0].time_s <= time_s <= min(self.ended_s, self.time_s + _COAST_S):
            return None
        last = self.nodes[-1]
        if time_s >= self.time_s:
            ahead = moved(self.state, self.ahead_m(time_s), 0.0)
            return replace(ahead, cc=ahead.cc + _ACCELERATION_Q * (time_s - self.time_s) ** 3 / 3)
        if time_s >= last.time_s:
            return between(last.state, self.state, (time_s - last.time_s) / (self.time_s - last.time_s))
        after = self._index(time_s) + 1
        a, b = self.nodes[after - 1], self.nodes[after]
        return between(a.state, b.state, (time_s - a.time_s) / (b.time_s - a.time_s))

    def _index(self, time_s: float) -> int:
        """The last node not after a time (the first, where all are)."""
        return max(0, bisect.bisect_right(self.nodes, time_s, key=lambda node: node.time_s) - 1)

    # ---- backwards

    def stretch(self, *, since: Literal["fix", "known point"]) -> Stretch:
        """All states since the last fix, or since the last known point, by what was seen up to now."""
        first = len(self.nodes) - 2
        while first > 0 and not self._is_known(self.nodes[first], since):
            first -= 1
        nodes = self.nodes[max(0, first) :]
        return Stretch(self.course, [node.time_s for node in nodes], smoothed(nodes), [node.pose for node in nodes])

    def _is_known(self, node: Node, since: str) -> bool:
        # Of a standing vehicle not every fix is taken.
        return (node.seen is not None and (since != "fix" or node.seen.kind == "fix")) or node.time_s <= self.fixed_s

    def without(self, doubted: Callable[[Node], bool]) -> list[Node]:
        """The nodes as they were without what some of them have seen."""
        nodes = [self.nodes[0]]
        for node in self.nodes[1:]:
            state = moved(nodes[-1].state, node.way_m, node.dt_s)
            seen = None if node.seen is not None and doubted(node) else node.seen
            if seen is not None:
                state = measured(state, seen.chainage_m, seen.error_m)
            nodes.append(replace(node, state=state, seen=seen))
        return nodes
