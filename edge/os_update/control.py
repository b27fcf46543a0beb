# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Does what `deciding` says: the record, autoboot.txt, RAUC and the reboot, in the order that no cut can harm."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from edge.os_update import deciding, fat
from edge.os_update.autoboot import NAME, Autoboot, parse, starting
from edge.os_update.board import TRYBOOT, Machine
from edge.os_update.rauc import Installer, age
from edge.os_update.record import Record, Store
from edge.os_update.slots import DISK_ID, SLOTS, Doubt, Slot, addressed, running

COMPATIBLE = "wegewart-raspberry-pi"
#: While it is there the trial is over: nothing else of this boot may leave it.
OVER = Path("/run/wegewart-os/over")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Places:
    """The partitions of the card by number."""

    pattern: str = f"/dev/disk/by-partuuid/{DISK_ID}-{{:02d}}"

    def partition(self, number: int) -> Path:
        """1: autoboot.txt alone; 2 and 3: the boot partitions."""
        return Path(self.pattern.format(number))


class Control:
    """The update of one device."""

    def __init__(
        self,
        *,
        store: Store,
        machine: Machine,
        installer: Installer,
        places: Places = Places(),
        over: Path = OVER,
    ) -> None:
        self._store = store
        self._machine = machine
        self._installer = installer
        self._places = places
        self._over = over

    # ---- looking

    def record(self) -> Record:
        """What is known."""
        return self._store.load()

    def boot_loader(self) -> Autoboot | None:
        """autoboot.txt; None: it is none of ours, or cannot be read."""
        try:
            return parse(fat.read(self._places.partition(1), NAME))
        except (Doubt, OSError) as problem:
            _log.warning("%s", problem)
            return None

    def running(self) -> Slot:
        """The system that runs. Raises: Doubt."""
        return running(self._machine.boot())

    def problem(self) -> str | None:
        """Why no update could be installed now."""
        try:
            return deciding.install_problem(
                self.record(), self._machine.boot(), self.boot_loader(), self._machine.board()
            )
        except Doubt as doubt:
            return str(doubt)

    def warning(self) -> str | None:
        """What a person should know although updates work."""
        eeprom = self._machine.board().eeprom
        if eeprom is None or eeprom >= deciding.WALKS_SINCE:
            return None
        return (
            f"the boot loader's EEPROM is of {eeprom:%Y-%m-%d}: one of {deciding.WALKS_SINCE:%Y-%m-%d} or newer also "
            f"starts when {NAME} was destroyed; at the next workshop visit: sudo rpi-eeprom-update -a"
        )

    # ---- the life of an update

    def install(self, bundle: Path, *, again: bool = False, older: bool = False) -> Record:
        """Write a bundle into the other system.

        Raises:
            Doubt: it was refused, or broke off; one line why.
        """
        with self._store.alone():
            self._refuse(self.problem())
            offer = self._installer.info(bundle)
            record = self.record()
            self._refuse(_offer_problem(offer.compatible, offer.version, record, again=again, older=older))
            self._store.save(replace(record, offered=offer.version))
        # RAUC calls our backend, which takes the same lock.
        try:
            self._installer.install(bundle)
        except Doubt as doubt:
            with self._store.alone():
                record = self.record()
                if record.state == "writing":
                    self._store.save(record.failed(str(doubt)))
            raise
        record = self.record()
        if record.state != "installed":
            raise Doubt(f"rauc says that it is done, but has not told our backend (state: {record.state})")
        return record

    def attempt(self) -> None:
        """Boot the other system once.

        Raises:
            Doubt: there is nothing to try, or it may not be tried now.
        """
        with self._store.alone():
            record, boot = self.record(), self._machine.boot()
            self._refuse(deciding.try_problem(record, boot, self.boot_loader(), self._machine.board()))
            self._store.save(deciding.asked(record, boot))
            self._machine.reboot(TRYBOOT)

    def at_boot(self) -> Record:
        """Judge the boot that we are in; once, early.

        Raises:
            Doubt: boot loader and kernel disagree.
        """
        with self._store.alone():
            before = self.record()
            found = deciding.at_boot(before, self._machine.boot(), self.boot_loader())
            if found.autoboot is not None:
                self._write(found.autoboot)
            if found.record != before:
                self._store.save(found.record)
            if found.leave:
                self._machine.reboot()
            return found.record

    def keep(self) -> Record:
        """Keep the system that runs on trial.

        Raises:
            Doubt: it is not the one that was asked for.
        """
        with self._store.alone():
            record, boot = self.record(), self._machine.boot()
            self._refuse(deciding.commit_problem(record, boot, self.boot_loader()))
            self._write(starting(running(boot)))
            record = deciding.kept(record)
            self._store.save(record)
            self._end_trial()
            return record

    def leave(self, reason: str) -> None:
        """Do not keep the system that runs on trial: boot, which starts the old one."""
        with self._store.alone():
            try:
                self._store.save(self.record().failed(reason))
            except OSError as error:
                _log.warning("%s", error)  # the old system is the better one also without a record
            self._end_trial()
            self._machine.reboot()

    def saw(self, healthy_s: float) -> None:
        """The system on trial was healthy for so long more."""
        with self._store.alone():
            self._store.save(deciding.seen(self.record(), healthy_s))

    def waits(self, reason: str) -> None:
        """What the trial waits for."""
        with self._store.alone():
            record = self.record()
            if record.state == "pending" and record.reason != reason:
                self._store.save(replace(record, reason=reason))

    def is_stray(self) -> bool:
        """Whether this boot is a trial that the record knows nothing of: it was lost, or its disk is not there."""
        return (
            self._machine.boot().trial and not self._over.exists() and self.record().state not in ("pending", "active")
        )

    def on_trial(self) -> bool:
        """Whether this boot is a trial whose end is open."""
        return self._machine.boot().trial and self.record().state == "pending" and not self._over.exists()

    # ---- what RAUC asks (docs/os_update.md)

    def primary(self) -> Slot:
        """The system that the next boot is meant to start."""
        record = self.record()
        if record.state in ("installed", "pending"):
            return SLOTS[record.slot]
        auto = self.boot_loader()
        return self.running() if auto is None else next(s for s in SLOTS.values() if s.boot == auto.default)

    def is_good(self, slot: Slot) -> bool:
        """Complete, and not one that failed."""
        record = self.record()
        if slot == self.running():
            return True
        return slot.name in record.complete and not (record.state == "failed" and record.slot == slot.name)

    def writes(self, slot: Slot) -> None:
        """The slot is about to be written.

        Raises:
            Doubt: it may not be; nothing was changed.
        """
        with self._store.alone():
            record = self.record()
            if slot == self.running():
                raise Doubt(f"system {slot.name} runs; it is never written")
            self._refuse(self.problem())
            version = record.offered
            fresh = Record(state="writing", slot=slot.name, version=version, complete=record.complete, kept=record.kept)
            self._store.save(fresh.without(slot.name))

    def wrote(self, slot: Slot) -> None:
        """The slot was written, or an older system that is complete is wanted back: it is what is tried next.

        Raises:
            Doubt: the slot is not complete, or could not be started.
        """
        with self._store.alone():
            record = self.record()
            current = self.running()
            if slot == current:
                self._refuse("on trial; keep it or leave it" if self.on_trial() else None)
                # The running one is wanted: whatever waits to be tried is not.
                self._store.save(replace(record, state="none", slot="", reason=""))
                return
            written = record.state == "writing" and record.slot == slot.name
            if not written and slot.name not in record.complete:
                raise Doubt(f"system {slot.name} is not known to be complete; install an update")
            self._refuse(self.problem())
            self._address(slot)
            version = record.version if written else ""
            record = Record(
                state="installed", slot=slot.name, version=version, complete=record.complete, kept=record.kept
            )
            self._store.save(record.having(slot.name).having(current.name))

    # ---- small steps

    def _write(self, auto: Autoboot) -> None:
        try:
            fat.overwrite(self._places.partition(1), NAME, auto.render())
        except OSError as error:
            raise Doubt(f"{NAME} cannot be written: {error}") from error

    def _address(self, slot: Slot) -> None:
        """Have the boot partition start its own root. It is not bootable for anybody before the record says so."""
        partition = self._places.partition(slot.boot)
        try:
            text = fat.read(partition, "cmdline.txt").decode("ascii")
            fat.overwrite(partition, "cmdline.txt", addressed(text, slot).encode("ascii"))
        except (OSError, UnicodeDecodeError) as error:
            raise Doubt(f"cmdline.txt of system {slot.name}: {error}") from error

    def _end_trial(self) -> None:
        self._over.parent.mkdir(parents=True, exist_ok=True)
        self._over.touch()

    def _refuse(self, problem: str | None) -> None:
        if problem is not None:
            raise Doubt(problem)


def _offer_problem(compatible: str, version: str, record: Record, *, again: bool, older: bool) -> str | None:
    if compatible != COMPATIBLE:
        return f"the bundle is for {compatible!r}, this device is {COMPATIBLE!r}"
    if age(version) is None:
        return f"the bundle's version {version!r} is none of ours (year.month.day)"
    if record.state == "failed" and record.version == version and not again and record.attempts + record.trials:
        return f"version {version} was tried here and failed ({record.reason}); --again tries it again"
    had = age(record.kept)
    if had is not None and (age(version) or ()) < had and not older:
        return f"version {version} is older than {record.kept}, which was kept here; --older allows it"
    return None
