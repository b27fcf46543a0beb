# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The page itself: one document for all sections, its files, and the packages that it loads.

All of it is public: it holds no data, and who is not logged in needs it to log in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from depot.services import Services

WEB = Path(__file__).parent
#: What the page asks for below /vendor/, and where npm has put it. Missing: the page says how to install it.
VENDOR = {
    "maplibre-gl": WEB / "node_modules" / "maplibre-gl" / "dist",
    "letters": WEB / "node_modules" / "@fontsource-variable" / "atkinson-hyperlegible-next",
}
#: The sections of the page, as its addresses name them.
SECTIONS = ("/", "/coverage", "/condition", "/vehicles", "/admin", "/login")

Language = Literal["de", "en"]


def router(services: Services) -> APIRouter:
    """The routes of the page; none stands in the description of the API."""
    routes = APIRouter(include_in_schema=False)

    def index(lang: Annotated[Language | None, Query()] = None) -> Response:
        html = (WEB / "static" / "index.html").read_text(encoding="utf-8")
        shown = lang or services.config.page.language
        return HTMLResponse(html.replace('<html lang="de">', f'<html lang="{shown}">', 1))

    for path in SECTIONS:
        routes.get(path)(index)
    _add_files(routes, "/static", WEB / "static")
    for name, folder in VENDOR.items():
        _add_files(routes, f"/vendor/{name}", folder)
    return routes


def _add_files(routes: APIRouter, address: str, folder: Path) -> None:
    """The files of a folder; no mount, since that is lost where a router is put into an application."""
    files = StaticFiles(directory=folder, check_dir=False)

    @routes.get(f"{address}/{{path:path}}")
    @routes.head(f"{address}/{{path:path}}")
    async def file(path: str, request: Request) -> Response:
        return await files.get_response(path, request.scope)
