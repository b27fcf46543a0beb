# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The Grafana dashboard: every query runs on our schema, as a user who may only read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from depot.store.database import Database
from depot.store.migration import migrate
from tests.depot.handover.samples import add_case, add_sighting, add_vehicle

ROOT = Path(__file__).parents[3]
DASHBOARD = ROOT / "docs" / "grafana" / "wegewart.json"
_TIMES = re.compile(r"\$__timeFilter\(((?:[^()]|\([^()]*\))*)\)")


def _panels() -> list[Any]:
    found: list[Any] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def _plain(sql: str) -> str:
    """As Grafana sends it: a filter of times becomes BETWEEN."""
    return _TIMES.sub(r"\1 BETWEEN '2026-01-01T00:00:00Z' AND '2026-12-31T00:00:00Z'", sql)


def _read_only_user() -> list[str]:
    """The statements that the documentation tells an administrator to run."""
    text = (ROOT / "docs" / "handover.md").read_text()
    block = re.search(r"```sql\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return [statement for statement in block[1].replace("wegewart.", "public.").split(";") if statement.strip()]


@pytest.mark.integration
def test_every_query_of_the_dashboard_runs_as_the_documented_user(postgres_url: str) -> None:
    database = Database(postgres_url)
    migrate(database)
    add_vehicle(database)
    add_case(database, 1)
    add_sighting(database, 1)
    database.close()
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        name = owner.info.dbname
        for statement in _read_only_user():
            owner.execute(statement.replace("DATABASE wegewart", f"DATABASE {name}"))  # type: ignore[arg-type]
    try:
        with psycopg.connect(postgres_url.replace("wegewart@", "grafana@"), autocommit=True) as connection:
            for panel in _panels():
                for target in panel["targets"]:
                    rows = connection.execute(_plain(target["rawSql"])).fetchall()
                    if panel["title"] in {"Vehicles", "Open cases", "New, to be checked"}:
                        assert rows, panel["title"]
            for secret in ("users", "sessions", "tokens", "webhooks", "handover_keys"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"SELECT * FROM {secret}")  # type: ignore[arg-type]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("DELETE FROM cases")
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as owner:
            owner.execute("DROP OWNED BY grafana")
            owner.execute("DROP ROLE grafana")


def test_a_panel_has_a_place_of_its_own_and_the_chosen_source() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in _panels():
        place = panel["gridPos"]
        mine = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not mine & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= mine
        assert panel["datasource"]["uid"] == "${datasource}"
    assert len({panel["id"] for panel in _panels()}) == len(_panels())
