# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which frames are worth judging, whether they can be judged, and what that covers of the road."""

from __future__ import annotations

from typing import Literal, TypeAlias

Reason: TypeAlias = Literal["dark", "blurred", "overexposed", "blocked", "too_fast", "no_fix", "no_model", "bad_frame"]
"""Why a stretch could not be judged: the words of `messages.types.Coverage.reason`."""
