# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""By which time metadata is judged: no clock that stands at 1970 believes what ended long ago."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuf.api.metadata import Timestamp

from edge.update.trusted import UntrustedError, clock
from messages.release import ISSUED
from tests.update.trusted.conftest import Vehicle
from tests.update.trusted.simulator import NOW, Repository, stamp

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, vehicle: Vehicle) -> list[datetime]:
    """This computer's clock stands at the last of these, and nobody told a better time."""
    times = [EPOCH]
    monkeypatch.setattr(clock, "system_now", lambda: times[-1])
    vehicle.told = None
    return times


def test_the_latest_known_time_judges_and_says_whose_it_is() -> None:
    late = clock.BUILT + timedelta(days=300)
    assert clock.judge_by(late, None).source == "the trusted time"
    assert clock.judge_by(EPOCH, None).source == "the date of this software"
    assert clock.judge_by(EPOCH, late).source == "when the newest timestamp was signed"
    assert clock.judge_by(late, late - timedelta(1)).time == late
    assert clock.judge_by(None, None).time >= clock.BUILT


@given(
    st.tuples(*[st.datetimes(timezones=st.just(timezone.utc)) for _ in range(2)]),
    st.none() | st.datetimes(timezones=st.just(timezone.utc)),
)
def test_no_known_time_is_ever_later_than_the_one_that_judges(
    times: tuple[datetime, datetime], signed: datetime | None
) -> None:
    now, built = times
    judged = clock.judge_by(now, signed, built)
    assert judged.time in (now, built, signed)
    assert all(judged.time >= time for time in (now, built, signed) if time is not None)


@pytest.mark.parametrize(
    "text", [None, 5, "", "yesterday", "2027-01-01", "9999-99-99T00:00:00Z", stamp(NOW + timedelta(2))]
)
def test_a_date_of_signing_that_is_none_or_after_the_end_does_not_count(text: object) -> None:
    timestamp = Timestamp(expires=NOW + timedelta(days=1))
    timestamp.unrecognized_fields[ISSUED] = text
    assert clock.issued(timestamp) is None
    timestamp.unrecognized_fields[ISSUED] = stamp(NOW)
    assert clock.issued(timestamp) == NOW


def test_at_1970_what_ended_before_this_software_was_made_is_refused(
    vehicle: Vehicle, repository: Repository, tmp_path: Path, at: list[datetime]
) -> None:
    repository.issued = None
    repository.timestamp.expires = clock.BUILT - timedelta(days=1)
    repository.publish("timestamp")
    with pytest.raises(UntrustedError, match="the date of this software") as refused:
        vehicle.open(repository.bundle(tmp_path / "old"))
    assert refused.value.reason == "freeze"


def test_at_1970_what_ended_before_the_newest_timestamp_is_refused(
    vehicle: Vehicle, repository: Repository, tmp_path: Path, at: list[datetime]
) -> None:
    repository.issued = NOW + timedelta(days=20)
    repository.publish("timestamp")
    assert vehicle.take(repository.bundle(tmp_path / "newest"))
    repository.issued = NOW + timedelta(days=5)
    repository.timestamp.expires = NOW + timedelta(days=10)
    repository.publish("timestamp")
    with pytest.raises(UntrustedError, match="when the newest timestamp was signed") as refused:
        vehicle.open(repository.bundle(tmp_path / "frozen"))
    assert refused.value.reason == "freeze"


def test_at_1970_the_new_timestamp_s_own_date_judges_the_rest(
    vehicle: Vehicle, repository: Repository, tmp_path: Path, at: list[datetime]
) -> None:
    repository.issued = NOW
    repository.targets.expires = NOW - timedelta(days=1)
    repository.publish_all()
    with pytest.raises(UntrustedError) as refused:
        vehicle.open(repository.bundle(tmp_path / "old targets"))
    assert refused.value.reason == "expired"


def test_at_1970_an_honest_bundle_is_taken(vehicle: Vehicle, stick: Path, at: list[datetime]) -> None:
    assert vehicle.take(stick)


def test_a_clock_that_is_ahead_refuses_says_so_and_takes_the_bundle_once_it_is_right(
    vehicle: Vehicle, stick: Path, at: list[datetime]
) -> None:
    at.append(NOW + timedelta(days=5000))
    with pytest.raises(UntrustedError, match="this computer's clock") as refused:
        vehicle.open(stick)
    assert stamp(at[-1]) in str(refused.value)
    assert refused.value.reason == "expired"
    at.append(NOW)
    assert vehicle.take(stick)


def test_the_trusted_time_counts_where_it_is_given(vehicle: Vehicle, stick: Path, at: list[datetime]) -> None:
    at.append(NOW + timedelta(days=5000))
    vehicle.told = NOW
    assert vehicle.take(stick)
    vehicle.told = NOW + timedelta(days=31)
    with pytest.raises(UntrustedError, match="the trusted time"):
        vehicle.open(stick)


def test_the_date_of_this_software_is_not_in_the_future() -> None:
    assert datetime.now(timezone.utc) > clock.BUILT
