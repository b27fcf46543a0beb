# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Exports as text, page by page: GeoJSON (RFC 7946), CSV (RFC 4180) and KML 2.2."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

import msgspec

from depot.handover.exported import COLUMNS, Exported, Wording, feature, place_of, properties

Dialect = Literal["rfc4180", "excel-de"]
#: A spreadsheet takes a cell that begins so for a formula, also behind blanks and in its full-width forms.
_FORMULA = re.compile(r"\s*[=+\-@\uff0b\uff0d\uff1d\uff20]|[\t\r\n]")
#: What XML 1.0 cannot hold at all.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: aabbggrr, readable on light and dark maps.
_COLOURS = {
    "new": "ff0080ff",
    "confirmed": "ff0000d0",
    "reopened": "ff8000c0",
    "ordered": "ffd08000",
    "repaired": "ff30a030",
    "rejected": "ff808080",
}


def geojson(found: Iterable[list[Exported]], wording: Wording) -> Iterator[bytes]:
    """A FeatureCollection."""
    yield b'{"type":"FeatureCollection","features":['
    between = b"\n"
    for page in found:
        for exported in page:
            yield between + msgspec.json.encode(feature(exported, wording))
            between = b",\n"
    yield b"\n]}\n"


def csv_text(found: Iterable[list[Exported]], wording: Wording, dialect: Dialect = "rfc4180") -> Iterator[bytes]:
    """A header and a line for each case.

    `excel-de`: what a German Excel opens by a double click (byte order mark, semicolon, decimal comma).
    """
    german = dialect == "excel-de"
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";" if german else ",", lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    if german:
        yield b"\xef\xbb\xbf"
    for page in found:
        for exported in page:
            values = properties(exported, wording).values()
            writer.writerow([_cell(value, decimal_comma=german) for value in values])
        yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _cell(value: Any, *, decimal_comma: bool) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = repr(value)
        return text.replace(".", ",") if decimal_comma else text
    if isinstance(value, str):
        # NUL ends a text for some readers; a formula would run when the file is opened.
        text = value.replace("\0", "\ufffd")
        return f"'{text}" if _FORMULA.match(text) else text
    return value


def kml(found: Iterable[list[Exported]], wording: Wording) -> Iterator[bytes]:
    """A document with one placemark for each case, coloured by state."""
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n'
    yield b"<name>Wegewart</name>\n"
    for state, colour in _COLOURS.items():
        icon = f"<IconStyle><color>{colour}</color></IconStyle>"
        yield f'<Style id="{state}">{icon}</Style>\n'.encode()
    for page in found:
        yield "".join(_placemark(exported, wording) for exported in page).encode()
    yield b"</Document></kml>\n"


def _placemark(exported: Exported, wording: Wording) -> str:
    case, values = exported.case, properties(exported, wording)
    data = "".join(
        f"<Data name={quoteattr(name)}><value>{xml_text(_plain(value))}</value></Data>"
        for name, value in values.items()
        if value is not None and name not in {"title", "text"}
    )
    span = ""
    if case.first_seen_utc is not None and case.last_seen_utc is not None:
        span = f"<TimeSpan><begin>{case.first_seen_utc}</begin><end>{case.last_seen_utc}</end></TimeSpan>"
    place = place_of(case)
    point = "" if place is None else f"<Point><coordinates>{place[0]!r},{place[1]!r}</coordinates></Point>"
    return (
        f'<Placemark id="case-{case.number}"><name>{xml_text(values["title"])}</name>'
        f"<description>{xml_text(values['text'])}</description>{span}<styleUrl>#{case.state}</styleUrl>"
        f"<ExtendedData>{data}</ExtendedData>{point}</Placemark>\n"
    )


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def xml_text(text: str) -> str:
    """Text between two tags; what XML cannot hold is replaced."""
    return escape(_NO_XML.sub("\ufffd", text))
