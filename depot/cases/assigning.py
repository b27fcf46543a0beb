# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Gives each sighting at most one case and each case at most one sighting, so that the sum of all costs is least."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

#: More than any sum of real costs, and still a number.
_NEVER = 1e12


def assign(costs: Sequence[Mapping[int, float]], alone: float) -> list[int | None]:
    """For each row the column that it gets.

    Args:
        costs: for each row the columns that it may have, with what each costs.
        alone: what it costs to give a row none.
    """
    wanted = [_cheapest(row, alone) for row in costs]
    taken = [column for column in wanted if column is not None]
    if len(set(taken)) == len(taken):
        return wanted  # nobody is in another's way
    columns = sorted({column for row in costs for column, cost in row.items() if cost < alone})
    count = len(columns)
    matrix = [
        [row.get(column, _NEVER) for column in columns] + [alone if i == own else _NEVER for own in range(len(costs))]
        for i, row in enumerate(costs)
    ]
    return [columns[index] if index < count else None for index in _hungarian(matrix)]


def _cheapest(row: Mapping[int, float], alone: float) -> int | None:
    best = min(row, key=row.__getitem__, default=None)
    return best if best is not None and row[best] < alone else None


def _hungarian(costs: Sequence[Sequence[float]]) -> list[int]:
    """Column of each row. Shortest augmenting paths with potentials (Kuhn 1955, Munkres 1957); rows <= columns."""
    rows, columns = len(costs), len(costs[0])
    row_price, column_price = [0.0] * (rows + 1), [0.0] * (columns + 1)
    owner = [0] * (columns + 1)  # row + 1 of each column + 1; 0: free
    for row in range(1, rows + 1):
        owner[0], at = row, 0
        least, came_from, done = [math.inf] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
        while owner[at]:
            done[at] = True
            now, step, following = owner[at], math.inf, 0
            for column in range(1, columns + 1):
                if done[column]:
                    continue
                cost = costs[now - 1][column - 1] - row_price[now] - column_price[column]
                if cost < least[column]:
                    least[column], came_from[column] = cost, at
                if least[column] < step:
                    step, following = least[column], column
            for column in range(columns + 1):
                if done[column]:
                    row_price[owner[column]] += step
                    column_price[column] -= step
                else:
                    least[column] -= step
            at = following
        while at:
            owner[at], at = owner[came_from[at]], came_from[at]
    found = [0] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            found[owner[column] - 1] = column - 1
    return found
