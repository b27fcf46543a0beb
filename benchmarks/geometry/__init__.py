# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Position and size against the truth of a numeric world: the real stages, noisy sensors, no pictures rendered."""
