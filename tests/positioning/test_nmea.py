# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.positioning.nmea import Epoch, NmeaEpochs, read_nmea_track
from edge.positioning.track import RANGE_ERROR_M, Problems, Track
from tests.positioning.sentences import DEGREES_PER_S, LAT, LON, epoch, gga, log, rmc, sentence

#: 1 May 2026, 08:30:00 UTC.
START_UTC_S = 1_777_624_200.0


def fed(*sentences: str) -> tuple[list[Epoch], dict[str, int]]:
    problems = Problems(Path("log.nmea"))
    epochs = NmeaEpochs(problems)
    found = [epochs.feed(line.encode()) for line in sentences] + [epochs.flush()]
    return [epoch for epoch in found if epoch is not None], problems.taken()


def read(tmp_path: Path, text: str | bytes) -> Track:
    path = tmp_path / "log.nmea"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_nmea_track(path)


@pytest.mark.parametrize("order", [(gga, rmc), (rmc, gga)])
def test_both_sentences_of_an_epoch_make_one_fix_as_soon_as_the_second_is_there(order: tuple) -> None:
    epochs = NmeaEpochs(Problems(Path("log")))
    assert epochs.feed(order[0](5.0).encode()) is None
    found = epochs.feed(order[1](5.0).encode())
    assert found is not None
    assert found.lat == pytest.approx(LAT + 5 * DEGREES_PER_S, abs=1e-7)
    assert found.lon == pytest.approx(LON, abs=1e-7)
    assert found.speed_mps == pytest.approx(10.0, abs=0.01)  # from knots
    assert found.heading_deg == 0.5
    assert found.error_m == pytest.approx(1.2 * RANGE_ERROR_M)
    assert found.utc_s == START_UTC_S + 5
    assert epochs.flush() is None


@pytest.mark.parametrize(("kind", "utc"), [(gga, None), (rmc, START_UTC_S)])
def test_one_kind_of_sentence_alone_is_enough(kind, utc: float | None) -> None:
    found, problems = fed(kind(0.0), kind(1.0), kind(2.0))
    assert [e.day_s - found[0].day_s for e in found] == [0, 1, 2]
    assert found[0].utc_s == utc
    assert problems == {}


@pytest.mark.parametrize(
    "bad",
    [
        (gga(1.0, quality=0), rmc(1.0)),
        (gga(1.0, quality=7), rmc(1.0)),
        (gga(1.0), rmc(1.0, status="V")),
        (rmc(1.0, status="V"), gga(1.0)),
        (rmc(1.0, status="V"),),
    ],
)
def test_no_fix_stands_where_either_sentence_denies_it(bad: tuple[str, ...]) -> None:
    found, problems = fed(*bad, gga(2.0), rmc(2.0))
    assert [round(e.day_s) for e in found] == [30602]
    assert problems == {"no_fix": 1}


def test_a_receivers_own_dead_reckoning_counts_as_poorly_known_and_a_simulator_as_invented() -> None:
    (found,), _ = fed(gga(1.0, quality=6), rmc(1.0))
    assert found.error_m == 20
    _, problems = fed(gga(1.0, quality=8), rmc(1.0))
    assert problems == {"invented": 1}


@pytest.mark.parametrize(
    ("code", "quality", "error_m"),
    [
        (1, "autonomous", 3.6), (2, "differential", 1.8), (3, "autonomous", 3.6), (4, "rtk_fixed", 0.06),
        (5, "rtk_float", 0.6), (6, "dead_reckoning", 20.0), (8, None, 3.6),
    ],
)  # fmt: skip
def test_what_a_fix_rests_on_comes_from_gga_and_scales_its_error(
    code: int, quality: str | None, error_m: float
) -> None:
    (found,), _ = fed(gga(1.0, quality=code), rmc(1.0))
    assert found.quality == quality
    assert found.at(7.0).quality == quality
    assert found.error_m == pytest.approx(error_m)


@pytest.mark.parametrize(("mode", "quality"), [("A", "autonomous"), ("R", "rtk_fixed"), ("E", "dead_reckoning")])
def test_without_gga_the_mode_of_rmc_tells_what_a_fix_rests_on(mode: str, quality: str) -> None:
    (found,), _ = fed(sentence(rmc(1.0)[1:-3].removesuffix("A") + mode))
    assert found.quality == quality


def test_null_island_is_no_fix() -> None:
    found, problems = fed(sentence("GPGGA,083001.00,0000.000000,N,00000.000000,E,1,08,1.2,40.0,M,39.0,M,,"))
    assert found == []
    assert problems == {"null_island": 1}


def test_a_log_whose_date_rolled_over_keeps_its_places_and_loses_its_utc(tmp_path: Path) -> None:
    track = read(tmp_path, "\r\n".join(rmc(float(s), date="150906") for s in range(4)))
    assert [fix.time_s for fix in track.fixes] == [0, 1, 2, 3]
    assert track.zero_utc_s is None
    assert [(p.name, p.count) for p in track.problems] == [("utc_past", 4)]
    assert "2006-09-15 cannot be (week roll-over?)" in track.problems[0].text


def test_a_wrong_checksum_is_counted_with_its_line_and_left_out(tmp_path: Path) -> None:
    text = log(range(3)) + rmc(3.0).replace("A,52", "A,53") + "\r\n" + log(range(4, 6))
    track = read(tmp_path, text)
    assert [fix.time_s for fix in track.fixes] == [0, 1, 2, 4, 5]
    (problem,) = track.problems
    assert (problem.name, problem.count) == ("checksum", 1)
    assert "log.nmea: line 7: " in problem.text


def test_fractions_of_seconds_and_other_sentences_are_no_trouble() -> None:
    found, problems = fed("$GPGSV,3,1,11*7F", gga(0.2), rmc(0.2), "", "# note", gga(0.4), rmc(0.4))
    assert [round(e.day_s % 1, 3) for e in found] == [0.2, 0.4]
    assert problems == {}


def test_the_log_counts_its_seconds_from_the_first_fix_and_keeps_utc(tmp_path: Path) -> None:
    track = read(tmp_path, log(range(10)))
    assert [fix.time_s for fix in track.fixes] == list(range(10))
    assert track.zero_utc_s == START_UTC_S
    assert track.problems == ()


@pytest.mark.parametrize("kind", [gga, rmc])
def test_midnight_is_passed_with_and_without_a_date(tmp_path: Path, kind) -> None:
    before = 15 * 3600 + 30 * 60 - 2.0
    lines = [
        kind(before + s) if kind is gga else rmc(before + s, date="010526" if s < 2 else "020526") for s in range(4)
    ]
    assert [fix.time_s for fix in read(tmp_path, "\r\n".join(lines)).fixes] == [0, 1, 2, 3]


def test_bytes_of_another_protocol_between_sentences_are_skipped(tmp_path: Path) -> None:
    ubx = b"\xb5b\x01\x07\\\x00" + bytes(range(92))
    data = b"".join(ubx + epoch(float(s)).encode() for s in range(5))
    assert len(read(tmp_path, data).fixes) == 5


@pytest.mark.parametrize(
    "body",
    ["GPRMC,,V,,,,,,,,,,N", "GPGGA,,,,,,0,,,,M,,M,,", "GPRMC,083000.00,A,,,,,,,010526,,,A", "GPGGA", "GPRMC,x,y,z"],
)
def test_empty_and_malformed_sentences_are_counted(body: str) -> None:
    found, problems = fed(sentence(body))
    assert found == []
    assert sum(problems.values()) == 1


def test_a_log_without_a_fix_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"log.nmea: line 2: the receiver warns of its fix .*no usable position"
    ) as caught:
        read(tmp_path, f"{gga(0.0, quality=0)}\r\n{rmc(0.0, status='V')}\r\n".replace("GPGGA", "GPGSA"))
    assert "\n" not in str(caught.value)


fields = st.lists(
    st.sampled_from(["", "A", "V", "N", "E", "1", "083000.00", "5230.0", "01324.0", "-1", "x", "1e400"]), max_size=16
)


@given(st.sampled_from(["GPGGA", "GPRMC", "GNRMC"]), fields)
def test_no_field_breaks_the_reader(kind: str, values: list[str]) -> None:
    found, _ = fed(sentence(",".join([kind, *values])), gga(1.0), rmc(1.0))
    assert found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(tmp_path: Path, noise: bytes) -> None:
    track = read(tmp_path, log(range(2)).encode() + noise + b"\n" + log(range(2, 4)).encode())
    assert len(track.fixes) >= 3
