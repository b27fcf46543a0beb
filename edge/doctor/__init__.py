# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-edge doctor`: is this vehicle fit to drive? One line for each part, and what to do where it is not."""
