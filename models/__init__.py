# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Model packages (folders with model.toml) and, in `training`, what made them."""
