# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes an operating system onto a card and makes it one vehicle's. Started by `scripts/flash`.

The order is that of the data: `image` is read twice, first to know it (`survey`), then to write it. In between
`payload` says which files the vehicle needs on its boot partition (`cloud`, `bootfiles`, `keys`, `site`), and `fat`
puts them into a copy of that partition in memory. `device` says what the card is and why it may not be written;
`writing` writes image and partition in one go and reads all of it back. `session` is one card, or many.
"""
