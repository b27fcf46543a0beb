# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How often Python looks for objects that only hold each other."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """With 100,000 cases in memory one look takes a tenth of a second, in which nobody is answered.

    An answer of 1,000 lines makes some 20,000 objects that go by themselves; by default each 700 of them (2,000 from
    Python 3.12 on) bring a look nearer. Measured by `python -m benchmarks.roads`: 142 ms become less than 40 at 95 %.
    """
    gc.set_threshold(100_000, 20, 20)
