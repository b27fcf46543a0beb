# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Exit codes by which the process says what became of it, and what is to become of the computer.

0 to 6 are those of `edge.errors`. The process has no right to boot or to switch off anything: systemd does it when it
sees the code (`OnFailure=` of the unit: `wegewart-reboot.service`).
"""

from __future__ import annotations

#: A stage that moved no more. 7 is also a camera that said itself that it gives no more frames.
STALLED = {"camera": 7, "inference": 8, "store": 9, "pipeline": 10, "loop": 11}
#: A stage without a code of its own.
STALLED_ELSEWHERE = 11
#: Restarts did not cure it: boot the computer.
REBOOT = 20
#: The ignition is off: switch the computer off.
POWER_OFF = 21
