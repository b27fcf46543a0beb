# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The pairing of least total cost: Kuhn's Hungarian method with shortest augmenting paths.

After Jonker and Volgenant, A shortest augmenting path algorithm for dense and sparse linear assignment problems
(Computing 38, 1987). Rows are looks, columns tracks; a handful of each, so plain numpy does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def assign(costs: NDArray[np.float64], *, alone: float) -> dict[int, int]:
    """Row -> column of the pairing with the least sum, in which a row that stays alone costs `alone`.

    Args:
        costs: rows x columns; inf where a pair cannot be.
        alone: what the worst pair may cost.
    """
    rows, columns = costs.shape
    if not rows or not columns:
        return {}
    padded = np.full((rows, columns + rows), alone)
    padded[:, :columns] = np.minimum(costs, 1e6 * alone)
    owner = _owners(padded)
    return {int(row): column for column, row in enumerate(owner[:columns]) if row >= 0 and costs[row, column] <= alone}


def _owners(costs: NDArray[np.float64]) -> NDArray[np.intp]:
    """Of each column the row that has it, -1 none. At least as many columns as rows."""
    rows, columns = costs.shape
    price_row, price_column = np.zeros(rows), np.zeros(columns)
    owner = np.full(columns, -1, np.intp)
    for start in range(rows):
        shortest, came_from = np.full(columns, np.inf), np.full(columns, -1, np.intp)
        done = np.zeros(columns, bool)
        row, column = start, -1
        while True:
            through = costs[row] - price_row[row] - price_column
            base = 0.0 if column < 0 else shortest[column]
            better = ~done & (base + through < shortest)
            shortest[better], came_from[better] = base + through[better], column
            column = int(np.argmin(np.where(done, np.inf, shortest)))
            if owner[column] < 0:
                break
            done[column] = True
            row = int(owner[column])
        long = shortest[column]
        price_row[start] += long
        for seen in np.flatnonzero(done):
            price_row[owner[seen]] += long - shortest[seen]
            price_column[seen] -= long - shortest[seen]
        while column >= 0:
            before = int(came_from[column])
            owner[column] = start if before < 0 else owner[before]
            column = before
    return owner
