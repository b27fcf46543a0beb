# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Every key with its meaning, unit, bounds, default and, for a given file, where its value came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import msgspec
from msgspec import inspect


def explain(kind: type[msgspec.Struct], given: dict[str, Any] | None = None) -> Iterator[str]:
    """Lines that describe every key of `kind`, as a commented TOML file.

    Args:
        kind: the settings type.
        given: the raw tables of a file; values found there are shown with "from the file", others as default.
    """
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    yield from _table(info, given or {}, "")


def _table(info: inspect.StructType, given: dict[str, Any], path: str) -> Iterator[str]:
    tables: list[tuple[str, inspect.StructType, dict[str, Any], str]] = []
    for field in info.fields:
        kind, description, bounds = _unwrap(field.type)
        if isinstance(kind, inspect.StructType):
            inner = given.get(field.encode_name, {})
            name = f"{path}{field.encode_name}"
            tables.append((name, kind, inner if isinstance(inner, dict) else {}, description))
            continue
        yield f"# {description or '(no description)'}{f' [{bounds}]' if bounds else ''}"
        if field.encode_name in given:
            yield f"{field.encode_name} = {_toml(given[field.encode_name])}  # from the file"
        elif field.required:
            yield f"# {field.encode_name} = ...  (required)"
        else:
            default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
            shown = f"{field.encode_name} = {_toml(default)}"
            yield f"# {field.encode_name} is not set" if default is None else f"{shown}  # default"
    for name, kind, inner, description in tables:
        yield ""
        yield f"# {description or kind.cls.__doc__ or ''}".rstrip().split("\n")[0]
        yield f"[{name}]"
        yield from _table(kind, inner, f"{name}.")


def _unwrap(kind: inspect.Type) -> tuple[inspect.Type, str, str]:
    """The bare type, its description and its bounds in words."""
    description = ""
    if isinstance(kind, inspect.Metadata):
        description = str((kind.extra_json_schema or {}).get("description", ""))
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        inner = [_unwrap(t) for t in kind.types if not isinstance(t, inspect.NoneType)]
        kind, inner_description, bounds = inner[0]
        return kind, description or inner_description, bounds
    limits = []
    for name, sign in (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<")):
        value = getattr(kind, name, None)
        if value is not None:
            limits.append(f"{sign} {value}")
    if isinstance(kind, inspect.LiteralType):
        limits.append("one of " + ", ".join(_toml(v) for v in kind.values))
    return kind, description, ", ".join(limits)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | PurePath):
        return msgspec.json.encode(str(value)).decode()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(v)}" for key, v in value.items()) + "}"
    return str(value)
