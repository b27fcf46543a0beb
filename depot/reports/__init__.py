# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Citizens' photos: the same detector, text and routing; people and plates are a hard stop."""
