# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Reading: every error is one line that names file, key, reason."""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import Path
from typing import Any, TypeVar

import msgspec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")
#: A settings file is a few kilobytes; anything else is a mistake.
MAX_BYTES = 1_000_000

_AT = re.compile(r"^(?P<reason>.*?)(?: - at `\$\.?(?P<key>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]*)`")


class SettingsError(ValueError):
    """One line: file, key, reason."""


def load(path: Path, kind: type[T]) -> T:
    """Read a TOML file into `kind`.

    Raises:
        SettingsError: the file cannot be read, is no TOML, or does not fit `kind`.
    """
    return _convert(read_tables(path), kind, name=str(path), folder=path.parent)


def read_tables(path: Path) -> dict[str, Any]:
    """The raw tables of a TOML file.

    Raises:
        SettingsError: the file cannot be read or is no TOML.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SettingsError(f"{path}: larger than {MAX_BYTES} bytes, this is no settings file")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is no UTF-8 text") from None
    return _tables(text, str(path))


def parse(text: str, kind: type[T], *, name: str, folder: Path = Path()) -> T:
    """Read TOML text into `kind`; `name` stands for the file in errors, relative paths start at `folder`.

    Raises:
        SettingsError: the text is no TOML or does not fit `kind`.
    """
    return _convert(_tables(text, name), kind, name=name, folder=folder)


def _tables(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{name}: is no valid TOML: {error}") from None


def _convert(data: dict[str, Any], kind: type[T], *, name: str, folder: Path) -> T:
    def decode(wanted: type, value: Any) -> Any:
        if wanted is Path and isinstance(value, str):
            return folder / value
        raise ValueError(f"Expected a {wanted.__name__.lower()}, got {value!r}")

    try:
        return msgspec.convert(data, kind, dec_hook=decode)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{name}: {_plain(str(error), kind)}") from None


def _plain(message: str, kind: type) -> str:
    """Turn msgspec's message into `key: reason`, with the nearest known key where one is unknown."""
    match = _AT.match(message)
    reason, place = (match["reason"], match["key"] or "") if match else (message, "")
    unknown = _UNKNOWN.search(reason)
    if unknown:
        names = _keys_at(kind, place)
        key = ".".join(filter(None, (place, unknown["name"])))
        near = difflib.get_close_matches(unknown["name"], names, n=1, cutoff=0.5)
        hint = f", did you mean {near[0]!r}?" if near else f"; known here: {', '.join(names)}"
        return f"{key}: unknown key{hint}"
    missing = _MISSING.search(reason)
    if missing:
        return f"{'.'.join(filter(None, (place, missing['name'])))}: is missing"
    return f"{place}: {reason}" if place else reason


def _keys_at(kind: type, place: str) -> list[str]:
    """The names of the keys of the table at a dotted place."""
    info = msgspec.inspect.type_info(kind)
    for part in filter(None, re.split(r"\.|\[\.*\]", place)):
        fields = {field.encode_name: field.type for field in getattr(_struct(info), "fields", ())}
        if part not in fields:
            return []
        info = fields[part]
    return [field.encode_name for field in getattr(_struct(info), "fields", ())]


def _struct(info: msgspec.inspect.Type) -> msgspec.inspect.Type:
    """Look through optional and annotated types to the struct."""
    if isinstance(info, msgspec.inspect.Metadata):
        return _struct(info.type)
    if isinstance(info, msgspec.inspect.UnionType):
        return next((_struct(kind) for kind in info.types if not isinstance(kind, msgspec.inspect.NoneType)), info)
    return info
