# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What no vehicle sends: counted by reason, confirmed once, never in the way of what is good. On both databases.

`python -m benchmarks.fuzz_depot` does the same with a million messages, a real broker and a real process.
"""

from __future__ import annotations

import queue

from sqlalchemy import select

from benchmarks.fuzz import Fuzzer
from benchmarks.fuzz_depot import Expected
from depot.arrivals import Arrival
from depot.ingest import Ingest, Reply
from depot.store.appending import IntakeDatabase
from depot.store.pictures import PictureFolder
from depot.store.tables import events, refused
from messages import envelope
from messages.types import Ack
from tests.depot import samples

COUNT = 3000


def test_thousands_of_broken_messages_are_counted_and_stop_no_good_one(database, tmp_path):
    replies: queue.Queue[Reply] = queue.Queue()
    ingest = Ingest(IntakeDatabase(database, PictureFolder(tmp_path)))
    ingest.start(replies.put)
    expected, good = Expected(), set()
    sent = 0
    for number, message in enumerate(Fuzzer(7).messages(COUNT)):
        expected.add(*message)
        ingest.put(Arrival(*message, sent))
        sent += 1
        if number % 100 == 0:
            mine = (samples.topic("observation"), samples.payload(samples.observation(), number + 10))
            expected.add(*mine)
            ingest.put(Arrival(*mine, sent))
            good.add(samples.event_id(number + 10))
            sent += 1
    tokens: list[object] = []
    acknowledged: set[str] = set()
    while len(tokens) < sent:
        reply = replies.get(timeout=60)
        tokens += reply.tokens
        for _, payload in reply.messages:
            ack = envelope.decode(payload).data
            assert isinstance(ack, Ack)
            acknowledged.update(ack.events)
    assert ingest.alive
    ingest.stop()
    assert tokens == list(range(sent))
    assert good <= acknowledged
    with database.reading() as connection:
        assert {row.reason: row.count for row in connection.execute(select(refused))} == expected.refused
        stored = {(row.source, row.id) for row in connection.execute(select(events.c.source, events.c.id))}
    assert stored == expected.events
    assert set(expected.refused) >= {
        "invalid", "not_json", "not_a_jpeg", "too_large", "unknown_topic", "wrong_chunk", "wrong_hash", "wrong_topic",
        "wrong_vehicle", "unknown_type",
    }  # fmt: skip
