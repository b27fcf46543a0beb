# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes into the store's tables, each within a transaction of the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge.delivery.holding import Answer, Batch, Fact, PictureName
    from edge.delivery.ledger import Ledger


def enter(ledger: Ledger, batch: Batch) -> None:
    """Facts, their pictures and the depot's answers, all or nothing. Raises StoreError."""
    with ledger.transaction():
        for fact in batch.facts:
            _enter_fact(ledger, fact)
        for picture in batch.pictures:
            _enter_picture(ledger, picture)
        for state, many in batch.settled.items():
            ledger.count("confirmed", ledger.start, many)
            ledger.count(state, ledger.start, many)
        if batch.answers:
            for answer in batch.answers:
                _enter_answer(ledger, answer)
            ledger.note_uptime()


def _enter_fact(ledger: Ledger, fact: Fact) -> None:
    with ledger.transaction() as db:
        # After a commit that failed nobody knows if it is on the disk; the id has one content for ever.
        entered = db.execute(
            "INSERT OR IGNORE INTO event (id, boot, kind, payload, picture) VALUES (?, ?, ?, ?, ?)",
            (fact.id, ledger.start, fact.kind, fact.payload, fact.sha256),
        ).rowcount
        ledger.count("confirmed", ledger.start, entered)


def _enter_picture(ledger: Ledger, picture: PictureName) -> None:
    rows = ledger.rows("SELECT state, boot FROM picture WHERE sha256 = ?", (picture.sha256,))
    with ledger.transaction() as db:
        if not rows:
            db.execute(
                "INSERT INTO picture (sha256, boot, bytes, state) VALUES (?, ?, ?, ?)",
                (picture.sha256, ledger.start, picture.size_bytes, "pending" if picture.stored else "lost"),
            )
            ledger.count("pictures_confirmed", ledger.start)
            if not picture.stored:
                ledger.count("pictures_lost", ledger.start)
        elif rows[0][0] in ("lost", "refused") and picture.stored:
            db.execute("UPDATE picture SET state = 'pending' WHERE sha256 = ?", (picture.sha256,))
            ledger.count(f"pictures_{rows[0][0]}", rows[0][1], -1)


def _enter_answer(ledger: Ledger, answer: Answer) -> None:
    column, prefix = ("id", "") if answer.table == "event" else ("sha256", "pictures_")
    rows = ledger.rows(f"SELECT state, boot FROM {answer.table} WHERE {column} = ?", (answer.key,))  # noqa: S608
    if not rows or rows[0][0] != "pending":
        return
    with ledger.transaction() as db:
        db.execute(
            f"UPDATE {answer.table} SET state = ?, reason = ?, done_s = ? WHERE {column} = ?",  # noqa: S608
            (answer.state, answer.reason, ledger.uptime_s(), answer.key),
        )
        ledger.count(prefix + answer.state, rows[0][1])


def send_again(ledger: Ledger, sha256: str, start: int) -> None:
    """An acknowledged picture of that start is asked for once more. Raises StoreError."""
    with ledger.transaction() as db:
        db.execute("UPDATE picture SET state = 'pending' WHERE sha256 = ?", (sha256,))
        ledger.count("pictures_acknowledged", start, -1)


def forget_pictures(ledger: Ledger, answered: Iterable[str]) -> None:
    """The rows of answered pictures whose files had to make room. Raises StoreError."""
    with ledger.transaction() as db:
        db.executemany(
            "DELETE FROM picture WHERE sha256 = ? AND state IN ('acknowledged', 'refused')",
            [(sha256,) for sha256 in answered],
        )


def delete_acknowledged(ledger: Ledger, before_s: float) -> tuple[int, list[str]]:
    """Delete what was acknowledged before that operating time; how many events, and which pictures. Raises StoreError.

    A picture stays while an event names it.
    """
    with ledger.transaction() as db:
        events = db.execute("DELETE FROM event WHERE state = 'acknowledged' AND done_s <= ?", (before_s,)).rowcount
        pictures = db.execute(
            "SELECT sha256 FROM picture WHERE state = 'acknowledged' AND done_s <= ?"
            " AND NOT EXISTS (SELECT 1 FROM event WHERE event.picture = picture.sha256)",
            (before_s,),
        ).fetchall()
        db.executemany("DELETE FROM picture WHERE sha256 = ?", pictures)
        ledger.note_uptime()
    return events, [sha256 for (sha256,) in pictures]


def drop_over_quota(ledger: Ledger, waiting: Mapping[str, int]) -> int:
    """Delete the oldest waiting events of each kind of which more than its quota wait. Raises StoreError."""
    dropped = 0
    for kind, most in waiting.items():
        [(many,)] = ledger.rows("SELECT count(*) FROM event WHERE state = 'pending' AND kind = ?", (kind,))
        if many > most:
            with ledger.transaction() as db:
                dropped += db.execute(
                    "DELETE FROM event WHERE seq IN"
                    " (SELECT seq FROM event WHERE state = 'pending' AND kind = ? ORDER BY seq LIMIT ?)",
                    (kind, many - most),
                ).rowcount
                ledger.count("dropped", ledger.start, many - most)
    return dropped
