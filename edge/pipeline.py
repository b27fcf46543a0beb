# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One frame through all stages: pose, sampling, detection, tracking, anonymising, confirming, correcting.

Knows the stages only by what it calls; `edge.daemon` builds them. Bad frames are counted, never fatal.

A frame's pose is that of its capture: a look waits until a measurement taken after it has come, so that its pose lies
between measurements and is never "the newest fix". Receivers are late as well: measurements are taken over in order of
time, behind the present as far as the slowest receiver is.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edge.asked import AskedPlaces
from edge.clock import UtcClock
from edge.defects.revisions import Revisions
from edge.defects.surface_place import SurfacePlace
from edge.defects.tracker import Defect, Step
from edge.delivery.port import Delivery
from edge.geometry import Calibration
from edge.judging import Judge, Look, Surface, Verdict
from edge.looking import Looked, Looking
from edge.ports import PositionSource
from edge.positioning.positioner import Positioner
from edge.privacy.anonymise import PrivacySettings, SafePicture, anonymise
from edge.privacy.guard import Guard
from edge.roughness.meter import RoughnessMeter
from edge.sampling.coverage import Stretch
from edge.sampling.sampler import Sampler
from edge.sampling.surroundings import SurroundingsWatch, brightness
from edge.telling import Identity, Teller
from edge.types import Acceleration, Box, Correction, Detection, Fix, Frame, Odometry, Pose, Surroundings
from messages.types import Time

#: So many looks wait for their pose at most: they hold pictures.
_MOST_WAITING = 24
_LAST_CORRECTIONS = 4


@dataclass(frozen=True)
class Timing:
    """When measurements are taken over, seconds against the frame at hand.

    lookahead_s: in a replay: the recording knows what comes. Live 0: the source holds back what is not complete.
    settle_s: a look that no later measurement has come for is placed by what is known after this time.
    """

    lookahead_s: float = 0.0
    settle_s: float = 0.0


@dataclass(frozen=True)
class Stages:
    """What a frame passes through.

    `judges`: who looks at what where; `looking`: for what the depot asked to see; `guard`: who must not be recognised.
    """

    positions: PositionSource
    positioner: Positioner
    sampler: Sampler
    surroundings: SurroundingsWatch
    judges: Mapping[Surroundings, tuple[Judge, ...]]
    revisions: Revisions
    roughness: RoughnessMeter | None
    delivery: Delivery
    looking: Looking = field(default_factory=lambda: Looking(AskedPlaces(None), None))
    guard: Guard = field(default_factory=lambda: Guard(None))


@dataclass(frozen=True)
class _Kept:
    """The best look at a defect that is still in view, made safe once the defect is confirmed.

    Till then it is in memory alone. Frames are shared, so there are no more of them than looks at the road in view.
    """

    frame: Frame
    box: Box
    private: tuple[Detection, ...]
    horizon_row: float | None


class Pipeline:
    """Takes frames one after the other; `counters` says what became of them."""

    def __init__(
        self,
        stages: Stages,
        *,
        identity: Identity,
        clock: UtcClock,
        calibration: Calibration | None,
        privacy: PrivacySettings | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._stages = stages
        self._clock = clock
        self._teller = Teller(identity, clock)
        self._horizon_row = None if calibration is None else _horizon_row(calibration)
        self._timing = timing or Timing()
        self._privacy = privacy or PrivacySettings()
        self._kept: dict[tuple[Surface, int], _Kept] = {}
        self._waiting: deque[Look] = deque()
        self._corrections: deque[Correction] = deque(maxlen=_LAST_CORRECTIONS)
        self._measured_s = float("-inf")
        self.counters: Counter[str] = Counter()
        #: Where the newest frame was taken; None before the first.
        self.pose: Pose | None = None

    @property
    def sampler(self) -> Sampler:
        """Which frames are judged; the depot may ask for others."""
        return self._stages.sampler

    @property
    def looking(self) -> Looking:
        """What the depot has asked to see."""
        return self._stages.looking

    @property
    def judges(self) -> tuple[Judge, ...]:
        """All judges, each once."""
        return tuple({id(j): j for judges in self._stages.judges.values() for j in judges}.values())

    def take(self, frame: Frame, *, may_look: bool = True) -> bool:
        """Take one frame; True where it was looked at: judged, or refused with a reason that the coverage tells.

        `may_look` False: the computer is too hot for another look just now; only the motion is taken over.
        """
        self.counters["frames_seen"] += 1
        self._measure(frame.time_s + self._timing.lookahead_s)
        pose = self.pose = self._stages.positioner.pose_at(frame.time_s)
        self.counters["frames_left_out_by_heat"] += not may_look
        taken = may_look and self._stages.sampler.take(pose)
        if taken:
            look = self._look(frame, pose)
            if all(verdict.reason is not None for verdict in look.verdicts):
                self._stages.sampler.refused()
            self._waiting.append(look)
        self._settle(frame.time_s)
        self._revise()
        self._tell_roughness(pose)
        return taken

    def finish(self) -> None:
        """The drive is over: place what waits, end every track and the open stretches."""
        if self._timing.lookahead_s > 0:
            self._measure(float("inf"))
        self._settle(float("inf"))
        self._revise()
        for judge in self.judges:
            self._conclude(judge, judge.tracker.finish())
            self._cover(judge.coverage.flush())
        self._tell_looks(self.looking.finish())
        if self._stages.roughness is not None:
            self._stages.roughness.flush()
            self._confirm_roughness()

    def tell_time(self, network: tuple[float, float] | None) -> bool:
        """Let the depot know what the clock has learnt, from fixes or from `network` (UTC, at monotonic seconds).

        With it the depot dates what went out before. True where there was something to tell.
        """
        if network is not None:
            self._clock.observe_network(*network)
        news = list(self._clock.news())
        for message in news:
            self._stages.delivery.confirm(message)
        return bool(news)

    def time_at(self, time_s: float) -> Time:
        """The message time of a moment on the monotonic clock."""
        return self._clock.at(time_s)

    def faults(self, now_s: float) -> tuple[str, ...]:
        """What is wrong now, one line each."""
        fault = self._clock.fault(now_s)
        return () if fault is None else (fault,)

    def counts(self) -> Counter[str]:
        """What became of frames, and what was wrong with measurements, by name."""
        counts = Counter(self.counters)
        parts = {"position": self._stages.positioner.counts, "surroundings": self._stages.surroundings.counts}
        parts |= {f"tracker_{judge.surface}": judge.tracker.counters for judge in self.judges}
        if self._stages.roughness is not None:
            parts["roughness"] = self._stages.roughness.counts
        counts.update(self.looking.counters)
        counts["places_asked"] = len(self.looking.places)
        counts["pictures_guarded"] = self._stages.guard.looked
        for part, numbers in parts.items():
            counts.update({f"{part}_{name}": n for name, n in numbers.items()})
        return counts

    # ---- positions

    def _measure(self, until_s: float) -> None:
        for measurement in self._stages.positions.until(until_s):
            if isinstance(measurement, Acceleration):
                if self._stages.roughness is not None:
                    self._stages.roughness.add(measurement)
                continue
            if isinstance(measurement, Fix) and measurement.time_s <= until_s:
                self._clock.observe(measurement)
            if isinstance(measurement, Fix | Odometry):
                self._measured_s = max(self._measured_s, measurement.time_s)
            self._stages.positioner.add(measurement)

    def _settle(self, now_s: float) -> None:
        """Place the looks whose poses will not become better."""
        while self._waiting:
            look = self._waiting[0]
            known = self._measured_s >= look.frame.time_s or now_s - look.frame.time_s >= self._timing.settle_s
            if not known and len(self._waiting) <= _MOST_WAITING:
                return
            self._waiting.popleft()
            pose = self._pose_at(look.frame.time_s)
            for verdict in look.verdicts:
                self._place(look.frame, pose, verdict)
            self._tell_looks(self.looking.passed(pose))
            idle = {id(judge) for judge in self.judges} - {id(v.judge) for v in look.verdicts if v.reason is None}
            for judge in self.judges:
                if id(judge) in idle:
                    self._conclude(judge, judge.tracker.roll_on(pose))

    def _pose_at(self, time_s: float) -> Pose:
        """The pose of a look: as corrected, where the correction came first (a look waits, a recording looks ahead)."""
        for correction in self._corrections:
            if correction.start_s <= time_s <= correction.end_s:
                return correction.pose_at(time_s)
        return self._stages.positioner.pose_at(time_s)

    def _revise(self) -> None:
        for correction in self._stages.positioner.corrections():
            self.counters["corrections"] += 1
            self._corrections.appendleft(correction)
            for judge in self.judges:
                judge.tracker.correct(correction)
            for revised in self._stages.revisions.correct(correction):
                self._stages.delivery.confirm(self._teller.revision(revised, correction.reason, correction.end_s))
                self.counters["revisions_confirmed"] += 1

    # ---- looking

    def _look(self, frame: Frame, pose: Pose) -> Look:
        surroundings = self._stages.surroundings.update(pose, brightness(frame.picture))
        verdicts = tuple(judge.look(frame.picture, pose.speed_mps) for judge in self._stages.judges[surroundings])
        reasons = [verdict.reason for verdict in verdicts]
        if None in reasons:
            self.counters["frames_judged"] += 1
        else:
            self.counters[f"frames_refused_{reasons[0]}"] += 1
        self.counters[f"frames_in_{surroundings}"] += 1
        return Look(frame, pose, verdicts)

    def _place(self, frame: Frame, pose: Pose, verdict: Verdict) -> None:
        judge = verdict.judge
        self._cover(judge.coverage.add(pose, verdict.reason, judge.surface))
        if verdict.reason is not None:
            return
        step = judge.tracker.step(frame, pose, verdict.defects, judge.surface)
        # A wall reaches above the horizon; the road does not.
        horizon_row = self._horizon_row if judge.surface == "road" else None
        self.looking.see(frame, pose, verdict, utc=self._clock.at(frame.time_s).utc, horizon_row=horizon_row)
        for track_id, box in step.best_now.items():
            self._kept[judge.surface, track_id] = _Kept(frame, box, verdict.private, horizon_row)
        self._conclude(judge, step)

    def _conclude(self, judge: Judge, step: Step) -> None:
        for defect in step.finished:
            self._confirm(judge, defect)
        for track_id in step.dropped:
            self._kept.pop((judge.surface, track_id), None)

    def _confirm(self, judge: Judge, defect: Defect) -> None:
        kept = self._kept.pop((judge.surface, defect.track_id), None)
        picture = None if kept is None else self._made_safe(kept)
        message = self._teller.observation(defect, judge.model, picture)
        event_id = self._stages.delivery.confirm(message, None if picture is None else picture.jpeg)
        self.counters["observations_confirmed"] += 1
        self._stages.revisions.note(event_id, defect)
        place = defect.place
        if self._stages.roughness is not None and judge.surface == "road" and isinstance(place, SurfacePlace):
            rectangle = (place.x_m, place.y_m, place.half_length_m, place.half_width_m)
            self._stages.roughness.note(event_id, defect.label, rectangle)

    def _made_safe(self, kept: _Kept) -> SafePicture:
        picture = kept.frame.picture
        private = self._stages.guard.private(picture, kept.private)
        return anonymise(picture, kept.box, private, self._privacy, horizon_row=kept.horizon_row)

    def _tell_looks(self, looks: Iterable[Looked]) -> None:
        for looked in looks:
            self._stages.delivery.confirm(self._teller.look(looked), looked.picture.jpeg)
            self.looking.done(looked)

    def _cover(self, stretch: Stretch | None) -> None:
        if stretch is not None:
            self._stages.delivery.confirm(self._teller.coverage(stretch))
            self.counters["coverage_confirmed"] += 1

    # ---- roughness

    def _tell_roughness(self, pose: Pose) -> None:
        if self._stages.roughness is not None:
            self._stages.roughness.move(pose)
            self._confirm_roughness()

    def _confirm_roughness(self) -> None:
        for stretch in () if self._stages.roughness is None else self._stages.roughness.take():
            self._stages.delivery.confirm(self._teller.roughness(stretch))
            self.counters["roughness_confirmed"] += 1


def _horizon_row(calibration: Calibration) -> float:
    """The row of a point on the road so far away that nothing beyond it matters."""
    pixel = calibration.road_to_pixel(1000.0, 0.0)
    return 0.0 if pixel is None else pixel[1]
