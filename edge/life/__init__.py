# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The life of the process and its computer: it observes the stages and is none of them."""
