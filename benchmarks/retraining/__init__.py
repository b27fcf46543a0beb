# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The way from vehicles through clerks to a training set, once through: a rendered city stands in for a real one."""
