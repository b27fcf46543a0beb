# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What runs on the technicians' desk: certificates, cards, releases. Started by the programs in `scripts/`."""
