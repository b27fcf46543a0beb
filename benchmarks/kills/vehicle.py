# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-edge` with a witness: what `Outbox.confirm` has returned an id for is noted in a file of its own.

    python -m benchmarks.kills.vehicle JOURNAL run --config vehicle.toml

Everything else is the daemon as shipped. Each note is one write(2) to an append-only file, after `confirm` has
returned: the page cache outlives the process. A line: `C id kind sha256-of-the-event sha256-of-the-picture|-`.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from edge.cli import main
from edge.delivery.outbox import Outbox


@contextmanager
def noting(path: Path) -> Iterator[None]:
    """Note every confirmation of this process while the block runs."""
    journal = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    plain = Outbox.confirm

    def confirm(self: Outbox, kind: str, build: Callable[[str], bytes], picture: bytes | None = None) -> str:
        event = b""

        def keep(identity: str) -> bytes:
            nonlocal event
            event = build(identity)
            return event

        identity = plain(self, kind, keep, picture)
        shown = "-" if picture is None else hashlib.sha256(picture).hexdigest()
        os.write(journal, f"C {identity} {kind} {hashlib.sha256(event).hexdigest()} {shown}\n".encode())
        return identity

    with mock.patch.object(Outbox, "confirm", confirm):
        yield
    os.close(journal)


if __name__ == "__main__":
    with noting(Path(sys.argv[1])):
        code = main(sys.argv[2:])
    sys.exit(code)
