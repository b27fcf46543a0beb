# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Who is to act: districts, roads, offices and the rules that the depot edits."""
