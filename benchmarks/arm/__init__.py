# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Do the shipped models say on a Raspberry Pi's processor what they say here? The real aarch64 wheels, emulated."""
