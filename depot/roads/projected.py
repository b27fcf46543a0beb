# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From the planes of German city data to degrees: UTM on ETRS89 or WGS 84, and Web Mercator.

Krueger's series for the inverse transverse Mercator projection, to the third order: better than a millimetre within a
zone. ETRS89 and WGS 84 lie less than a metre apart, which is below what a road's line is worth here.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_A_M, _FLATTENING, _SCALE = 6_378_137.0, 1 / 298.257_222_101, 0.9996
_DEGREES = ("EPSG:4326", "EPSG:4258", "OGC:CRS84")
_WEB = "EPSG:3857"
#: EPSG number of a UTM zone's plane -> the zone: ETRS89 and WGS 84, both north of the equator.
_ZONES = {f"EPSG:{base + zone}": zone for base in (25_800, 32_600) for zone in range(28, 39)}

_N = _FLATTENING / (2 - _FLATTENING)
_RADIUS_M = _A_M / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_BETA = (_N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96, _N**2 / 48 + _N**3 / 15, 17 * _N**3 / 480)
_DELTA = (2 * _N - 2 * _N**2 / 3 - 2 * _N**3, 7 * _N**2 / 3 - 8 * _N**3 / 5, 56 * _N**3 / 15)

KNOWN = "EPSG:4326, 4258, 3857, 25828 to 25838 and 32628 to 32638 (UTM)"


def to_degrees(crs: str, places: Floats) -> Floats | None:
    """(N, 2) of the named reference system to longitude and latitude; None where it is not one of `KNOWN`."""
    if crs in _DEGREES:
        return places
    if crs == _WEB:
        lon = np.degrees(places[:, 0] / _A_M)
        return np.stack((lon, np.degrees(2 * np.arctan(np.exp(places[:, 1] / _A_M)) - math.pi / 2)), axis=1)
    zone = _ZONES.get(crs)
    return None if zone is None else _from_utm(zone, places)


def _from_utm(zone: int, places: Floats) -> Floats:
    north = places[:, 1] / (_SCALE * _RADIUS_M)
    east = (places[:, 0] - 500_000.0) / (_SCALE * _RADIUS_M)
    xi, eta = north.copy(), east.copy()
    for order, beta in enumerate(_BETA, start=1):
        xi -= beta * np.sin(2 * order * north) * np.cosh(2 * order * east)
        eta -= beta * np.cos(2 * order * north) * np.sinh(2 * order * east)
    conformal = np.arcsin(np.sin(xi) / np.cosh(eta))
    lat = conformal.copy()
    for order, delta in enumerate(_DELTA, start=1):
        lat += delta * np.sin(2 * order * conformal)
    lon = np.arctan2(np.sinh(eta), np.cos(xi)) + math.radians(zone * 6 - 183)
    degrees: Floats = np.degrees(np.stack((lon, lat), axis=1))
    return degrees
