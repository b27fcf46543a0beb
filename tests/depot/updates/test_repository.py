# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the depot reads out of a repository, and that nothing that lies there can trip it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from depot.updates.repository import OFFLINE, ONLINE, Repository, bytes_of
from tests.depot.updates.made import FAR, repository, soon

NOW = datetime(2026, 11, 22, 9, tzinfo=timezone.utc)
NOW_UTC = "2026-11-22T09:00:00.000Z"


def test_releases_come_newest_first_with_what_a_vehicle_would_load(tmp_path: Path) -> None:
    repository(tmp_path, "2026.11.1", "2026.11.2")
    offer = Repository(tmp_path).offer()
    assert [(one.id, one.number) for one in offer.releases] == [("2026.11.2", 2), ("2026.11.1", 1)]
    newest, before = offer.releases
    assert (bytes_of(newest), bytes_of(newest, before)) == (15, 10)  # the model is the same
    assert (offer.number("2026.11.1"), offer.number("2026.1.1"), offer.number(None)) == (1, None, None)
    assert offer.problem is None
    assert offer.hindrance("2026.11.2", NOW_UTC) is None


def test_what_is_published_later_is_seen_and_what_was_taken_back_is_gone(tmp_path: Path) -> None:
    made = repository(tmp_path, "2026.11.1")
    read = Repository(tmp_path)
    assert len(read.offer().releases) == 1
    made.add("2026.11.2", 2)
    assert len(read.offer().releases) == 1  # not published yet
    made.publish()
    assert len(read.offer().releases) == 2
    made.remove("2026.11.1")
    made.publish()
    assert "no release 2026.11.1" in str(read.offer().hindrance("2026.11.1", NOW_UTC))


def test_it_says_when_the_signatures_end(tmp_path: Path) -> None:
    made = repository(tmp_path)
    made.publish(expires=soon(2, NOW))
    offer = Repository(tmp_path).offer()
    assert offer.days_left(ONLINE, NOW_UTC) == pytest.approx(2)
    assert offer.days_left(OFFLINE, NOW_UTC) == pytest.approx((FAR - NOW).days, abs=1)
    assert "expired" in str(offer.hindrance("2026.11.1", "2026-11-24T09:00:01.000Z"))


def test_a_release_whose_bytes_were_changed_is_not_offered(tmp_path: Path) -> None:
    repository(tmp_path, "2026.11.1", "2026.11.2")
    (path,) = (tmp_path / "targets" / "releases").glob("*.2026.11.2.json")
    path.write_bytes(path.read_bytes().replace(b"Stand 2", b"Stand 9"))
    offer = Repository(tmp_path).offer()
    assert [one.id for one in offer.releases] == ["2026.11.1"]
    assert "do not have the hash" in (offer.unreadable or {})["releases/2026.11.2.json"]


@pytest.mark.parametrize("missing", ["timestamp.json", "1.snapshot.json", "1.targets.json", "1.root.json"])
def test_a_repository_that_is_not_whole_is_told_in_one_line(tmp_path: Path, missing: str) -> None:
    repository(tmp_path)
    (tmp_path / "metadata" / missing).unlink()
    offer = Repository(tmp_path).offer()
    assert offer.releases == ()
    assert missing in str(offer.problem)
    assert "\n" not in str(offer.problem)


def test_one_that_was_mended_is_read_again(tmp_path: Path) -> None:
    repository(tmp_path)
    path = tmp_path / "metadata" / "1.targets.json"
    content = path.read_bytes()
    path.write_bytes(b"{")
    read = Repository(tmp_path)
    assert "no JSON" in str(read.offer().problem)
    path.write_bytes(content)
    assert read.offer().problem is None


def test_without_a_folder_it_says_which_setting_is_missing() -> None:
    offer = Repository(None).offer()
    assert "updates.repository" in str(offer.problem)
    assert offer.hindrance("2026.11.1", NOW_UTC) == offer.problem


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    which=st.sampled_from(["timestamp.json", "1.snapshot.json", "1.targets.json", "1.root.json"]),
    key=st.sampled_from(["signed", "meta", "targets", "expires", "version"]),
    value=ANYTHING,
)
def test_whatever_stands_in_the_metadata_the_depot_does_not_trip(
    tmp_path: Path, which: str, key: str, value: object
) -> None:
    if not (tmp_path / "metadata").exists():
        repository(tmp_path)
    path = tmp_path / "metadata" / which
    before = path.read_bytes()
    found = json.loads(before)
    (found if key == "signed" else found["signed"])[key] = value
    path.write_text(json.dumps(found))
    try:
        offer = Repository(tmp_path).offer()
        offer.hindrance("2026.11.1", NOW_UTC)
        assert offer.problem is None or "\n" not in offer.problem
    finally:
        path.write_bytes(before)
