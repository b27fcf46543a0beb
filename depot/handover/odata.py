# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The query language of SensorThings: paths, options and a basic `$filter`, to SQL conditions.

parse_filter("result eq 'pothole' and parameters/score gt 0.5", fields)
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, func, not_, or_

from depot.handover import times

#: Brackets and `not` within each other.
_DEEPEST = 12
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<number>-?\d{1,15}(?:\.\d{1,15})?)(?![\w.])"
    r"|(?P<word>[A-Za-z_@][\w./@]*)"
    r"|(?P<sign>[(),]))",
    re.ASCII,
)
_COMPARE: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_FUNCTIONS = ("startswith", "endswith", "substringof")


class QueryError(ValueError):
    """A query that is none, as one line."""


class Field(Struct, frozen=True):
    """What `$filter` and `$orderby` may name."""

    column: ColumnElement[Any]
    kind: Literal["text", "number", "time"]

    @property
    def comparable(self) -> ColumnElement[Any]:
        """Times without their Z, so that whole seconds sort before their fractions."""
        return func.rtrim(self.column, "Z") if self.kind == "time" else self.column


class Segment(Struct, frozen=True):
    """One part of a path: `Things`, `Things('bus-12')`, `name`."""

    name: str
    key: str | None


def parse_path(path: str) -> list[Segment]:
    """The parts of a path. Raises QueryError."""
    found = []
    for part in re.findall(r"(?:'(?:[^']|'')*'|[^/'])+", path):
        match = re.fullmatch(r"(\$?[A-Za-z]+)(?:\((?:'((?:[^']|'')*)'|(\d{1,15}))\))?", part, re.ASCII)
        if match is None:
            raise QueryError(f"{part[:50]!r} is no part of a path")
        text, number = match[2], match[3]
        found.append(Segment(match[1], number if text is None else text.replace("''", "'")))
    return found


def split(text: str, sign: str) -> list[str]:
    """Split where `sign` stands outside of brackets and quotes. Raises QueryError."""
    parts, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if depth < 0:
            break
        if letter == sign and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    if depth or quoted:
        raise QueryError(f"brackets or quotes do not match in {text[:50]!r}")
    return [part.strip() for part in parts]


def parse_filter(text: str, fields: Mapping[str, Field]) -> ColumnElement[bool]:
    """What `WHERE` asks. Raises QueryError."""
    parser = _Parser(_tokens(text), fields)
    found = parser.either(0)
    parser.end()
    return found


def parse_orderby(text: str, fields: Mapping[str, Field]) -> list[ColumnElement[Any]]:
    """What `ORDER BY` asks. Raises QueryError."""
    found: list[ColumnElement[Any]] = []
    for part in split(text, ","):
        name, _, direction = part.partition(" ")
        if name not in fields or direction.strip() not in {"", "asc", "desc"}:
            raise QueryError(f"$orderby: {part[:50]!r} is none; known here: {', '.join(fields)}")
        column = fields[name].comparable
        found.append(column.desc() if direction.strip() == "desc" else column.asc())
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise QueryError(f"$filter: not understood from {text[at : at + 30]!r} on")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[tuple[str, str]], fields: Mapping[str, Field]) -> None:
        self._tokens = tokens
        self._fields = fields
        self._at = 0

    def end(self) -> None:
        """Nothing may follow."""
        if self._at < len(self._tokens):
            raise QueryError(f"$filter: {self._tokens[self._at][1][:30]!r} is too much")

    def either(self, depth: int) -> ColumnElement[bool]:
        """A or B."""
        found = [self._both(depth)]
        while self._takes("or"):
            found.append(self._both(depth))
        return or_(*found)

    def _both(self, depth: int) -> ColumnElement[bool]:
        found = [self._one(depth)]
        while self._takes("and"):
            found.append(self._one(depth))
        return and_(*found)

    def _one(self, depth: int) -> ColumnElement[bool]:
        if depth > _DEEPEST:
            raise QueryError("$filter: too many brackets within each other")
        if self._takes("not"):
            return not_(self._one(depth + 1))
        if self._takes("("):
            found = self.either(depth + 1)
            self._wants(")")
            return found
        if self._peek()[1] in _FUNCTIONS:
            return self._function(self._next()[1])
        return self._comparison()

    def _function(self, name: str) -> ColumnElement[bool]:
        self._wants("(")
        one = self._next()
        self._wants(",")
        other = self._next()
        self._wants(")")
        path, text = (other, one) if name == "substringof" else (one, other)
        field = self._field(path)
        if field.kind != "text" or text[0] != "text":
            raise QueryError(f"$filter: {name} wants a text property and a 'text'")
        wanted = _unquoted(text[1])
        if name == "startswith":
            return field.column.startswith(wanted, autoescape=True)
        if name == "endswith":
            return field.column.endswith(wanted, autoescape=True)
        return field.column.contains(wanted, autoescape=True)

    def _comparison(self) -> ColumnElement[bool]:
        one, sign, other = self._next(), self._next()[1], self._next()
        if sign not in _COMPARE:
            raise QueryError(f"$filter: {sign[:30]!r} is no comparison; known: {', '.join(_COMPARE)}")
        if one[0] != "word":
            raise QueryError("$filter: a property is wanted left of the comparison")
        field = self._field(one)
        if other == ("word", "null") and sign in {"eq", "ne"}:
            return field.column.is_(None) if sign == "eq" else field.column.is_not(None)
        if other[0] != field.kind:
            raise QueryError(f"$filter: {one[1]} is a {field.kind}, {other[1][:30]!r} is none")
        if field.kind == "number":
            return _COMPARE[sign](field.column, float(other[1]) if "." in other[1] else int(other[1]))
        if field.kind == "text":
            return _COMPARE[sign](field.column, _unquoted(other[1]))
        return _COMPARE[sign](field.comparable, _moment(other[1]))

    def _field(self, token: tuple[str, str]) -> Field:
        if token[1] not in self._fields:
            raise QueryError(f"$filter: {token[1][:50]!r} is not known; known here: {', '.join(self._fields)}")
        return self._fields[token[1]]

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end":
            raise QueryError("$filter: ends too early")
        self._at += 1
        return token

    def _takes(self, text: str) -> bool:
        if self._peek()[0] == "text" or self._peek()[1] != text:
            return False
        self._at += 1
        return True

    def _wants(self, text: str) -> None:
        if not self._takes(text):
            raise QueryError(f"$filter: {text!r} is wanted before {self._peek()[1][:30]!r}")


def _unquoted(text: str) -> str:
    plain = text[1:-1].replace("''", "'")
    if "\0" in plain:
        raise QueryError("$filter: a text must not hold a NUL character")
    return plain


def _moment(text: str) -> str:
    """As `Field.comparable` has it."""
    time = times.parse(text)
    if time is None:
        raise QueryError(f"$filter: {text[:40]!r} is no time, e.g. 2026-05-04T09:30:00Z")
    written = time.isoformat(timespec="microseconds" if time.microsecond else "seconds").removesuffix("+00:00")
    return written.rstrip("0") if time.microsecond else written
