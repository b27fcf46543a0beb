# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The short benchmark of position and size holds bounds a little looser than the figures that are told."""

from __future__ import annotations

import json

import pytest

from benchmarks.geometry import __main__ as command
from benchmarks.geometry.figure import Figure, Plan, below, table
from benchmarks.geometry.lies import LIES

#: The first test waits for all drives: below a minute on two free cores.
pytestmark = pytest.mark.timeout(900)
ROWS = ("street", "tunnel", "scenarios", "cost", "lining", "roughness", "bad_input")


class Told(dict[str, Figure]):
    """Figures, found by words that their description holds."""

    def one(self, *words: str) -> Figure:
        found = [figure for what, figure in self.items() if all(word in what for word in words)]
        assert len(found) == 1, f"{words}: {[f.what for f in found]}"
        return found[0]


@pytest.fixture(scope="module")
def told() -> Told:
    """All rows of the short run."""
    figures = command.measure(Plan(tuple(range(1, 21)), short=True), ROWS)
    print(table(figures))  # shown where a test fails
    return Told({figure.what: figure for figure in figures})


def test_no_row_broke(told: Told):
    assert [figure.measured for what, figure in told.items() if what.endswith(": broke")] == []


def test_a_defect_in_clear_view_becomes_exactly_one_observation(told: Told):
    values = told.one("exactly one observation, perfect").values
    assert values["clear"] > 200
    assert values["once"] / values["clear"] >= 0.98


def test_also_where_the_model_misses_a_tenth_of_the_looks(told: Told):
    values = told.one("exactly one observation, 10%").values
    assert values["once"] / values["clear"] >= 0.95


def test_hardly_anything_is_told_twice_or_where_nothing_is(told: Told):
    assert told.one("duplicates and phantoms").values["rate"] < 1.0


def test_a_defect_is_placed_where_the_receiver_allows(told: Told):
    for receiver in ("(RTK)", "(1.5 m without its error)"):
        values = told.one("beyond that of the receiver", receiver).values
        assert values["median_m"] < 0.2
        assert values["most_m"] < 0.6


def test_a_stated_error_is_honest(told: Told):
    for receiver in ("(RTK)", "(1.5 m)"):
        assert told.one("within the stated 95 % radius", receiver).values["share"] >= 0.93


def test_a_defect_is_measured_to_a_twentieth(told: Told):
    for which in ("all classes", "potholes"):
        values = told.one("size error", which).values
        assert max(values["longer"], values["shorter"]) < 0.05


def test_a_tunnel_is_crossed_by_wheels_and_gyro(told: Told):
    for how in ("dead-reckoned", "known line"):
        assert told.one("largest error before", how).values["worst_percent"] < 1.2
        assert told.one("live positions", how).values["share"] >= 0.9


def test_after_the_tunnel_its_observations_are_put_right_under_their_own_id(told: Told):
    ids = told.one("revised under the id").values
    assert ids["told"] > 50
    assert (ids["revised"], ids["strange"]) == (ids["told"], 0)
    for how in ("dead-reckoned", "known line"):
        assert told.one("after the exit's fixes", how).values["worst_m"] < 3.0


def test_on_a_known_line_the_chainage_is_told_in_the_tunnel(told: Told):
    assert told.one("chainage").values["worst_m"] < 8.0


@pytest.mark.parametrize(
    "words",
    [
        "one behind the other", "side by side", "ten potholes", "30 m radius", "stop at a light",
        "reversing with", "reversing back", "new pass",
    ],
)  # fmt: skip
def test_a_hard_place_is_told_as_it_is(told: Told, words: str):
    values = told.one(words).values
    assert values["good"] == values["of"] >= 2


def test_looking_costs_by_the_metre_and_nothing_while_standing(told: Told):
    per_km = told.one("judged frames per km").values.values()
    assert max(per_km) <= 1.15 * min(per_km)
    assert told.one("while standing").values["standing"] == 0
    assert min(told.one("looks that every metre").values.values()) >= 3


def test_a_tunnels_wall_has_a_clock(told: Told):
    once = told.one("lining: defects in clear view").values
    assert once["once"] / once["clear"] >= 0.95
    assert told.one("clock position").values["most_h"] < 0.5
    assert told.one("worse side").values["median"] < 0.12


def test_wheels_confirm_what_the_camera_saw_and_mark_what_it_did_not(told: Told):
    values = told.one("confirmed under their own").values
    assert values["confirmed"] >= 0.9 * values["seen"] > 0
    assert values["marked"] >= 0.9 * values["unseen"] > 0
    assert (values["wrongly_named"], values["beside_confirmed"]) == (0, 0)
    assert values["nowhere"] <= 1


@pytest.mark.parametrize("lie", LIES)
def test_bad_input_is_named_and_does_no_lasting_harm(told: Told, lie: str):
    figure = told[f"bad input: {LIES[lie][0]}"]
    assert figure.ok, figure.measured


def test_files_that_cannot_be_true_are_refused_in_one_line(told: Told):
    refused = [figure for figure in told.values() if figure.must == "refused in one line"]
    assert len(refused) == 5
    assert [figure.what for figure in refused if not figure.ok] == []


def test_a_failing_figure_fails_the_command(monkeypatch: pytest.MonkeyPatch, capsys, tmp_path):
    bad, good = (Figure("cost", what, "less", "more", ok) for what, ok in (("a", False), ("b", True)))
    monkeypatch.setattr(command, "measure", lambda *_: [bad, good])
    monkeypatch.setattr("sys.argv", ["geometry", "cost", "--json", str(tmp_path / "o.json")])
    assert command.main() == 1
    assert "2 figures, 1 failed" in capsys.readouterr().out
    assert [f["ok"] for f in json.loads((tmp_path / "o.json").read_text())] == [False, True]
    monkeypatch.setattr(command, "measure", lambda *_: [good, Figure("cost", "c", "told", "x", None)])
    assert command.main() == 0


def test_a_row_that_breaks_is_a_figure_that_fails(capsys):
    class Row:
        def figures(self, results):
            raise ZeroDivisionError("no drives")

    (figure,) = command._figures("street", Row(), [])
    assert (figure.ok, "no drives" in figure.measured) == (False, True)


def test_an_unknown_row_is_refused(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr("sys.argv", ["geometry", "weather"])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert stopped.value.code == 2
    assert "no such row: weather" in capsys.readouterr().err


def test_a_table_is_aligned_and_says_what_failed():
    text = table([Figure("r", "short", "x", "1", ok=True), Figure("r", "a longer one", "y", "2", ok=False)])
    head, _, first, second = text.splitlines()
    assert (first.index("x"), second.index("y")) == (head.index("must show"),) * 2
    assert (first.endswith("yes"), second.endswith("NO")) == (True, True)


def test_nothing_measured_is_not_below_a_bound():
    assert not below([], 1.0)
    assert not below([float("nan")], 1.0)
    assert below([0.5], 1.0)
