# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that have come in part, in the SQLite store: bounded, whatever a vehicle sends.

A vehicle has at most `PER_VEHICLE` of them and all together have at most `TOTAL_BYTES`, each counted as if it were
complete. Beyond that the one that was touched longest ago is dropped: its vehicle learns from the next answer that
nothing of it is here and sends it anew. SQLite uses the freed pages again.
"""

from __future__ import annotations

import sqlite3

from depot.intake import Chunk

PER_VEHICLE = 4
TOTAL_BYTES = 256 * 1024 * 1024

_OF = "vehicle = ? AND sha256 = ? AND bytes = ?"


def put(connection: sqlite3.Connection, chunk: Chunk) -> None:
    """Keep a chunk, within a transaction. One that is here already stays: the hash over all will judge."""
    if not chunk.content:
        return
    key = (chunk.vehicle, chunk.sha256, chunk.size)
    (number,) = connection.execute(
        "INSERT INTO partial (vehicle, sha256, bytes, touched)"
        " VALUES (?, ?, ?, (SELECT ifnull(max(touched), 0) + 1 FROM partial))"
        " ON CONFLICT DO UPDATE SET touched = excluded.touched RETURNING number",
        key,
    ).fetchone()
    connection.execute(
        "INSERT INTO chunk VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (number, chunk.number, chunk.content)
    )
    _bound(connection, chunk.vehicle)


def _bound(connection: sqlite3.Connection, vehicle: str) -> None:
    connection.execute(
        "DELETE FROM partial WHERE number IN"
        " (SELECT number FROM partial WHERE vehicle = ? ORDER BY touched DESC LIMIT -1 OFFSET ?)",
        (vehicle, PER_VEHICLE),
    )
    (total,) = connection.execute("SELECT total(bytes) FROM partial").fetchone()
    while total > TOTAL_BYTES:
        oldest = connection.execute("SELECT number, bytes FROM partial ORDER BY touched LIMIT 1").fetchone()
        connection.execute("DELETE FROM partial WHERE number = ?", (oldest[0],))
        total -= oldest[1]


def drop(connection: sqlite3.Connection, sha256: str, vehicle: str | None = None) -> None:
    """Let the chunks of a picture go, within a transaction: of one vehicle, or of all."""
    connection.execute(
        "DELETE FROM partial WHERE sha256 = ? AND (? IS NULL OR vehicle = ?)", (sha256, vehicle, vehicle)
    )


def held(connection: sqlite3.Connection, chunk: Chunk) -> tuple[int, ...]:
    """Numbers of the chunks that are here of the picture that this one belongs to, rising."""
    rows = connection.execute(
        f"SELECT c.number FROM partial p JOIN chunk c ON c.partial = p.number WHERE {_OF} ORDER BY c.number",  # noqa: S608
        (chunk.vehicle, chunk.sha256, chunk.size),
    )
    return tuple(number for (number,) in rows)


def assembled(connection: sqlite3.Connection, chunk: Chunk) -> bytes:
    """All that is here of that picture, in order."""
    rows = connection.execute(
        f"SELECT c.content FROM partial p JOIN chunk c ON c.partial = p.number WHERE {_OF} ORDER BY c.number",  # noqa: S608
        (chunk.vehicle, chunk.sha256, chunk.size),
    )
    return b"".join(content for (content,) in rows)
