# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Features of a file of roads: GeoJSON by ourselves, GeoPackage and the rest by GDAL."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import shapely

from depot.errors import ConfigError
from depot.roads import projected
from depot.roads.importing import Feature

_GEOJSON = (".geojson", ".json")
_MOST_BYTES = 2_000_000_000


class _Shape(msgspec.Struct):
    type: str
    coordinates: Any = None


class _GeoFeature(msgspec.Struct):
    geometry: _Shape | None = None
    properties: dict[str, Any] | None = None
    id: str | int | float | None = None


class _Collection(msgspec.Struct):
    type: str
    features: list[_GeoFeature]
    crs: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(_Collection)


def read_file(path: Path, layer: str | None = None) -> Iterator[Feature]:
    """Features of a file with lines.

    Raises:
        ConfigError: one line that says what is wrong with the file.
    """
    try:
        if path.suffix.lower() in _GEOJSON:
            if path.stat().st_size > _MOST_BYTES:
                raise ConfigError(f"{path}: is larger than 2 GB; cut out the city's own roads")
            return iter(list(read_geojson(path.read_bytes(), str(path))))
        with path.open("rb"):
            pass
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    return iter(list(_by_gdal(path, layer)))


def read_geojson(content: bytes, name: str) -> Iterator[Feature]:
    """Features of a GeoJSON FeatureCollection (RFC 7946). Raises ConfigError."""
    try:
        collection = _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{name}: is no GeoJSON FeatureCollection: {' '.join(str(error).split())[:200]}") from None
    if collection.type != "FeatureCollection":
        raise ConfigError(f"{name}: type is {collection.type[:50]!r}, FeatureCollection is wanted")
    system = str(collection.crs)
    if collection.crs is not None and not any(known in system for known in ("CRS84", "4326")):
        raise ConfigError(
            f"{name}: coordinates are not in degrees ({system[:100]}); ogr2ogr -t_srs EPSG:4326 turns them"
        )
    for feature in collection.features:
        yield Feature(_id(feature), feature.properties or {}, _lines(feature.geometry))


def _id(feature: _GeoFeature) -> str | None:
    properties = feature.properties or {}
    for value in (feature.id, properties.get("@id"), properties.get("osm_id")):
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return " ".join(str(value).split())[:100]
    return None


def _lines(shape: _Shape | None) -> list[list[list[float]]]:
    if shape is None or not isinstance(shape.coordinates, list):
        return []
    found = {"LineString": [shape.coordinates], "MultiLineString": shape.coordinates}.get(shape.type, [])
    return [line for line in found if isinstance(line, list) and all(isinstance(point, list) for point in line)]


def _by_gdal(path: Path, layer: str | None) -> Iterator[Feature]:
    try:
        pyogrio = importlib.import_module("pyogrio")
        raw = importlib.import_module("pyogrio.raw")
    except ImportError:
        raise ConfigError(f"{path}: only GeoJSON is read without pyogrio; pip install 'wegewart[depot]'") from None
    try:
        about, _, shapes, columns = raw.read(path, layer=layer, force_2d=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())[:200]}") from None
    if shapes is None:
        raise ConfigError(f"{path}: this layer has no lines; name another by --layer")
    crs, names = str(about["crs"]), [str(name) for name in about["fields"]]
    for number, content in enumerate(shapes):
        shape = None if content is None else shapely.from_wkb(content, on_invalid="ignore")
        fields = {name: _plain(column[number]) for name, column in zip(names, columns, strict=True)}
        feature = _GeoFeature(properties=fields)
        yield Feature(_id(feature), fields, _in_degrees(shape, crs, path))


def _in_degrees(shape: Any, crs: str, path: Path) -> list[list[list[float]]]:
    parts = getattr(shape, "geoms", [shape])
    lines = []
    for part in parts:
        if part is None or part.geom_type != "LineString":
            continue
        turned = projected.to_degrees(crs, np.asarray(part.coords, dtype=np.float64)[:, :2])
        if turned is None:
            raise ConfigError(
                f"{path}: its coordinates are in {crs[:60]}; ogr2ogr -t_srs EPSG:4326 turns them (read as they are:"
                f" {projected.KNOWN})"
            )
        lines.append(turned.tolist())
    return lines


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
