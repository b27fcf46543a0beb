# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A case's district, road and office, on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from depot.cases.ports import Placed
from depot.cases.records import case_of
from depot.routing import keeping
from depot.routing.areas import read
from depot.routing.records import Rule
from depot.routing.router import Router
from depot.store.database import Database
from depot.store.tables import cases
from tests.depot.routing.conftest import DISTRICTS, add_case, add_road


def placed(database: Database, router: Router, **values: Any) -> Placed:
    number = add_case(database, **values)
    with database.reading() as connection:
        row = connection.execute(select(cases).where(cases.c.number == number)).one()
        return router.place(connection, case_of(row))


def write_districts(database: Database) -> None:
    with database.changing() as change:
        keeping.write_areas(change.connection, read(DISTRICTS, kind="district"))
        keeping.grow(change.connection)


def test_a_pothole_on_a_street_gets_street_district_and_office(city: Database) -> None:
    write_districts(city)
    assert placed(city, Router(), grade=2) == Placed(
        district="Mitte", road="Königstraße", road_class="residential", office="wbd-strassen"
    )


def test_on_the_motorway_it_is_the_federations(city: Database) -> None:
    assert placed(city, Router(), lat=51.43).office == "autobahn"


def test_too_far_from_any_road_it_has_none_but_still_an_office(city: Database) -> None:
    assert placed(city, Router(), lat=51.425) == Placed(office="wbd-strassen")


def test_in_a_tunnel_the_street_above_is_not_its_place(city: Database) -> None:
    found = placed(city, Router(), line="U79", chainage_m=1200.0, surface="lining")
    assert found == Placed(office="dvg-tunnel")
    assert placed(city, Router(), line="U79", lon=None, lat=None, surface="lining").office == "dvg-tunnel"


def test_a_case_that_nothing_is_known_of_gets_what_the_rules_say_of_such(city: Database) -> None:
    assert placed(city, Router(), lon=None, lat=None, heading_deg=None) == Placed(office="wbd-strassen")


def test_without_rules_there_is_no_office(database: Database) -> None:
    assert placed(database, Router()) == Placed()


def test_changes_of_rules_areas_and_roads_are_seen_by_the_next_transaction(city: Database) -> None:
    router = Router()
    assert placed(city, router, lat=51.41).office == "wbd-strassen"
    write_districts(city)
    assert placed(city, router, lat=51.41).district == "Mitte"
    with city.changing() as change:
        keeping.write_rules(change.connection, [Rule(office="autobahn", areas=("mitte",))])
        keeping.grow(change.connection)
    assert placed(city, router, lat=51.41).office == "autobahn"
    add_road(city, "Deichweg", "track", [[6.70, 51.41], [6.80, 51.41]])
    assert placed(city, router, lat=51.41).road == "Deichweg"


def test_routers_of_one_database_share_its_roads(city: Database) -> None:
    with city.reading() as connection:
        one, other = Router().plan(connection), Router(road_within_m=5).plan(connection)
    assert one.roads is other.roads
    assert (one.road_within_m, other.road_within_m) == (25.0, 5)
