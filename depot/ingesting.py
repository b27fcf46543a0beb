# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A process that only takes in, without a page: any number of them share what the vehicles send."""

from __future__ import annotations

import signal
import threading
from contextlib import closing

from depot.config import Config
from depot.errors import ConfigError
from depot.ingest import Ingest
from depot.mqtt import Link
from depot.services import Pictures
from depot.store.appending import IntakeDatabase
from depot.store.opening import open_database


def take_in(config: Config, pictures: Pictures, number: int) -> None:
    """Run until SIGTERM or SIGINT. `number`: which of the processes this is, from 1; each has its own.

    Raises:
        ConfigError: the configuration has no such processes, or a password or TLS file is wrong.
        StoreError: the store cannot be opened.
        BrokerError: the broker refuses our login.
    """
    if config.ingest.by != "processes":
        raise ConfigError('ingest.by: is "serve", so the process of the page takes in; set it to "processes"')
    ended = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ended.set())
    with closing(open_database(config.database, config.data.folder, pictures)) as database:
        ingest = Ingest(IntakeDatabase(database, pictures), batch=config.ingest.batch)
        link = Link(config.broker, put=ingest.put, refused=ended.set, share=number, under_way=config.ingest.batch)
        ingest.start(reply=link.reply)
        link.start()
        print(f"Wegewart depot: takes in, process {number}", flush=True)
        while ingest.alive and link.alive and not ended.wait(1):
            pass
        ingest.stop()
        link.stop()
    if link.error is not None:
        raise link.error
