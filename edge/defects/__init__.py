# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From boxes in frames to physical defects: place on the road, track, measure, grade."""
