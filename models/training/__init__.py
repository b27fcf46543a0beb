# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How the shipped weights were made: data, augmentation, network, loss, training, packaging."""
