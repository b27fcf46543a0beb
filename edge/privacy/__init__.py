# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""People and number plates made unrecognisable before a picture is written or sent."""
