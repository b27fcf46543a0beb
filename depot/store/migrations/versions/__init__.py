# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One file for each change, in the order of their numbers. Never changed once released."""
