# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a depot does with messages that no vehicle sends, with good ones in between.

    python -m benchmarks.fuzz_depot [--messages N] [--database sqlite|postgresql] [--seed S]

Real Mosquitto, a real `wegewart-depot ingest` process, a real database. Every 50th message is a good observation of a
vehicle that wants its acknowledgement. At the end the process must be the one that was started, each refused message
must be counted with the reason that `depot.intake` gives it, and each good one must be stored and acknowledged.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from benchmarks.fuzz import Fuzzer
from benchmarks.ingest.__main__ import QUEUES, IngestProcess
from benchmarks.ingest.load import template
from benchmarks.ingest.wire import Wire, topic_bytes
from benchmarks.postgres import Postgres
from benchmarks.servers import HOST, Broker, end_with_children, wait_for
from depot.intake import Accepted, Chunk, Refused, judge, judge_picture
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.tables import events, refused
from messages import envelope
from messages.chunks import chunk_count
from messages.topics import Topic
from messages.types import Ack, Health, Status

#: Good messages that may wait for their acknowledgement: bounds what waits at the broker, which would drop the rest.
_OPEN = 60
_EVERY = 50
_GOOD = "good-1"


class Expected:
    """What must stand in the database at the end."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self.events: set[tuple[str, str]] = set()
        self.count = 0

    def add(self, topic: str, payload: bytes) -> None:
        """Judge one message as the depot should."""
        self.count += 1
        item = judge(topic, payload)
        if isinstance(item, Chunk) and item.content and chunk_count(item.size) == 1:
            item = judge_picture(item.vehicle, item.sha256, item.content)  # it is all of the picture
        if isinstance(item, Refused):
            self.refused[item.reason] += 1
        elif isinstance(item, Accepted) and not isinstance(item.event.data, Status | Health):
            self.events.add((item.event.source, item.event.id))


class Sender:
    """Sends all of it, at most as fast as the good messages are acknowledged."""

    def __init__(self, port: int) -> None:
        self._wire = Wire(HOST, port, _GOOD, str(Topic(_GOOD, "ack")))
        self._head, self._tail = template(_GOOD).split(b"boot-00000000")
        self.open: set[str] = set()
        self.acknowledged = 0

    def send(self, topic: str, payload: bytes) -> None:
        """Queue one message and send what the network takes."""
        self._wire.publish(topic_bytes(topic), payload)
        self.move()

    def good(self, number: int) -> tuple[str, bytes]:
        """One good observation, which from now on waits for its acknowledgement."""
        identity = envelope.event_id("boot", number)
        self.open.add(identity)
        return str(Topic(_GOOD, "observation")), self._head + identity.encode() + self._tail

    def move(self) -> None:
        """Write and read once."""
        if self._wire.wants_to_write:
            self._wire.write()
        for payload in self._wire.read():
            ack = envelope.decode(payload).data
            assert isinstance(ack, Ack)
            self.acknowledged += len(self.open & set(ack.events))
            self.open -= set(ack.events)

    def wait_below(self, most: int, timeout_s: float = 120) -> None:
        """Until at most so many good ones wait. Raises ServerError: the depot stands still."""

        def is_below() -> bool:
            self.move()
            return len(self.open) <= most and not self._wire.wants_to_write

        if not is_below():
            wait_for(is_below, timeout_s, "the depot acknowledges good messages")


def main() -> int:
    """Fuzz and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    end_with_children()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wegewart-fuzz-")))
        (folder / "data").mkdir()
        url = f"sqlite:///{folder}/data/depot.sqlite"
        if options.database == "postgresql":
            postgres = Postgres()
            stack.callback(postgres.remove)
            postgres.start()
            postgres.make_database()
            url = postgres.url
        broker = Broker(folder, QUEUES)
        stack.callback(broker.stop)
        broker.start()
        taker = IngestProcess(folder, broker, url, 1)
        stack.callback(taker.stop)
        taker.start()
        return _run(options, broker, taker, url)


def _run(options: argparse.Namespace, broker: Broker, taker: IngestProcess, url: str) -> int:
    expected, sender = Expected(), Sender(broker.port)
    start_s = time.monotonic()
    for number, message in enumerate(Fuzzer(options.seed).messages(options.messages)):
        expected.add(*message)
        sender.send(*message)
        if number % _EVERY == 0:
            good = sender.good(number // _EVERY)
            expected.add(*good)
            sender.send(*good)
            sender.wait_below(_OPEN)
    sender.wait_below(0)
    seconds = time.monotonic() - start_s
    assert taker.process is not None
    is_same = taker.process.poll() is None
    database = Database(url)
    migrate(database)
    with database.reading() as connection:
        counted = {row.reason: row.count for row in connection.execute(select(refused))}
        stored = {(row.source, row.id) for row in connection.execute(select(events.c.source, events.c.id))}
    database.close()
    said = taker.log.read_text(errors="replace")
    print(f"database                               {options.database}")
    print(f"messages, of them good                 {expected.count}, {sender.acknowledged} acknowledged")
    print(f"taken in                               {expected.count / seconds:.0f} messages/s")
    for reason, count in sorted(counted.items()):
        print(f"refused: {reason:<30} {count}")
    print(f"valid by chance                        {len(expected.events) - sender.acknowledged} different events")
    print(f"counted as expected, stored as expected {counted == expected.refused}, {stored == expected.events}")
    print(f"the process that was started lives     {is_same}")
    print(f"tracebacks in its log                  {said.count('Traceback')}")
    is_good = counted == expected.refused and stored == expected.events and is_same and "Traceback" not in said
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
