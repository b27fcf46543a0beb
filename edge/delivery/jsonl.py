# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Delivery into a file: one CloudEvent a line, for `replay --out FILE.jsonl`.

Pictures lie in `FILE.pictures/`, each named by its SHA-256. There is no depot, so what is written counts
as acknowledged.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.delivery.pictures import PictureFolder
from edge.delivery.port import Counts, Record, check_picture, encode_record
from edge.errors import StoreError
from messages.envelope import event_id

if TYPE_CHECKING:
    from messages.types import Health


class JsonlSink:
    """`Delivery` into a new file; an old one of the same name is replaced.

    Ids are the same in every run (`boot` is fixed), so that two runs can be compared.

    Raises:
        StoreError: the file cannot be written.
    """

    def __init__(self, path: Path | str, vehicle: str, *, boot: str = "replay") -> None:
        self._path = Path(path)
        self._vehicle = vehicle
        self._boot = boot
        self._counts = Counts()
        self._pictures: set[str] = set()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._folder = PictureFolder(self._path.with_name(self._path.name + ".pictures"))
            self._file = self._path.open("wb")
        except OSError as error:
            raise StoreError(f"output {self._path}: {error.strerror}; choose another place with --out") from None

    @property
    def boot(self) -> str:
        """See `Delivery.boot`."""
        return self._boot

    def confirm(self, message: Record, picture: bytes | None = None) -> str:
        """See `Delivery.confirm`."""
        sha256 = check_picture(message, picture)
        number = self._counts.confirmed + 1
        identity = event_id(self._boot, number)
        line = encode_record(self._vehicle, identity, message) + b"\n"
        try:
            if sha256 is not None and picture is not None:
                self._folder.write(sha256, picture)
                self._pictures.add(sha256)
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StoreError(f"output {self._path}: {error.strerror}; free some space") from None
        many = len(self._pictures)
        self._counts = replace(
            self._counts,
            confirmed=number,
            published=number,
            acknowledged=number,
            pictures_confirmed=many,
            pictures_acknowledged=many,
        )
        return identity

    def publish_health(self, health: Health) -> None:
        """See `Delivery.publish_health`; nobody is there to read it."""

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
        self._file.close()
        return True
