# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From the broker into the store: one thread that judges, stores in batches and only then acknowledges.

The promise: an id stands in an `Ack` only after its commit has returned. What comes twice is stored once and
acknowledged twice. What can never be stored is refused, counted by reason and, where its id can be read, answered, so
that no vehicle sends it for ever. A picture in chunks is put together when the last one is stored. A store that
cannot write now (disk full) holds everything up: nothing is acknowledged, the broker and the vehicles keep it, and it
is tried again.
"""

from __future__ import annotations

import logging
import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Protocol, TypeAlias, TypeVar

from depot.arrivals import Arrival, Arrivals
from depot.errors import StoreError
from depot.intake import Accepted, Chunk, Intake, Picture, Refused, judge, judge_picture
from messages import envelope
from messages.topics import Topic
from messages.types import Ack, Health, Part, Refusal, Status

log = logging.getLogger(__name__)

#: Messages in one transaction.
BATCH = 512
#: Bytes in one transaction, and bytes that wait for the next one: with pictures of up to 2 MB these bound the memory.
BATCH_BYTES = 32_000_000
#: One refusal's text in an acknowledgement, characters.
_REASON_LENGTH = 200
#: Ids in one acknowledgement: far below the largest event even when every one is refused at length.
_IDS_PER_ACK = 32
_LONGEST_WAIT_S = 30.0

_T = TypeVar("_T")


class _StoppedError(Exception):
    """We are to end; what is under way was not acknowledged and comes again."""


class IntakeStore(Protocol):
    """What ingest needs of the store. Every method may be called from any thread."""

    def save(self, batch: Sequence[Intake]) -> None:
        """Store a batch in one transaction; when it returns, all of it would survive a power cut.

        What is there already stays as it is. Refusals are counted by reason.

        Raises:
            StoreError: nothing of the batch counts as stored; it may be tried again.
        """

    def look(self, chunk: Chunk) -> bytes | tuple[int, ...] | None:
        """What is here of the picture that a chunk belongs to, at one moment.

        None: the whole picture. Bytes: all its chunks, put together but not yet judged. Else: numbers of those that
        are here. Raises StoreError.
        """


@dataclass(frozen=True)
class Held:
    """What of a picture in chunks is committed."""

    vehicle: str
    part: Part


@dataclass(frozen=True)
class Known:
    """A picture that was asked for and lies here whole."""

    vehicle: str
    sha256: str


Stored: TypeAlias = Accepted | Picture | Refused | Held | Known


@dataclass(frozen=True)
class Reply:
    """What the network sends after a commit: acknowledgements first, then the tokens back to the broker."""

    messages: tuple[tuple[str, bytes], ...]
    tokens: tuple[object, ...]


class Ingest:
    """The writer thread and its bounded queue."""

    def __init__(self, store: IntakeStore, *, batch: int = BATCH) -> None:
        """`batch`: most messages in one transaction; twice as many may wait."""
        self._store = store
        self._batch = batch
        self._arrivals = Arrivals(2 * batch, BATCH_BYTES)
        self._stopping = threading.Event()
        self._thread = threading.Thread(name="ingest", daemon=True)
        self._boot = uuid.uuid4().hex[:12]
        self._counter = count()

    def start(self, reply: Callable[[Reply], None]) -> None:
        """Start the writer thread. It calls `reply` after each commit, which must not block."""
        self._thread = threading.Thread(target=self._run, args=(reply,), name="ingest", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch under way and end. What is still queued was not acknowledged and will come again."""
        self._stopping.set()
        self._arrivals.close()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the writer thread runs."""
        return self._thread.is_alive()

    def put(self, arrival: Arrival) -> bool:
        """Queue a message; waits while the queue is full (the network slows down). False: we are stopping."""
        return self._arrivals.put(arrival)

    def _run(self, reply: Callable[[Reply], None]) -> None:
        while batch := self._arrivals.take(self._batch, BATCH_BYTES):
            items = [judge(arrival.topic, arrival.payload) for arrival in batch]
            _tell([item for item in items if isinstance(item, Refused)])
            try:
                stored = self._put_together(self._store_all(items))
            except _StoppedError:
                return
            reply(self._answer(stored, batch))

    def _store_all(self, items: Sequence[Intake]) -> list[Intake]:
        """Store a batch, however long it takes; returns what now counts as stored."""
        try:
            self._patiently(lambda: self._store.save(items))
        except _StoppedError:
            raise
        except Exception as error:  # noqa: BLE001 - one message that trips over a mistake of ours must not stop the rest
            return self._store_singly(items, error)
        return list(items)

    def _store_singly(self, items: Sequence[Intake], error: Exception) -> list[Intake]:
        if len(items) == 1:
            log.error("the store rejects a message: %s: %s", type(error).__name__, printable(str(error)))
            refused = _rejected(items[0])
            return self._store_all([refused]) if refused != items[0] else []
        return [stored for item in items for stored in self._store_all([item])]

    def _patiently(self, action: Callable[[], _T]) -> _T:
        """Do something with the store, however often it cannot now. Raises _StoppedError."""
        for attempt in count():
            try:
                result = action()
            except StoreError as error:  # noqa: PERF203 - each round waits, and uses a disk
                if attempt == 0:
                    log.warning("cannot store now, trying again until it works: %s", error)
                if self._stopping.wait(jitter(attempt)):
                    raise _StoppedError from None
            else:
                if attempt:
                    log.warning("storing works again after %d attempts", attempt + 1)
                return result
        raise AssertionError

    def _put_together(self, stored: Sequence[Intake]) -> list[Stored]:
        """One answer for each picture of which chunks came, and all else as it is."""
        answers: list[Stored] = [item for item in stored if not isinstance(item, Chunk)]
        pictures = {(item.vehicle, item.sha256, item.size): item for item in stored if isinstance(item, Chunk)}
        for chunk in pictures.values():
            answers += self._patiently(partial(self._look_at, chunk))
        return answers

    def _look_at(self, chunk: Chunk) -> Sequence[Stored]:
        found = self._store.look(chunk)
        if found is None:
            return [Known(chunk.vehicle, chunk.sha256)]
        if isinstance(found, tuple):
            return [Held(chunk.vehicle, Part(sha256=chunk.sha256, bytes=chunk.size, have=found))]
        whole = judge_picture(chunk.vehicle, chunk.sha256, found)
        if isinstance(whole, Refused):
            _tell([whole])
        return [item for item in self._store_all([whole]) if not isinstance(item, Chunk)]

    def _answer(self, stored: Sequence[Stored], batch: Sequence[Arrival]) -> Reply:
        tokens = tuple(arrival.token for arrival in batch if arrival.token is not None)
        return Reply(tuple(self._acks(stored)), tokens)

    def _acks(self, stored: Sequence[Stored]) -> Iterator[tuple[str, bytes]]:
        by_vehicle: dict[str, list[Stored]] = {}
        for item in stored:
            if item.vehicle is not None and not _needs_no_answer(item):
                by_vehicle.setdefault(item.vehicle, []).append(item)
        for vehicle, items in by_vehicle.items():
            for start in range(0, len(items), _IDS_PER_ACK):
                event = envelope.Event(
                    id=envelope.event_id(self._boot, next(self._counter)),
                    source=envelope.source_of("depot"),
                    data=_ack(items[start : start + _IDS_PER_ACK]),
                )
                yield str(Topic(vehicle, "ack")), envelope.encode(event)


def _tell(refused: Sequence[Refused]) -> None:
    """One line for each vehicle and reason: somebody who sends rubbish without end must not fill our log."""
    alike = Counter((item.vehicle, item.reason) for item in refused)
    first = {(item.vehicle, item.reason): item for item in reversed(refused)}
    for (vehicle, reason), number in alike.items():
        more = f" (and {number - 1} more: {reason})" if number > 1 else ""
        log.warning("refused from %s: %s%s", vehicle or "unknown", printable(first[vehicle, reason].detail), more)


def _ack(items: Sequence[Stored]) -> Ack:
    return Ack(
        events=tuple(item.event.id for item in items if isinstance(item, Accepted)),
        pictures=tuple(item.sha256 for item in items if isinstance(item, (Picture, Known))),
        refused=tuple(
            Refusal(id=item.id, reason=f"{item.reason}: {printable(item.detail)}"[:_REASON_LENGTH])
            for item in items
            if isinstance(item, Refused) and item.id is not None
        ),
        parts=tuple(item.part for item in items if isinstance(item, Held)),
    )


def _needs_no_answer(item: Stored) -> bool:
    """No vehicle keeps a status or health to send it again; a refusal without an id helps nobody."""
    match item:
        case Accepted():
            return isinstance(item.event.data, Status | Health)
        case Refused():
            return item.id is None
        case Picture() | Held() | Known():
            return False


def _rejected(item: Intake) -> Refused:
    match item:
        case Accepted():
            return Refused("rejected_by_store", "the depot could not store it", item.vehicle, item.event.id)
        case Picture() | Chunk():
            return Refused("rejected_by_store", "the depot could not store it", item.vehicle, item.sha256)
        case Refused():
            return item


def jitter(attempt: int) -> float:
    """Seconds to wait before the next attempt: full jitter, so that many who lost one peer do not return at once."""
    return random.uniform(0, min(_LONGEST_WAIT_S, 0.5 * 2 ** min(attempt, 10)))  # noqa: S311 - no secret


def printable(text: str) -> str:
    """One line without control characters: what strangers send must not write our log."""
    return "".join(char if char.isprintable() else "?" for char in text)[:300]
