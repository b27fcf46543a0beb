# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Releases: built, signed with The Update Framework, published as static files. See docs/releases.md.

keys -> lock, wheels, source, packing -> building -> store, draft -> publishing -> client, bundle
"""
