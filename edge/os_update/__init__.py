# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The operating system's A/B update on the Raspberry Pi: written beside the other, tried once, kept if well.

Lies in the operating system, not in the application: it works while the application's environment is broken, so it
needs Python 3.11 and its standard library only, and nothing else of this project. `docs/os_update.md` tells its life.
"""
