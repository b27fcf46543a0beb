# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One module for each part of the table: `jobs` says what to run, `figures` what came out of it."""
