# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Routes of what was looked at: stretches, roughness, roads, and the proof of inspection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import StreamingResponse

from depot.people.guard import Person, allow
from depot.roads import coverage, features, sealing
from depot.roads.answers import GEOJSON, After, Area, Word, box_of, day_of, described, json
from depot.roads.coverage import Order, Period
from depot.roads.given import Given, Reader
from depot.roads.matching import waiting

#: Days that are shown where nobody says from when.
_DAYS = 30
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
FromDay: TypeAlias = Annotated[str | None, Query(alias="from", pattern=_DAY, description="first day, YYYY-MM-DD")]
ToDay: TypeAlias = Annotated[str | None, Query(alias="to", pattern=_DAY, description="last day; none: until now")]


def router(given: Given) -> APIRouter:
    """`/api/coverage`, `/api/roughness`."""
    made = APIRouter(tags=["roads"])
    for add in (_add_stretches, _add_roads_covered, _add_roads_drawn, _add_proof):
        add(made, given)
    return made


def _add_stretches(made: APIRouter, given: Given) -> None:
    @made.get("/api/coverage", responses=described("stretches as lines", GEOJSON))
    def stretches(_person: Reader, after: After = 0, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000) -> Response:
        """Stretches that vehicles looked at, or could not judge and why, oldest change first."""
        with given.database.reading() as connection:
            found = [features.stretch_feature(*told) for told in coverage.stretch_rows(connection, after, limit)]
        return json(features.collection(found), GEOJSON)

    @made.get("/api/roughness", responses=described("sections as lines, shocks as points", GEOJSON))
    def roughness(
        _person: Reader,
        after: After = 0,
        limit: Annotated[int, Query(ge=1, le=10_000, description="messages; each gives one feature or more")] = 1000,
    ) -> Response:
        """How roads felt: sections with `rms_mps2`, shocks with `peak_mps2`; oldest change first.

        `observation` of a shock is the event of the defect that the camera had seen there, null where it had seen none.
        """
        with given.database.reading() as connection:
            told = coverage.ride_rows(connection, after, limit)
        return json(
            features.collection(each for row, felt in told for each in features.ride_features(row, felt)), GEOJSON
        )


def _covered(
    given: Given, from_day: str | None, to_day: str | None
) -> tuple[Sequence[coverage.RoadCoverage], Period, int]:
    now_utc = given.database.now_utc()
    first = day_of(from_day, "from") or coverage.day_before(now_utc, given.zone, _DAYS)
    period = Period(from_day=first, to_day=day_of(to_day, "to"))
    if period.to_day is not None and period.to_day < first:
        raise HTTPException(422, f"to: {period.to_day} lies before {first}")
    with given.database.reading() as connection:
        network = given.roads.current(connection)
        found = given.covered.current(connection, network, period, now_utc)
        return found, period, waiting(connection)


def _add_roads_covered(made: APIRouter, given: Given) -> None:
    @made.get("/api/coverage/roads", responses=described("roads with what was looked at", "application/json"))
    def roads(
        *,
        _person: Reader,
        from_day: FromDay = None,
        to_day: ToDay = None,
        sort: Order = "age",
        q: Annotated[str | None, Query(max_length=100, description="part of a road's name")] = None,
        district: Word | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        """Each road of the network: when it was last looked at, how much of it in these days, and why not more.

        `laying`: stretches that are not laid on the roads yet; right after an import of roads that is all of them.
        """
        found, period, laying = _covered(given, from_day, to_day)
        wanted = [
            road
            for road in found
            if (q is None or q.strip().casefold() in (road.name or "").casefold())
            and (district is None or road.district == district)
        ]
        total_m = sum(road.length_m for road in wanted)
        return json(
            {
                "from": period.from_day,
                "to": period.to_day,
                "laying": laying,
                "total": len(wanted),
                "length_km": round(total_m / 1000, 2),
                "valid_share": round(sum(road.looked_at_m for road in wanted) / total_m, 3) if total_m else 0.0,
                "roads": coverage.ordered(wanted, sort)[offset : offset + limit],
            }
        )


def _add_roads_drawn(made: APIRouter, given: Given) -> None:
    @made.get("/api/coverage/roads.geojson", responses=described("roads as lines", GEOJSON))
    def roads_on_map(
        *,
        _person: Reader,
        from_day: FromDay = None,
        to_day: ToDay = None,
        bbox: Area = None,
        limit: Annotated[int, Query(ge=1, le=20_000)] = 5000,
    ) -> Response:
        """The same with their lines, for the map; those not looked at for longest first. `total`: of how many."""
        box = box_of(bbox)
        found, _, laying = _covered(given, from_day, to_day)
        with given.database.reading() as connection:
            network = given.roads.current(connection)
        inside = network.inside(box)
        wanted = [road for road in found if network.number_of(road.road) in inside]
        shown = [
            features.road_feature(road, network.roads[number].lines)
            for road in coverage.ordered(wanted, "age")[:limit]
            if (number := network.number_of(road.road)) is not None
        ]
        return json(features.collection(shown, total=len(wanted), laying=laying), GEOJSON)

    @made.get("/api/coverage/roads.csv", responses=described("a table for spreadsheets", "text/csv"))
    def roads_as_csv(
        _person: Reader,
        from_day: FromDay = None,
        to_day: ToDay = None,
    ) -> Response:
        """The same as a table, by name. It shows what is known now; the record that is kept is the proof."""
        found, period, _ = _covered(given, from_day, to_day)
        rows = "".join(coverage.as_csv(coverage.ordered(found, "name"), period))
        return Response(rows, media_type="text/csv", headers=_file("wegewart-roads.csv"))


def _file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _add_proof(made: APIRouter, given: Given) -> None:
    @made.get("/api/coverage/proof", responses=described("the last row of the proof", "application/json"))
    def proof(_person: Reader) -> Response:
        """Number and digest of the last row: who keeps the digest elsewhere can show that nothing was changed."""
        with given.database.reading() as connection:
            number, digest = sealing.last_digest(connection)
        return json({"rows": number, "digest": digest})

    @made.get("/api/coverage/proof/check", responses=described("what the check found", "application/json"))
    def check(_person: Annotated[Person, allow("audit")]) -> Response:
        """Check every row of the proof against its digest."""
        return json(sealing.check(given.database))

    @made.get("/api/coverage/proof.csv", responses=described("the proof of inspection", "text/csv"))
    def proof_file(
        _person: Reader,
        from_day: FromDay = None,
        to_day: ToDay = None,
    ) -> Response:
        """Each road and day that was looked at, chained by digests; docs/condition.md says how to check the file.

        With days: all rows from the first to the last that tells of them, so that the chain in the file has no gap.
        """
        first_day, last_day = day_of(from_day, "from"), day_of(to_day, "to")
        first, last = 1, None
        if first_day is not None or last_day is not None:
            with given.database.reading() as connection:
                first, last = sealing.numbers_of(connection, first_day, last_day)
        lines = sealing.export(given.database, first, last)
        return StreamingResponse(lines, media_type="text/csv", headers=_file("wegewart-inspections.csv"))
