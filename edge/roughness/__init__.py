# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How the road feels: from the body's vertical acceleration to sections and shocks."""
