# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Wires the depot: store, ingest, broker and page; ends all of them cleanly on SIGTERM or SIGINT."""

from __future__ import annotations

import socket
from contextlib import closing
from types import FrameType

import uvicorn
from fastapi import FastAPI

from depot.api import make_app
from depot.config import Config
from depot.errors import ConfigError
from depot.ingest import Ingest
from depot.mqtt import Link
from depot.store.sqlite import SqliteStore

#: Seconds that open connections get to end by themselves.
_GRACE_S = 3


class _Server(uvicorn.Server):
    """Says where the page is once it can be opened, and tells live streams that the end has come."""

    def __init__(self, app: FastAPI, address: str) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE_S
            )
        )
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            print(f"Wegewart depot: {self._address}", flush=True)

    def handle_exit(self, _signal: int, _frame: FrameType | None) -> None:
        # Not passed on: uvicorn would raise the signal again after its end, before we have closed the store.
        self.should_exit = True


def serve(config: Config) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        ConfigError: the page's address cannot be used, or a password or TLS file is wrong.
        StoreError: the store cannot be opened.
        BrokerError: the broker refuses our login.
    """
    with (
        closing(_listen(config.http.host, config.http.port)) as listener,
        closing(SqliteStore(config.data.folder)) as store,
    ):
        ingest = Ingest(store)
        link = Link(config.broker, put=ingest.put, refused=lambda: server.handle_exit(0, None))

        def link_state() -> str | None:
            if not (ingest.alive and link.alive):
                return None
            return "connected" if link.connected else "waiting"

        app = make_app(store, config.page, link_state=link_state, stopping=lambda: server.should_exit)
        server = _Server(app, _address(config.http.host, listener))
        ingest.start(reply=link.reply)
        link.start()
        try:
            server.run(sockets=[listener])
        finally:
            ingest.stop()
            link.stop()
        if link.error is not None:
            raise link.error


def _address(host: str, listener: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}/"


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigError(f"http.host, http.port: cannot listen on {host}:{port}: {error.strerror}") from None
