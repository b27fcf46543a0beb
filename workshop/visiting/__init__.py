# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A bundle brought to vehicles by hand: on a USB stick, or over SSH."""
