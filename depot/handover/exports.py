# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`GET /api/cases.geojson|.csv|.gpkg|.kml`: the cases of any filter as a file."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from depot.handover import geopackage, text_files
from depot.handover.answers import base_url, faults
from depot.handover.config import HandoverConfig
from depot.handover.exported import Exported, Language, Wording, pages
from depot.people.guard import allow
from depot.review.filters import CaseFilter, case_filter, conditions
from depot.services import Services

TYPES = {
    "geojson": "application/geo+json",
    "csv": "text/csv; charset=utf-8",
    "kml": "application/vnd.google-earth.kml+xml",
    "gpkg": "application/geopackage+sqlite3",
}
Filter = Annotated[CaseFilter, Depends(case_filter)]
Speech = Annotated[Language, Query(description="of `title` and `text`")]


def router(services: Services, settings: HandoverConfig) -> APIRouter:
    """The four exports."""
    routes = APIRouter(tags=["exports"], dependencies=[allow("read")])

    def found(wanted: CaseFilter) -> Iterator[list[Exported]]:
        """The pages; the first one is read at once, so that a store that fails answers 503 and no half file."""
        read = pages(services.database, conditions(wanted, now_utc=services.database.now_utc()))
        return itertools.chain(list(itertools.islice(read, 1)), read)

    def wording(request: Request, language: Language) -> Wording:
        return Wording(language=language, base_url=base_url(settings, request))

    @routes.get("/api/cases.geojson", responses=_described("geojson"), response_class=Response)
    def geojson(request: Request, wanted: Filter, language: Speech = "de") -> Response:
        """GeoJSON (RFC 7946), one feature for each case; its geometry is null where no place is known."""
        return _stream("geojson", text_files.geojson(found(wanted), wording(request, language)))

    @routes.get("/api/cases.csv", responses=_described("csv"), response_class=Response)
    def csv(
        request: Request,
        wanted: Filter,
        language: Speech = "de",
        dialect: Annotated[
            text_files.Dialect, Query(description="excel-de: byte order mark, semicolon, decimal comma")
        ] = "rfc4180",
    ) -> Response:
        """CSV in UTF-8 with a header. A text that a spreadsheet would run as a formula gets a ' in front."""
        return _stream("csv", text_files.csv_text(found(wanted), wording(request, language), dialect))

    @routes.get("/api/cases.kml", responses=_described("kml"), response_class=Response)
    def kml(request: Request, wanted: Filter, language: Speech = "de") -> Response:
        """KML 2.2 for Google Earth and the like."""
        return _stream("kml", text_files.kml(found(wanted), wording(request, language)))

    @routes.get("/api/cases.gpkg", responses=_described("gpkg"), response_class=Response)
    def gpkg(request: Request, wanted: Filter, language: Speech = "de") -> Response:
        """An OGC GeoPackage for QGIS and ArcGIS."""
        return _package(found(wanted), wording(request, language))

    return routes


def _described(name: str) -> dict[int | str, dict[str, Any]]:
    kind = TYPES[name].partition(";")[0]
    schema = {"type": "object"} if name == "geojson" else {"type": "string", "format": "binary"}
    file = {"description": "the file", "content": {kind: {"schema": schema}}}
    return {200: file, **faults()}


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="wegewart-cases.{name}"', "Cache-Control": "no-store"}


def _stream(name: str, content: Iterator[bytes]) -> Response:
    return StreamingResponse(content, media_type=TYPES[name], headers=_attachment(name))


def _package(found: Iterable[list[Exported]], wording: Wording) -> Response:
    folder = tempfile.TemporaryDirectory(prefix="wegewart-export-")
    try:
        path = Path(folder.name, "cases.gpkg")
        geopackage.write(path, found, wording)
    except BaseException:
        folder.cleanup()
        raise

    def clean() -> None:
        with suppress(OSError):
            folder.cleanup()

    return FileResponse(path, media_type=TYPES["gpkg"], headers=_attachment("gpkg"), background=BackgroundTask(clean))
