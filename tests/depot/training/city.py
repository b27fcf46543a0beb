# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Decided cases with pictures as vehicles really make them."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import insert, update

from depot.store.database import Database
from depot.store.tables import cases, events, pictures, sightings
from edge.privacy.anonymise import PrivacySettings, SafePicture, anonymise
from messages import envelope
from messages.types import Observation, PictureRef
from tests.depot.review.samples import PicturesInMemory, add_case
from tests.depot.samples import observation

_counter = itertools.count(1)
FRAME = (720, 1280)
BOX = (500.0, 400.0, 620.0, 470.0)


def frame(seed: int) -> np.ndarray:
    """Grain so fine that a mosaic of it looks like nothing else."""
    return np.random.default_rng(seed).integers(0, 255, (*FRAME, 1)).astype(np.uint8).repeat(3, 2)


def safe(seed: int = 1, box: tuple[float, float, float, float] = BOX) -> SafePicture:
    """What a vehicle makes of a frame."""
    return anonymise(frame(seed), box, (), PrivacySettings(jpeg_quality=100), horizon_row=None)


def seen(picture: SafePicture, **changes: Any) -> Observation:
    """The message with that picture; `changes` are of the picture's reference."""
    ref = PictureRef(
        sha256=hashlib.sha256(picture.jpeg).hexdigest(),
        bytes=len(picture.jpeg),
        width=picture.width,
        height=picture.height,
        box=picture.box,
        anonymised=picture.anonymised,
    )
    return observation(picture=msgspec.structs.replace(ref, **changes))


@dataclass
class City:
    """A depot's database and pictures."""

    database: Database
    pictures: PicturesInMemory = field(default_factory=PicturesInMemory)

    def case(
        self, *, state: str = "confirmed", by: str | None = "erika", seed: int | None = None, **columns: Any
    ) -> int:
        """A decided case with one picture of its own."""
        decided = {"state": state, "decided_by": by, "decided_utc": "2026-05-05T10:11:12.000Z", "road": "Ringstraße"}
        number = add_case(self.database, **(decided | columns))
        n = next(_counter) if seed is None else seed
        picture = safe(n)
        self.sight(number, seen(picture), picture.jpeg)
        return number

    def sight(self, case: int, message: Observation, jpeg: bytes, **columns: Any) -> None:
        """One more sighting."""
        n = next(_counter)
        assert message.picture is not None
        name = message.picture.sha256
        self.pictures.keep(name, jpeg)
        event = envelope.Event(id=f"t-{n}", source=envelope.source_of("bus-7"), data=message)
        with self.database.changing() as change:
            connection = change.connection
            values = {
                "source": event.source,
                "id": event.id,
                "type": "wegewart.observation.v1",
                "received_utc": columns.pop("received_utc", "2026-05-04T09:31:00.000Z"),
                "payload": envelope.encode(event),
            }
            received = connection.execute(insert(events).values(values)).inserted_primary_key[0]
            usual = {"case": case, "received": received, "vehicle": "bus-7", "class": "pothole", "picture": name}
            connection.execute(insert(sightings).values({**usual, "score": message.score, **columns}))
            stored = {"sha256": name, "vehicle": "bus-7", "bytes": 1, "width": 1, "height": 1, "received_utc": "x"}
            connection.execute(insert(pictures).values(stored))
            connection.execute(update(cases).where(cases.c.number == case).values(best=received, changed=change.next()))
