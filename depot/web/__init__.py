# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The page: its document, its static files, and how the packages that it loads are fetched."""
