# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Delivery into a file or onto standard output: one CloudEvent a line, for `replay --out FILE.jsonl`.

Pictures lie in `FILE.pictures/`, each named by its SHA-256; standard output gets none. There is no depot,
so what is written counts as acknowledged.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from edge.delivery.pictures import PictureFolder
from edge.delivery.port import Counts, Record, check_picture, encode_record
from edge.errors import StoreError
from messages.envelope import event_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.delivery.commands import Order
    from messages.types import Health


class JsonlSink:
    """`Delivery` into a new file (an old one of the same name is replaced) or an open text stream.

    Ids are the same in every run (`boot` is fixed), so that two runs can be compared.

    Raises:
        StoreError: the file cannot be written.
    """

    def __init__(self, out: Path | str | TextIO, vehicle: str, *, boot: str = "replay") -> None:
        self._vehicle = vehicle
        self._boot = boot
        self._counts = Counts()
        self._seen: set[str] = set()
        self._folder: PictureFolder | None = None
        if not isinstance(out, (str, Path)):
            self._name, self._file = "standard output", out
            return
        path = Path(out)
        self._name = str(path)
        with self._clearly("choose another place with --out"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._folder = PictureFolder(path.with_name(path.name + ".pictures"))
            self._folder.make()
            self._file = path.open("w", encoding="utf-8")

    @property
    def boot(self) -> str:
        """See `Delivery.boot`."""
        return self._boot

    def confirm(self, message: Record, picture: bytes | None = None) -> str:
        """See `Delivery.confirm`."""
        sha256 = check_picture(message, picture)
        number = self._counts.confirmed + 1
        identity = event_id(self._boot, number)
        line = encode_record(self._vehicle, identity, message).decode()
        with self._clearly("free some space"):
            if sha256 is not None and picture is not None and self._folder is not None:
                self._folder.write(sha256, picture)
                self._seen.add(sha256)
            self._file.write(line + "\n")
            self._file.flush()
            if self._folder is not None:
                os.fsync(self._file.fileno())
        self._counts = replace(
            self._counts,
            confirmed=number,
            published=number,
            acknowledged=number,
            pictures_confirmed=len(self._seen),
            pictures_acknowledged=len(self._seen),
        )
        return identity

    def publish_health(self, health: Health) -> None:
        """See `Delivery.publish_health`; nobody is there to read it."""

    def commands(self) -> list[Order]:
        """See `Delivery.commands`; there is no depot."""
        return []

    def reply(self, order: str, *, ok: bool, text: str) -> None:
        """See `Delivery.reply`; nobody asked."""

    def counts(self) -> Counts:
        """See `Delivery.counts`."""
        return self._counts

    def counters(self) -> dict[str, int]:
        """See `Delivery.counters`."""
        return {}

    def faults(self) -> tuple[str, ...]:
        """See `Delivery.faults`."""
        return ()

    def close(self, drain_s: float = 0.0) -> bool:  # noqa: ARG002 - nothing to wait for
        """See `Delivery.close`."""
        if self._folder is not None:
            self._file.close()
        return True

    @contextlib.contextmanager
    def _clearly(self, hint: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"output {self._name}: {error.strerror}; {hint}") from None
