# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Exports as an OGC GeoPackage 1.3 with a spatial index: one SQLite file that QGIS and ArcGIS open as it is."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from depot.errors import StoreError
from depot.handover import times
from depot.handover.exported import COLUMNS, Exported, Wording, place_of, properties

_TYPES = {"integer": "INTEGER", "number": "DOUBLE", "text": "TEXT", "boolean": "BOOLEAN", "time": "DATETIME"}
_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,'
    'AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]'
)
_SCHEMA = """
PRAGMA application_id = 0x47504B47;
PRAGMA user_version = 10300;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,
  definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE VIRTUAL TABLE rtree_cases_geom USING rtree(id, minx, maxx, miny, maxy);
"""
_THERE = "NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom)"
_GONE = "NEW.geom ISNULL OR ST_IsEmpty(NEW.geom)"
_PUT = (
    "INSERT OR REPLACE INTO rtree_cases_geom VALUES"
    " (NEW.fid, ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom));"
)
_OUT = "DELETE FROM rtree_cases_geom WHERE id = OLD.fid;"
#: The index extension wants them, so that the index follows whoever edits the file. Made after the rows are in:
#: the ST_ functions are the editing program's.
_TRIGGERS = f"""
CREATE TRIGGER rtree_cases_geom_insert AFTER INSERT ON cases WHEN ({_THERE}) BEGIN {_PUT} END;
CREATE TRIGGER rtree_cases_geom_update1 AFTER UPDATE OF geom ON cases
  WHEN OLD.fid = NEW.fid AND ({_THERE}) BEGIN {_PUT} END;
CREATE TRIGGER rtree_cases_geom_update2 AFTER UPDATE OF geom ON cases
  WHEN OLD.fid = NEW.fid AND ({_GONE}) BEGIN {_OUT} END;
CREATE TRIGGER rtree_cases_geom_update3 AFTER UPDATE ON cases
  WHEN OLD.fid != NEW.fid AND ({_THERE}) BEGIN {_OUT} {_PUT} END;
CREATE TRIGGER rtree_cases_geom_update4 AFTER UPDATE ON cases
  WHEN OLD.fid != NEW.fid AND ({_GONE}) BEGIN DELETE FROM rtree_cases_geom WHERE id IN (OLD.fid, NEW.fid); END;
CREATE TRIGGER rtree_cases_geom_delete AFTER DELETE ON cases WHEN OLD.geom NOT NULL BEGIN {_OUT} END;
"""  # noqa: S608 - only our own words


def write(path: Path, found: Iterable[list[Exported]], wording: Wording) -> None:
    """Write the file; one that is there already is an error.

    Raises:
        StoreError: it cannot be written, or the depot's own store cannot be read.
    """
    try:
        with path.open("xb"):  # SQLite itself would add to a file that is there
            pass
        with closing(sqlite3.connect(path)) as package:
            package.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN; {_SCHEMA} COMMIT;")
            _describe(package)
            for page in found:
                _add(package, page, wording)
            package.execute(
                "UPDATE gpkg_contents SET (min_x, max_x, min_y, max_y) ="
                " (SELECT min(minx), max(maxx), min(miny), max(maxy) FROM rtree_cases_geom)"
            )
            package.commit()
            package.executescript(_TRIGGERS)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the GeoPackage {path} cannot be written: {error}") from None


def _describe(package: sqlite3.Connection) -> None:
    systems = [
        ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined", None),
        ("Undefined geographic SRS", 0, "NONE", 0, "undefined", None),
        ("WGS 84 geodetic", 4326, "EPSG", 4326, _WGS84, "longitude and latitude in degrees"),
    ]
    package.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", systems)
    package.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) VALUES (?, ?, ?, ?, ?)",
        ("cases", "features", "cases", "Wegewart: one row for each defect", 4326),
    )
    package.execute("INSERT INTO gpkg_geometry_columns VALUES ('cases', 'geom', 'POINT', 4326, 0, 0)")
    extension = ("cases", "geom", "gpkg_rtree_index", "http://www.geopackage.org/spec120/#extension_rtree")
    package.execute("INSERT INTO gpkg_extensions VALUES (?, ?, ?, ?, 'write-only')", extension)
    columns = ", ".join(f'"{column.name}" {_TYPES[column.kind]}' for column in COLUMNS)
    package.execute(f"CREATE TABLE cases (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom POINT, {columns})")


def _add(package: sqlite3.Connection, page: list[Exported], wording: Wording) -> None:
    marks = ", ".join("?" * (len(COLUMNS) + 2))
    rows = []
    for exported in page:
        values = properties(exported, wording)
        cells = (_cell(column.kind, values[column.name]) for column in COLUMNS)
        rows.append((exported.case.number, _point(exported), *cells))
    package.executemany(f"INSERT INTO cases VALUES ({marks})", rows)  # noqa: S608 - only question marks
    places = [
        (exported.case.number, lon, lon, lat, lat)
        for exported in page
        for lon, lat in filter(None, [place_of(exported.case)])
    ]
    package.executemany("INSERT INTO rtree_cases_geom VALUES (?, ?, ?, ?, ?)", places)


def _cell(kind: str, value: Any) -> Any:
    if kind == "time" and value is not None:
        time = times.parse(value)
        return None if time is None else times.write(time)
    return value


def _point(exported: Exported) -> bytes | None:
    """GeoPackage's header (little-endian, no envelope, 4326), then WKB; None where no place is known."""
    place = place_of(exported.case)
    if place is None:
        return None
    return b"GP\x00\x01" + struct.pack("<i", 4326) + struct.pack("<BIdd", 1, 1, *place)
