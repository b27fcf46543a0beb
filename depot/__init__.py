# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The depot: takes events from the broker, stores each once, acknowledges after commit, shows the map.

Read in the order of the data flow: `intake` judges what arrived, `store` keeps it, `mqtt` and `ingest`
move it, `api` and `web` show it, `cli` wires them.
"""
