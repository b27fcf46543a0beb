# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies made from the message types themselves: every field within its bounds."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from messages.envelope import Event, source_of
from messages.topics import VEHICLE_PATTERN
from messages.types import Name, Utc

#: Short, so that a Coverage or an Ack stays below the size bound.
MAX_ITEMS = 5


def _number(node: inspect.IntType | inspect.FloatType) -> st.SearchStrategy[Any]:
    if isinstance(node, inspect.IntType):
        low, high = node.ge, node.le
        assert isinstance(low, int)
        assert isinstance(high, int)
        return st.integers(low, high)
    high = node.le if node.le is not None else node.lt
    return st.floats(node.ge, high, exclude_max=node.lt is not None, allow_nan=False, allow_infinity=False)


def _text(node: inspect.StrType) -> st.SearchStrategy[str]:
    if node.pattern is not None:
        # The lookahead for a last newline says nothing that fullmatch does not.
        return st.from_regex(node.pattern.replace(r"(?!\n)$", ""), fullmatch=True)
    return st.text(st.characters(codec="utf-8"), min_size=node.min_length or 0, max_size=node.max_length)


def _from_node(node: inspect.Type) -> st.SearchStrategy[Any]:
    match node:
        case inspect.IntType() | inspect.FloatType():
            return _number(node)
        case inspect.StrType():
            return _text(node)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType():
            return st.sampled_from(node.values)
        case inspect.UnionType():
            return st.one_of(*map(_from_node, node.types))
        case inspect.TupleType():
            return st.tuples(*map(_from_node, node.item_types))
        case inspect.VarTupleType():
            return st.lists(_from_node(node.item_type), max_size=MAX_ITEMS).map(tuple)
        case inspect.DictType():
            return st.dictionaries(_from_node(node.key_type), _from_node(node.value_type), max_size=MAX_ITEMS)
        case inspect.Metadata():
            return _from_node(node.type)
        case inspect.StructType():
            return messages(node.cls)
    raise NotImplementedError(node)


def from_type(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotated type."""
    return _from_node(inspect.type_info(kind))


def messages(kind: type) -> st.SearchStrategy[Any]:
    """Valid messages of one type; optional fields now there, now not."""
    node = inspect.type_info(kind)
    assert isinstance(node, inspect.StructType)
    return st.builds(kind, **{field.name: _from_node(field.type) for field in node.fields})


def events(kind: type) -> st.SearchStrategy[Event]:
    """Valid events that carry messages of one type."""
    return st.builds(
        Event,
        id=from_type(Name),
        source=st.from_regex(VEHICLE_PATTERN, fullmatch=True).map(source_of),
        time=st.none() | from_type(Utc),
        data=messages(kind),
    )


Path = tuple[Any, ...]


def leaves(value: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """All single values in decoded JSON with their paths."""
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, (list, tuple)):
        return [leaf for index, item in enumerate(value) for leaf in leaves(item, (*path, index))]
    return [(path, value)]


def replaced(value: Any, path: Path, new: Any) -> Any:
    """Decoded JSON with the value at a path replaced."""
    if not path:
        return new
    step, *rest = path
    if isinstance(value, dict):
        return value | {step: replaced(value[step], tuple(rest), new)}
    return [replaced(item, tuple(rest), new) if index == step else item for index, item in enumerate(value)]


NOT_FINITE = st.sampled_from([math.nan, math.inf, -math.inf])
