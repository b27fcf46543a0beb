# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The messages themselves. Every number carries its unit in its name and, where it is measured, an error.

Unknown fields are ignored on reading (an old depot reads a newer vehicle), wrong types and values
out of bounds are refused.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from messages.topics import SHA256_PATTERN

Degrees = Annotated[float, Meta(ge=0, lt=360, description="clockwise from true north")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="WGS 84, degrees east")]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="WGS 84, degrees north")]
Metres = Annotated[float, Meta(ge=0, le=1e7)]
Speed = Annotated[float, Meta(ge=0, le=150, description="metres per second")]
Score = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Text = Annotated[str, Meta(max_length=500)]
# In Python a bare $ also matches before a last newline.
Sha256 = Annotated[str, Meta(pattern=rf"^{SHA256_PATTERN}(?!\n)$")]
_UTC_PATTERN = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z(?!\n)$"
)
Utc = Annotated[str, Meta(pattern=_UTC_PATTERN, description="RFC 3339, always Z")]


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all messages: immutable, keyword-only, defaults left out on the wire."""


FixQuality = Literal["autonomous", "differential", "rtk_float", "rtk_fixed", "dead_reckoning"]


class Position(Message, frozen=True):
    """Where a defect lies, and what that rests on. `error_m` is one standard deviation along any one direction.

    `method`: by fixes before and after, by odometer and heading since the last fix, or along a known line.
    `quality`: what the receiver said of the last fix. `since_fix_m`: way rolled without one.
    `revised`: corrected backwards after fixes or a known point came again (see `Revision`).
    """

    lon: Longitude
    lat: Latitude
    error_m: Metres
    method: Literal["gnss", "dead_reckoned", "line"]
    quality: FixQuality | None = None
    since_fix_m: Metres | None = None
    revised: bool = False


class LinePosition(Message, frozen=True):
    """Where on a named line (tunnel, track, road section): chainage in metres from its zero."""

    line: Name
    chainage_m: float
    error_m: Metres
    track: Name | None = None
    #: Seen in the direction of growing chainage.
    side: Literal["left", "middle", "right"] | None = None


class LineStretch(Message, frozen=True):
    """A stretch of a named line; `from_m` above `to_m` where the vehicle ran against the chainage."""

    line: Name
    from_m: float
    to_m: float
    error_m: Metres
    track: Name | None = None


class LiningPlace(Message, frozen=True):
    """Where on a tunnel's lining. `clock`: hours as seen in driving direction, 12 is the crown, 3 the right wall."""

    clock: Annotated[float, Meta(ge=0, lt=12)]
    #: Above the road or the top of the rail.
    height_m: float
    side: Literal["left", "crown", "right"]


class Size(Message, frozen=True):
    """Extent on the road surface; `error_m` is one standard deviation of length and width."""

    length_m: Metres
    width_m: Metres
    error_m: Metres

    @property
    def area_m2(self) -> float:
        """Area of the enclosing rectangle in square metres."""
        return self.length_m * self.width_m


class Severity(Message, frozen=True):
    """Grade 1 (slight) to 5 (severe) with the name of the written rule that gave it."""

    grade: Annotated[int, Meta(ge=1, le=5)]
    rule: Name


class Time(Message, frozen=True):
    """When. `utc` is missing while no source of UTC is trusted; `monotonic_s` counts within `boot`."""

    boot: Name
    monotonic_s: float
    quality: Literal["gnss", "ntp", "rtc", "replay", "unset"]
    utc: Utc | None = None


class ModelRef(Message, frozen=True):
    """Which model judged."""

    name: Name
    version: Name
    sha256: Sha256


class Anonymised(Message, frozen=True):
    """What was made unrecognisable in a picture before it was written or sent."""

    method: Name
    people: Count = 0
    vehicles: Count = 0
    area_share: Annotated[float, Meta(ge=0, le=1)] = 0.0


class PictureRef(Message, frozen=True):
    """The picture that belongs to an observation or a look; its bytes travel on `picture/{sha256}`."""

    sha256: Sha256
    bytes: Annotated[int, Meta(ge=1, le=2_000_000)]
    width: Annotated[int, Meta(ge=1, le=20_000)]
    height: Annotated[int, Meta(ge=1, le=20_000)]
    #: x1, y1, x2, y2 in pixels of this picture: of the defect, or of the place that was asked for.
    box: tuple[float, float, float, float]
    anonymised: Anonymised


class Observation(Message, frozen=True):
    """One physical defect as one vehicle saw it on one pass."""

    defect_class: Name = field(name="class")
    score: Score
    frames_seen: Annotated[int, Meta(ge=1, le=100_000)]
    time: Time
    model: ModelRef
    software: Name
    calibration: Name
    surface: Literal["road", "lining"] = "road"
    position: Position | None = None
    line: LinePosition | None = None
    lining: LiningPlace | None = None
    heading_deg: Degrees | None = None
    speed_mps: Speed | None = None
    size: Size | None = None
    severity: Severity | None = None
    picture: PictureRef | None = None


class AskedPlace(Message, frozen=True):
    """A place of which the depot wants a picture: on earth, or on a known line (in a tunnel).

    `radius_m`: so far around it everything is to be seen. `error_m`: how well the depot knows the place, one standard
    deviation along any one direction. `clock`: where on the lining. `heading_deg`: seen in about this direction.
    """

    radius_m: Annotated[float, Meta(ge=0.1, le=3)]
    surface: Literal["road", "lining"] = "road"
    lon: Longitude | None = None
    lat: Latitude | None = None
    error_m: Metres = 0.0
    line: LinePosition | None = None
    clock: Annotated[float, Meta(ge=0, lt=12)] | None = None
    heading_deg: Degrees | None = None


class Look(Message, frozen=True):
    """A picture of a place that the depot has asked for by a command, taken in passing; one for each command.

    `asked`: the command's id. `found`: classes that the model saw at the place in any of the `frames_judged` frames
    that showed it on this pass; empty: it saw nothing there. `position`, `line`: the place as asked for, with the error
    that it had on this pass. The picture's box is that place.
    """

    asked: Name
    frames_judged: Annotated[int, Meta(ge=1, le=100_000)]
    time: Time
    model: ModelRef
    software: Name
    calibration: Name
    picture: PictureRef
    found: Annotated[tuple[Name, ...], Meta(max_length=20)] = ()
    surface: Literal["road", "lining"] = "road"
    position: Position | None = None
    line: LinePosition | None = None
    heading_deg: Degrees | None = None
    speed_mps: Speed | None = None


class Revision(Message, frozen=True):
    """An observation's place, known better now. Of several for one observation the highest `number` holds.

    It may arrive before the observation itself; it never opens a case of its own.
    """

    observation: Name
    number: Annotated[int, Meta(ge=1, le=1_000_000)]
    reason: Literal["fix_returned", "known_point"]
    time: Time
    position: Position | None = None
    line: LinePosition | None = None
    heading_deg: Degrees | None = None


class Clock(Message, frozen=True):
    """At `time.monotonic_s` of `time.boot` it was `time.utc`: dates what that boot said before it knew its UTC.

    Of several for one boot the highest `number` holds. An event that carries UTC itself keeps it.
    """

    number: Annotated[int, Meta(ge=1, le=1_000_000)]
    time: Time


class Coverage(Message, frozen=True):
    """One stretch that was looked at, or that could not be judged and why."""

    #: (lon, lat) along the stretch; empty where no position was known.
    path: Annotated[tuple[tuple[Longitude, Latitude], ...], Meta(max_length=1000)]
    length_m: Metres
    frames_judged: Count
    valid: bool
    time: Time
    reason: (
        Literal["dark", "blurred", "overexposed", "blocked", "too_fast", "no_fix", "no_model", "bad_frame"] | None
    ) = None
    line: LineStretch | None = None
    surface: Literal["road", "lining"] = "road"


class RoughSection(Message, frozen=True):
    """About ten metres of road. `rms_mps2`: vertical acceleration as it would be at the reference speed."""

    path: Annotated[tuple[tuple[Longitude, Latitude], ...], Meta(max_length=50)]
    length_m: Metres
    speed_mps: Speed
    rms_mps2: Annotated[float, Meta(ge=0, le=1000)]


class Shock(Message, frozen=True):
    """One blow to the wheels. `observation`: the defect that the camera had seen there; None: it had seen none."""

    peak_mps2: Annotated[float, Meta(ge=0, le=1000)]
    speed_mps: Speed
    monotonic_s: float
    position: Position | None = None
    line: LinePosition | None = None
    observation: Name | None = None


class Roughness(Message, frozen=True):
    """How a stretch of road feels, by a written rule; indicative, never an evenness index of a survey vehicle."""

    rule: Name
    reference_speed_mps: Speed
    time: Time
    sections: Annotated[tuple[RoughSection, ...], Meta(max_length=100)] = ()
    shocks: Annotated[tuple[Shock, ...], Meta(max_length=100)] = ()


class Update(Message, frozen=True):
    """What the vehicle's updater is at, and what it did last.

    staged: built beside the running release, self-test passed, waits until the vehicle is parked. pending: switched to,
    on trial. active: confirmed. failed: refused or gone back, `reason` says why; `running` is what runs then.
    """

    release: Name
    state: Literal["staged", "pending", "active", "failed"]
    reason: Text = ""
    running: Name | None = None
    #: Starts of a release on trial that did not end well.
    attempts: Count = 0
    utc: Utc | None = None


class SystemUpdate(Message, frozen=True):
    """What the update of the operating system is at, where a card has two of them (docs/os_update.md).

    writing: into the system that does not run. installed: waits until the vehicle is parked. pending: tried, on trial.
    active: kept. failed: not kept or not written, `reason` says why; the system before runs.
    """

    state: Literal["none", "writing", "installed", "pending", "active", "failed"]
    #: As its bundle calls it; empty: not known.
    version: Annotated[str, Meta(max_length=100)] = ""
    reason: Text = ""


class Health(Message, frozen=True):
    """How the vehicle's daemon is.

    Counters count from the start of the process (`boot`); `stalls_*`, `ends_*` and `reboots_asked` over all of them.
    """

    time: Time
    counters: dict[Name, Count]
    gauges: dict[Name, float] = {}
    #: One line each: what is wrong now, in plain words.
    faults: Annotated[tuple[Text, ...], Meta(max_length=50)] = ()
    #: Missing where the software was not put there by the updater.
    update: Update | None = None
    #: Missing where nobody has ever updated the operating system.
    system: SystemUpdate | None = None


class Status(Message, frozen=True):
    """Retained. `session` tells an old last will from a new birth: a lower one is ignored."""

    state: Literal["online", "stopped", "offline"]
    boot: Name
    session: Count
    software: Name
    models: tuple[ModelRef, ...] = ()
    calibration: Name | None = None
    #: Release of the updater; missing where the software was not put there by it.
    release: Name | None = None


class Refusal(Message, frozen=True):
    """An event that the depot will never store, and why: the vehicle keeps it aside and stops sending."""

    id: Name
    reason: Text


class Part(Message, frozen=True):
    """Of a picture of `bytes` bytes that travels in chunks, the depot has committed those of these numbers."""

    sha256: Sha256
    bytes: Annotated[int, Meta(ge=1, le=2_000_000)]
    have: Annotated[tuple[Annotated[int, Meta(ge=0, le=61)], ...], Meta(max_length=62)] = ()


class Ack(Message, frozen=True):
    """From the depot: these are committed. Only this lets the vehicle delete.

    `parts` lets nothing go: it says what of a picture need not be sent again.
    """

    events: tuple[Name, ...] = ()
    pictures: tuple[Sha256, ...] = ()
    refused: tuple[Refusal, ...] = ()
    parts: tuple[Part, ...] = ()


class Command(Message, frozen=True):
    """From the depot to one vehicle; the event's id is the command's: one id is carried out once.

    `until`: not to be carried out after that. It is checked where the vehicle trusts its UTC; where it does not,
    the broker must have stated how long the message is still valid (MQTT 5), or the command is refused.
    update: take the release named in `value`, once parked; only what the fleet's keys have signed is ever installed.
    look: at the next pass until `until`, send a picture of `place`, for the case named in `case` (`Look`). It takes the
    place of an earlier one for that case; without `place` that one is withdrawn.
    """

    action: Literal["send_picture", "restart", "set", "update", "look"]
    sha256: Sha256 | None = None
    key: Name | None = None
    value: Text | None = None
    until: Utc | None = None
    case: Name | None = None
    place: AskedPlace | None = None


class Reply(Message, frozen=True):
    """From the vehicle: what became of a command. `text`: one line for whoever sent it."""

    command: Name
    ok: bool
    text: Text = ""
