# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Updates from the depot's side: the repository of signed releases, and roll-outs step by step.

The depot holds no key. It serves files that the vehicles check themselves, and wishes for releases; whether one is
taken, the vehicle alone decides. See docs/updates_depot.md.
"""
