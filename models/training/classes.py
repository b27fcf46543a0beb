# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a model tells apart, and how its classes relate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

#: The name of the sum over all views that are not told apart.
ALL_VIEWS = "all"


@dataclass(frozen=True)
class Classes:
    """The classes of one model; a label is an index into `names`.

    crack: the superclass of `typed`, or a class like any other where no crack has a type; None in a model of people.
    taught: labelled by the teacher (`teacher.py`) and not by people; they are found to be blurred.
    own_view: the view that vehicles see. apart: views that are told on their own and in no sum.
    by_size: classes that are also scored by size.
    """

    model: Literal["street", "tunnel", "privacy"]
    task: Literal["road", "tunnel", "privacy"]
    names: tuple[str, ...]
    typed_names: tuple[str, ...] = ()
    taught_names: tuple[str, ...] = ()
    by_size_names: tuple[str, ...] = ()
    own_view: str = ""
    apart: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """The label of a name. Raises ValueError: there is no such class."""
        return self.names.index(name)

    @cached_property
    def crack(self) -> int | None:
        """The label of any crack."""
        return self.index("crack") if "crack" in self.names else None

    @cached_property
    def typed(self) -> tuple[int, ...]:
        """Cracks with a type."""
        return tuple(self.index(name) for name in self.typed_names)

    @cached_property
    def cracks(self) -> tuple[int, ...]:
        """All cracks."""
        return self.typed if self.crack is None else (*self.typed, self.crack)

    @cached_property
    def taught(self) -> tuple[int, ...]:
        """Classes that the teacher labelled."""
        return tuple(self.index(name) for name in self.taught_names)

    @cached_property
    def by_size(self) -> tuple[int, ...]:
        """Classes that are also scored by size."""
        return tuple(self.index(name) for name in self.by_size_names)

    def implied(self, label: int) -> tuple[int, ...]:
        """Every class that a box of this class belongs to: a typed crack is also a crack."""
        return (label, self.crack) if label in self.typed and self.crack is not None else (label,)

    def group(self, label: int) -> tuple[int, ...]:
        """What cannot be judged where a region of this class is to be ignored; of their boxes one is kept."""
        return self.cracks if label in self.cracks else (label,)

    def members(self, label: int) -> tuple[int, ...]:
        """The classes that count for this one."""
        return self.cracks if label == self.crack else (label,)

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """All groups, by name."""
        found = dict.fromkeys(self.group(label) for label in (*self.cracks, *range(len(self))))
        return tuple(tuple(self.names[label] for label in group) for group in found)


STREET = Classes(
    model="street",
    task="road",
    names=(
        "pothole",
        "longitudinal_crack",
        "transverse_crack",
        "alligator_crack",
        "crack",
        "person",
        "vehicle",
    ),
    typed_names=("longitudinal_crack", "transverse_crack", "alligator_crack"),
    taught_names=("person", "vehicle"),
    by_size_names=("pothole", "crack"),
    own_view="forward_high",
)
TUNNEL = Classes(
    model="tunnel",
    task="tunnel",
    names=("crack", "spalling", "water_leakage", "efflorescence", "exposed_rebar", "corrosion"),
    # Tiles of pictures that occur whole as well.
    apart=("morgan_tile",),
)
PRIVACY = Classes(
    model="privacy",
    task="privacy",
    names=("person", "vehicle"),
    taught_names=("person", "vehicle"),
)
MODELS = {classes.model: classes for classes in (STREET, TUNNEL)}
#: The privacy model is trained as the others, but scored by what it covers (`covered.py`) and packed by `privacy.py`.
TRAINED = {**MODELS, PRIVACY.model: PRIVACY}
