# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads firmware_config/ as the programs of a device would, before one does: scripts/check-firmware-config."""
