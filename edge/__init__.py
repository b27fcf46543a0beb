# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle: cameras -> sampling -> vision -> defects -> privacy -> delivery, positioning beside them.

Each stage knows the data types in `edge.types` and none of its neighbours; `edge.daemon` wires them.
"""

__version__ = "0.1.0"
