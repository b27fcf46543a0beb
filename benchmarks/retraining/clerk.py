# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A clerk who knows the truth: names, confirms and rejects over the depot's own API."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import msgspec
from msgspec.structs import replace

from benchmarks.matching import Match, compare
from benchmarks.passes import as_observation
from benchmarks.retraining.streets import Street, street_at
from benchmarks.servers import HOST, Depot
from depot.cases.records import Case
from depot.review.answers import Page
from edge.simulator.truth import Truth
from messages.types import Observation

#: A case lies this near to the defect that it shows, once the receiver's error is taken out.
NEAR_M = 2.0
#: With fewer defects on a street nothing is known of the receiver's error.
_FEWEST = 5
#: Of one call.
_MOST = 500


@dataclass(frozen=True)
class Verdicts:
    """Numbers of cases. `renamed`: what it really is, of the confirmed ones that are called another type of crack."""

    confirmed: tuple[int, ...]
    rejected: tuple[int, ...]
    renamed: Mapping[int, str]


def decide(truth: Truth, cases: Sequence[Case]) -> Verdicts:
    """What the clerk says of a street's cases.

    A case at a true defect of its family (a pothole; a crack of whatever type) is confirmed, a second one of the same
    defect too: it is there. Every other case is no defect.
    """
    seen = [as_observation(case) for case in cases]
    compared = compare(_aligned(truth, seen), seen)
    shown = {
        round(match.observation.time.monotonic_s): match.defect.label  # where `as_observation` put the number
        for match in (*compared.matches, *compared.repeated)
        if match.error_m <= NEAR_M
    }
    return Verdicts(
        confirmed=tuple(case.number for case in cases if case.number in shown),
        rejected=tuple(case.number for case in cases if case.number not in shown),
        renamed={
            case.number: shown[case.number]
            for case in cases
            if shown.get(case.number, case.defect_class) != case.defect_class
        },
    )


def _aligned(truth: Truth, seen: Sequence[Observation]) -> Truth:
    """The truth where the receiver's error of that drive puts it: half a minute of driving has one error.

    A clerk looks at the picture; by its raw place a false alarm could pass for the defect a few metres on.
    """
    for _ in range(2):
        pairs = [(one.observation.position, one.defect) for one in compare(truth, seen).matches if _is_compact(one)]
        if len(pairs) < _FEWEST:
            return truth
        east = median(place.lon - defect.lon for place, defect in pairs if place is not None)
        north = median(place.lat - defect.lat for place, defect in pairs if place is not None)
        moved = (replace(one, lon=one.lon + east, lat=one.lat + north) for one in truth.defects)
        truth = replace(truth, defects=tuple(moved))
    return truth


def _is_compact(match: Match) -> bool:
    """Whether its place is one point: a long crack is often seen in part."""
    return match.defect.label in ("pothole", "alligator_crack")


def decide_all(depot: Depot, city: Sequence[Street]) -> Verdicts:
    """Decide every new case at the depot."""
    by_street: dict[Street, list[Case]] = {}
    for case in _cases(depot):
        assert case.lon is not None
        by_street.setdefault(street_at(city, case.lon), []).append(case)
    said = [decide(street.truth(), cases) for street, cases in by_street.items()]
    everything = Verdicts(
        confirmed=tuple(number for one in said for number in one.confirmed),
        rejected=tuple(number for one in said for number in one.rejected),
        renamed={number: label for one in said for number, label in one.renamed.items()},
    )
    for label in sorted(set(everything.renamed.values())):
        named = [number for number, other in everything.renamed.items() if other == label]
        _act(depot, named, {"action": "classify", "class": label})
    _act(depot, everything.confirmed, {"action": "confirm"})
    _act(depot, everything.rejected, {"action": "reject", "reason": "not_a_defect"})
    return everything


def _cases(depot: Depot) -> list[Case]:
    found: list[Case] = []
    cursor = ""
    while True:
        page = msgspec.json.decode(depot.read(f"api/cases?state=new&limit={_MOST}{cursor}"), type=Page)
        found += page.cases
        if page.next is None:
            return found
        cursor = f"&cursor={page.next}"


def _act(depot: Depot, numbers: Sequence[int], decision: dict[str, Any]) -> None:
    for start in range(0, len(numbers), _MOST):
        body = json.dumps({**decision, "numbers": numbers[start : start + _MOST]}).encode()
        request = urllib.request.Request(
            f"http://{HOST}:{depot.port}/api/actions", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own depot on loopback
            refused = [one for one in json.load(answer)["results"] if not one["ok"]]
        if refused:
            raise AssertionError(f"the depot refused {len(refused)} decisions, the first: {refused[0]['detail']}")
