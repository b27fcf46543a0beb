# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of daemon, broker and depot at random moments of drives: is what was confirmed shown, once?"""
