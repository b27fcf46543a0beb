# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cuts updates before every write, rename, link and removal, and the recovery again at each of its own.

    python -m benchmarks.update_cuts [--every N] [--scenes first,update,model,ill,blind]

What is cut and what must hold: tests/update/cutting.py. The last line is JSON; exit code 1 where a device was bricked.
"""

from tests.update.cutting import main

if __name__ == "__main__":
    main()
