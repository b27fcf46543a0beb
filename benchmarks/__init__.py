# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Claims with their commands: each module prints the figures that docs/measured.md states."""
