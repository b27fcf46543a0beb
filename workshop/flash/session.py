# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One card, or one after the other: look, ask, survey the image, rehearse in memory, write, note down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from workshop.files import append
from workshop.flash import device
from workshop.flash.blocks import Blocks
from workshop.flash.device import Facts
from workshop.flash.fat import Fat
from workshop.flash.image import Image, Survey, composed, survey
from workshop.flash.jetson import check_root
from workshop.flash.payload import Order, Payload, make_payload
from workshop.flash.terminal import Console
from workshop.flash.verifying import verify_card
from workshop.flash.words import FlashError, Words, refuse
from workshop.flash.writing import Written, write_card

_WARN_DAYS = 60
_POLL_S = 0.5


@dataclass(frozen=True)
class Wish:
    """What the command line asks for. `serial`: typed beforehand; `register`: one line a card is added to it."""

    image: Image
    device: Path
    order: Order
    register: Path
    serial: str | None = None
    any_size: bool = False


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the register. `result`: "written", or why not."""

    at: str
    vehicle: str
    device: str
    model: str
    serial: str
    image: str
    image_sha256: str
    result: str


@dataclass(frozen=True)
class World:
    """What a test replaces: the clock, chance, the look at a device, opening it, waiting for a card."""

    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc).replace(microsecond=0)
    new_id: Callable[[], UUID] = uuid4
    look: Callable[[Path], Facts] = device.look
    open: Callable[[Path, int], Blocks] = Blocks
    pause: Callable[[], None] = lambda: time.sleep(_POLL_S)


class Session:
    """All that happens with one image."""

    def __init__(self, wish: Wish, console: Console, world: World | None = None) -> None:
        self._wish = wish
        self._console = console
        self._world = world or World()
        self._surveyed: Survey | None = None

    def flash(self, vehicle: str) -> None:
        """Make one vehicle's card.

        Raises:
            FlashError: it was not made; the line says why and what to do.
        """
        found = self._world.look(self._wish.device)
        result = "?"
        try:
            self._may(device.reason(found, any_size=self._wish.any_size))
            payload = self._payload(vehicle)
            self._confirm(found)
            self._may(device.too_small(found, self._known.size))
            fat = self._rehearse(payload)
            self._write(found, fat)
            result = "written"
        except FlashError as error:
            result = error.words.en
            raise
        finally:
            self._note(vehicle, found, result)
        self._console.say(
            Words(
                f"{vehicle}: fertig, alles zurückgelesen und gleich; die Karte kann heraus",
                f"{vehicle}: done, all read back and the same; the card can be taken out",
            )
        )

    def flash_many(self, vehicles: Sequence[str]) -> list[str]:
        """One card after the other; returns the vehicles whose card was not made."""
        left = []
        for number, vehicle in enumerate(vehicles, 1):
            self._await_card(f"{number}/{len(vehicles)} {vehicle}", first=number == 1)
            try:
                self.flash(vehicle)
            except FlashError as error:
                self._console.say(error.words)
                left.append(vehicle)
        return left

    def rehearse(self, vehicle: str) -> bool:
        """Say all that would be done and write nothing; returns whether it could be."""
        found = self._world.look(self._wish.device)
        payload = self._payload(vehicle)
        self._console.say(found.line)
        known = self._known
        against = device.reason(found, any_size=self._wish.any_size) or device.too_small(found, known.size)
        for one in known.partitions:
            kind = "Boot (FAT)" if one == known.boot else one.name or "-"
            line = f"  Partition {one.number}: {one.start / 1e6:.1f} MB + {one.size / 1e6:.1f} MB, {kind}"
            self._console.say(Words(line, line))
        fat = known.fat.copy()
        files = payload.put(fat, at=self._world.now(), image_sha256=known.sha256)
        for path, content in sorted(files.items()):
            self._console.say(Words(f"  {path}  {len(content)} Bytes", f"  {path}  {len(content)} bytes"))
        free = f"{fat.free() / 1e6:.0f} MB"
        self._console.say(
            Words(
                f"{vehicle}: {known.size / 1e6:.0f} MB würden geschrieben (sha256 {known.sha256}), {len(files)} Dateien"
                f" auf die Boot-Partition, dort bleiben {free} frei. Nichts wurde geschrieben.",
                f"{vehicle}: {known.size / 1e6:.0f} MB would be written (sha256 {known.sha256}), {len(files)} files"
                f" onto the boot partition, {free} stay free there. Nothing was written.",
            )
        )
        if against is not None:
            self._console.say(against)
        return against is None

    def verify(self) -> None:
        """Compare a card with the image and its own list.

        Raises:
            FlashError: it differs.
        """
        found = self._world.look(self._wish.device)
        self._may(device.reason(found, any_size=True))
        known = self._known
        if found.size < known.size:
            path = found.path
            refuse(
                f"{path}: kleiner als das Abbild; ist es die Karte?",
                f"{path}: smaller than the image; is it the card?",
            )
        tell = self._console.progress(Words("vergleichen", "comparing"), known.size)
        with self._open(known) as target:
            good = verify_card(target, self._wish.image, known, tell)
        self._console.say(
            Words(
                f"gleich: das Abbild, und {len(good.own)} Dateien von {good.vehicle}",
                f"the same: the image, and {len(good.own)} files of {good.vehicle}",
            )
        )

    @property
    def _known(self) -> Survey:
        """The image, read once for all cards."""
        if self._surveyed is None:
            self._surveyed = self._survey()
        return self._surveyed

    def _survey(self) -> Survey:
        image = self._wish.image
        known = survey(image, self._console.progress(Words("Abbild prüfen", "checking the image"), None))
        if self._jetson and image.packed == "raw":
            check_root(image.path, known.partitions)
        return known

    @property
    def _jetson(self) -> bool:
        return self._wish.order.site.board == "jetson_orin_nano"

    def _payload(self, vehicle: str) -> Payload:
        made = make_payload(self._wish.order, vehicle, now=self._world.now(), flash_id=self._world.new_id())
        if made.keys is None:
            self._console.say(
                Words(
                    f"Achtung: {vehicle} bekommt keine Schlüssel (--fleet fehlt) und kann sich nirgends anmelden",
                    f"Warning: {vehicle} gets no keys (no --fleet) and cannot log in anywhere",
                )
            )
        elif made.keys.days < _WARN_DAYS:
            self._console.say(
                Words(
                    f"Achtung: das Zertifikat von {vehicle} endet in {made.keys.days} Tagen",
                    f"Warning: the certificate of {vehicle} ends in {made.keys.days} days",
                )
            )
        return made

    def _may(self, against: Words | None) -> None:
        if against is not None:
            refuse(against.de, against.en)

    def _confirm(self, found: Facts) -> None:
        self._console.say(found.line)
        typed = self._wish.serial
        if typed is None:
            what = Words("die Seriennummer", "the serial") if found.serial else Words("den Namen", "the name")
            typed = self._console.ask(
                Words(
                    f"ALLES darauf wird gelöscht. Zur Bestätigung {what.de} eintippen ({found.asked}):",
                    f"EVERYTHING on it will be lost. Type {what.en} to confirm ({found.asked}):",
                )
            )
        if typed != found.asked:
            refuse(
                f"{found.path}: {typed!r} ist nicht {found.asked!r}; nichts wurde geschrieben",
                f"{found.path}: {typed!r} is not {found.asked!r}; nothing was written",
            )

    def _rehearse(self, payload: Payload) -> Fat:
        """The boot partition in memory: what does not fit is known before anything is lost."""
        fat = self._known.fat.copy()
        payload.put(fat, at=self._world.now(), image_sha256=self._known.sha256)
        return fat

    def _write(self, found: Facts, fat: Fat) -> Written:
        # The survey took minutes: is it still the same card?
        if self._world.look(self._wish.device) != found:
            refuse(
                f"{found.path}: ist nicht mehr das Gerät von eben; nichts wurde geschrieben, noch einmal",
                f"{found.path}: is not the device of before any more; nothing was written, try again",
            )
        known = self._known
        phases = {
            "write": self._console.progress(Words("schreiben", "writing"), known.size),
            "verify": self._console.progress(Words("zurücklesen", "reading back"), known.size),
        }
        with self._open(known) as target:
            try:
                return write_card(
                    target,
                    composed(self._wish.image, known, fat),
                    lambda phase, done: phases[phase](done),
                    lambda: self._check_jetson(found.path, known),
                )
            except OSError as error:
                refuse(
                    f"{found.path}: Fehler beim Schreiben oder Lesen ({error.strerror}); die Karte startet nicht,"
                    " eine andere nehmen",
                    f"{found.path}: cannot be written or read ({error.strerror}); the card does not start,"
                    " take another one",
                )

    def _check_jetson(self, path: Path, known: Survey) -> None:
        if self._jetson:
            check_root(path, known.partitions)

    def _open(self, known: Survey) -> Blocks:
        return self._world.open(self._wish.device, known.size)

    def _note(self, vehicle: str, found: Facts, result: str) -> None:
        card = Card(
            at=self._world.now().isoformat(),
            vehicle=vehicle,
            device=str(found.path),
            model=found.model,
            serial=found.serial,
            image=self._wish.image.path.name,
            image_sha256=self._surveyed.sha256 if self._surveyed else "",
            result=result,
        )
        append(self._wish.register, msgspec.json.encode(card))

    def _await_card(self, whose: str, *, first: bool) -> None:
        """Wait until a card is in; after the first one, until that one was taken out before."""
        if not first:
            self._console.say(Words("Karte herausnehmen ...", "take the card out ..."))
            self._until(lambda: not self._is_in())
        if not self._is_in():
            self._console.say(Words(f"{whose}: nächste Karte einlegen ...", f"{whose}: put in the next card ..."))
            self._until(self._is_in)
        self._console.say(Words(whose, whose))

    def _is_in(self) -> bool:
        try:
            found = self._world.look(self._wish.device)
        except FlashError:
            return False
        return found.kind != "file" and found.size > 0

    def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._world.pause()
