# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The outbox's pictures under their quota: which are written, which make room."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from typing import TYPE_CHECKING

from edge.delivery import entries
from edge.delivery.holding import Answer, Holding, PictureName
from edge.delivery.pictures import PictureFolder
from edge.delivery.quota import Clearance, Quota, Shelf, clear
from edge.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edge.delivery.ledger import Ledger

log = logging.getLogger(__name__)

#: A fact needs a few pages of the store and its log; so much is made free when the disk is full.
FACT_ROOM_BYTES = 256 * 1024


class Gallery:
    """Picture files in `folder`; the caller holds the ledger's lock. Nothing here raises for a disk's sake.

    `dropped`: pictures that made room in this run though the depot did not have them.
    """

    def __init__(self, folder: Path, ledger: Ledger, holding: Holding, quota: Quota) -> None:
        self._files = PictureFolder(folder)
        self._ledger = ledger
        self._holding = holding
        self._quota = quota
        self.dropped = 0
        with contextlib.suppress(OSError, StoreError):
            self._files.make()
            if ledger.writable and ledger.fault is None:  # else the files may be all that is left: keep them
                self._files.sweep({sha256 for (sha256,) in ledger.rows("SELECT sha256 FROM picture")})

    def read(self, sha256: str) -> bytes | None:
        """See `PictureFolder.read`."""
        return self._files.read(sha256)

    def remove(self, sha256: str) -> bool:
        """See `PictureFolder.remove`."""
        return self._files.remove(sha256)

    def bring_in(self, folder: Path, wanted: Iterable[str]) -> int:
        """Copy the wanted pictures that are in another folder and not here; returns how many."""
        other = PictureFolder(folder)
        missing = (sha256 for sha256 in wanted if self._files.read(sha256) is None)
        pictures = (other.read(sha256) for sha256 in missing)
        return sum(self.write(picture).stored for picture in pictures if picture is not None)

    def write(self, picture: bytes) -> PictureName:
        """Store a picture where quota and disk have room for it, or older ones can make room."""
        sha256 = hashlib.sha256(picture).hexdigest()
        stored = False
        with contextlib.suppress(OSError, StoreError):
            if self._fits(len(picture)):
                self._files.write(sha256, picture)
                stored = True
        return PictureName(sha256, len(picture), stored)

    def _fits(self, size: int) -> bool:
        shelf = self._shelf()
        over = shelf.total_bytes + size - self._quota.pictures_bytes
        short = self._quota.free_bytes + size - self._files.free_bytes()
        clearance = clear(shelf, max(over, short))
        if clearance is None:
            return False
        self._clear(clearance)
        return True

    def free_bytes(self) -> int | None:
        """What the disk has left; None where it does not say."""
        with contextlib.suppress(OSError):
            return self._files.free_bytes()
        return None

    @property
    def short(self) -> bool:
        """The disk is so full that pictures go."""
        free = self.free_bytes()
        return free is not None and free < self._quota.free_bytes

    def make_room(self) -> bool:
        """The disk takes not even a fact: if it is full, pictures go. True if any did."""
        try:
            if self._files.free_bytes() >= FACT_ROOM_BYTES:
                return False
            shelf = self._shelf()
        except (OSError, StoreError):
            return False
        everything = Clearance(tuple(key for key, _ in shelf.answered), tuple(key for key, _ in shelf.waiting))
        return self._clear(clear(shelf, FACT_ROOM_BYTES) or everything)

    def _clear(self, clearance: Clearance) -> bool:
        """Delete pictures; True if there were any. Files first: on a full disk no row can be changed before."""
        gone = [sha256 for sha256 in clearance.answered if self._files.remove(sha256)]
        lost = [sha256 for sha256 in clearance.waiting if self._files.remove(sha256)]
        for sha256 in lost:
            self._holding.answer(Answer("picture", sha256, "lost", "no room"))
        if gone:
            with contextlib.suppress(StoreError):
                entries.forget_pictures(self._ledger, gone)
        self.dropped += len(lost)
        if lost:
            log.warning("outbox: no room, %d undelivered pictures deleted", len(lost))
        return bool(gone or lost)

    def _shelf(self) -> Shelf:
        rows = self._ledger.rows("SELECT sha256, bytes, state FROM picture WHERE state != 'lost' ORDER BY done_s, seq")
        noted = {key for table, key in self._holding.answers if table == "picture"}
        waiting = [(key, size) for key, size, state in rows if state == "pending" and key not in noted]
        answered = [(key, size) for key, size, state in rows if state != "pending"]
        if not self._ledger.writable:  # the copy in memory does not know what the depot has
            answered = self._files.unwanted({key for key, _, _ in rows})
        return Shelf(answered, waiting)
