# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What vehicle and depot say to each other: typed messages, topics, the CloudEvents envelope.

Imported by `edge` and `depot`, imports neither. Everything that arrives from the network goes
through `messages.envelope.decode`, which either returns a checked message or raises
`MessageError` with one line that says what is wrong and where.
"""
