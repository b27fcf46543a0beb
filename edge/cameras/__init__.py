# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Sources of frames: live cameras (newest frame wins) and recordings (every frame, in order)."""
