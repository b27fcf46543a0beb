# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that have come in part: bounded, whatever a vehicle sends.

A vehicle has at most `PER_VEHICLE` of them and all together have at most `TOTAL_BYTES`, each counted as if it were
complete. Beyond that the one that was touched longest ago is dropped: its vehicle learns from the next answer that
nothing of it is here and sends it anew.
"""

from __future__ import annotations

from sqlalchemy import Connection, ScalarSelect, delete, func, select, text

from depot.intake import Chunk
from depot.store.ingest_tables import chunk as chunks
from depot.store.ingest_tables import partial
from depot.store.upserting import upsert

PER_VEHICLE = 4
TOTAL_BYTES = 256 * 1024 * 1024

#: Of the lock that processes share on PostgreSQL: any number that nobody else here uses.
_LOCK = 0x77656765


def lock(connection: Connection) -> None:
    """Until the transaction ends nobody else changes the parts: what bounds them must see all of them."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def put(connection: Connection, chunk: Chunk) -> None:
    """Keep a chunk; call `lock` before. One that is here already stays: the hash over all will judge."""
    if not chunk.content:
        return
    latest = select(func.coalesce(func.max(partial.c.touched), 0) + 1).scalar_subquery()
    insert = upsert(connection, partial).values(
        vehicle=chunk.vehicle, sha256=chunk.sha256, bytes=chunk.size, touched=latest
    )
    number = connection.execute(
        insert.on_conflict_do_update(
            index_elements=[partial.c.vehicle, partial.c.sha256, partial.c.bytes],
            set_={"touched": insert.excluded.touched},
        ).returning(partial.c.number)
    ).scalar_one()
    connection.execute(
        upsert(connection, chunks)
        .values(partial=number, number=chunk.number, content=chunk.content)
        .on_conflict_do_nothing()
    )
    _bound(connection, chunk.vehicle)


def _bound(connection: Connection, vehicle: str) -> None:
    order = select(partial.c.number, partial.c.bytes).order_by(partial.c.touched.desc())
    mine = [row.number for row in connection.execute(order.where(partial.c.vehicle == vehicle))]
    _drop_numbers(connection, mine[PER_VEHICLE:])
    total = 0
    too_much = []
    for number, size in connection.execute(order):
        total += size
        if total > TOTAL_BYTES:
            too_much.append(number)
    _drop_numbers(connection, too_much)


def _drop_numbers(connection: Connection, numbers: list[int]) -> None:
    if numbers:
        connection.execute(delete(partial).where(partial.c.number.in_(numbers)))


def drop(connection: Connection, sha256: str, vehicle: str | None = None) -> None:
    """Let the chunks of a picture go: of one vehicle, or of all. Call `lock` before."""
    statement = delete(partial).where(partial.c.sha256 == sha256)
    connection.execute(statement if vehicle is None else statement.where(partial.c.vehicle == vehicle))


def held(connection: Connection, chunk: Chunk) -> tuple[int, ...]:
    """Numbers of the chunks that are here of the picture that this one belongs to, rising."""
    rows = connection.scalars(select(chunks.c.number).where(chunks.c.partial == _of(chunk)).order_by(chunks.c.number))
    return tuple(rows)


def assembled(connection: Connection, chunk: Chunk) -> bytes:
    """All that is here of that picture, in order."""
    rows = connection.scalars(select(chunks.c.content).where(chunks.c.partial == _of(chunk)).order_by(chunks.c.number))
    return b"".join(rows)


def _of(chunk: Chunk) -> ScalarSelect[int]:
    return (
        select(partial.c.number)
        .where(partial.c.vehicle == chunk.vehicle, partial.c.sha256 == chunk.sha256, partial.c.bytes == chunk.size)
        .scalar_subquery()
    )
