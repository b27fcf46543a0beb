# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A depot with cases, vehicles that pass them, and a broker that is made of a list."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import insert, select, update

from depot.asking.config import AskingConfig
from depot.asking.projection import LaterPictures
from depot.asking.worker import Asking
from depot.cases.tables import asked_pictures
from depot.commanding import Errand
from depot.intake import Accepted, Picture
from depot.projecting import Projector
from depot.store.appending import append
from depot.store.database import Database
from depot.store.news import News
from depot.store.tables import cases, vehicles
from messages import envelope
from messages.types import Anonymised, Look, ModelRef, PictureRef, Position, Reply, Status, Time
from tests.depot.review.samples import PicturesInMemory
from tests.depot.samples import jpeg


class Street:
    """`sent`: what vehicles were told. `answer`: what they say to a command; None: nothing."""

    def __init__(self, database: Database, now_utc: str, **config: Any) -> None:
        self.database = database
        self.now_utc = now_utc
        database.now_utc = lambda: self.now_utc
        self.sent: list[Errand] = []
        self.answer: Callable[[Errand], Reply | None] = lambda errand: Reply(command=errand.id, ok=True)
        self.asking = Asking(database, AskingConfig(**config), self._send)
        self.projector = Projector(database, [LaterPictures()], chores=[News(database).run_once])
        self.pictures = PicturesInMemory()
        self._events = 0

    def _send(self, errands: Sequence[Errand]) -> dict[str, Reply]:
        self.sent += errands
        return {errand.id: reply for errand in errands if (reply := self.answer(errand)) is not None}

    def vehicle(self, name: str, state: str = "online", seen_utc: str | None = None) -> None:
        """One that the depot knows, or how it is now."""
        status = Status(state=state, boot="b", session=1, software="1")  # type: ignore[arg-type]
        values = {"seen_utc": seen_utc or self.now_utc, "status": msgspec.json.encode(status)}
        with self.database.writing() as connection:
            if connection.execute(update(vehicles).where(vehicles.c.name == name).values(**values)).rowcount == 0:
                connection.execute(insert(vehicles).values(name=name, **values))

    def round(self) -> list[Errand]:
        """What is sent by one round of the worker."""
        before = len(self.sent)
        self.asking.run_once()
        return self.sent[before:]

    def states(self) -> dict[str, str]:
        """By vehicle, of the newest row each."""
        a = asked_pictures.c
        with self.database.reading() as connection:
            rows = connection.execute(select(a.vehicle, a.state).order_by(a.asked_utc, a.id)).all()
        return {row.vehicle: row.state for row in rows}

    def look(self, asked: str, *, vehicle: str = "kehr-3", utc: str, found: Sequence[str] = (), seed: int = 1,
             monotonic_s: float = 500.0) -> tuple[Accepted, Picture]:  # fmt: skip
        """What a vehicle sends that was asked."""
        content = jpeg(seed)
        self._events += 1
        look = Look(
            asked=asked, found=tuple(found), frames_judged=4, software="1.0", calibration="front",
            time=Time(boot="later", monotonic_s=monotonic_s, quality="gnss", utc=utc),
            model=ModelRef(name="street", version="0.3.0", sha256="ab" * 32),
            position=Position(lon=6.76, lat=51.43, error_m=1.2, method="gnss"),
            picture=PictureRef(
                sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), width=320, height=180,
                box=(100.0, 90.0, 220.0, 150.0), anonymised=Anonymised(method="mosaic-outside-place-1"),
            ),
        )  # fmt: skip
        event = envelope.Event(id=f"later-{self._events:08d}", source=envelope.source_of(vehicle), data=look)
        return (
            Accepted(event, envelope.encode(event)),
            Picture(vehicle, look.picture.sha256, content, 320, 180),
        )

    def take(self, *items: Any) -> None:
        """As if it had come from the broker."""
        append(self.database, self.pictures, items)
        while self.projector.run_once():
            pass

    def decided(self, number: int, **columns: Any) -> None:
        """As if a person had."""
        with self.database.changing() as change:
            change.connection.execute(
                update(cases).where(cases.c.number == number).values(**columns, changed=change.next())
            )
