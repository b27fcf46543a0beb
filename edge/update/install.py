# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The way of a release: verified, built beside the running one, proved, staged, switched to, watched, kept or not.

`Updater.install` does whatever comes next, so that a timer may call it again and again; after a cut it goes on. Which
steps are durable in which order is in `edge.update.recover`, docs/updates.md says what follows from a cut at each.
"""

from __future__ import annotations

import dataclasses
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from edge.config_update import UpdateConfig
from edge.errors import WegewartError
from edge.update import recover
from edge.update.build import Builder
from edge.update.device import Device, variant
from edge.update.layout import Layout
from edge.update.parked import not_parked
from edge.update.ports import Bundle, Proof, Service
from edge.update.prune import prune
from edge.update.refusal import RefusedError
from edge.update.trial import Limits, Sample, Verdict, judge
from edge.update.trusted import wish
from edge.update.wishes import answer, open_wish
from edge.update.words import Lang, text

ACTIVE, STAGED, REFUSED, PENDING = 0, 3, 4, 5
LOOK_EVERY_S = 2.0
Open: TypeAlias = Callable[[Path], Bundle]


@dataclass(frozen=True)
class Ask:
    """What a person may ask for at the device. `bundle`: a stick's; None: what was fetched for the depot's wish."""

    bundle: Path | None = None
    now: bool = False
    allow_older: bool = False
    again: bool = False


class BusyError(WegewartError):
    """Another updater is at work."""

    exit_code = PENDING


@dataclass(frozen=True)
class Updater:
    """One device. `clock`: monotonic; `pause`: waits between two looks at a trial; `say`: takes a line for people.

    `utc`: the time as in messages; empty while nobody vouches for it.
    """

    layout: Layout
    config: UpdateConfig
    device: Device
    open_bundle: Open
    service: Service
    proof: Proof
    clock: Callable[[], float]
    pause: Callable[[float], object]
    say: Callable[[str], None] = print
    lang: Lang = "de"
    builder: Builder | None = None
    boot: Callable[[], str] = recover.boot_id
    utc: Callable[[], str] = lambda: ""

    def install(self, ask: Ask) -> int:
        """Do what comes next; returns the exit code.

        Raises:
            BusyError: another updater is at work.
            OSError: the disk cannot be written at all.
        """
        with self._alone():
            self._settle()
            journal = self._seen().journal
            if journal is not None and journal.step == "trial":
                code = self._watch(journal)
                if ask.bundle is None or wish(ask.bundle) == journal.release:
                    return code
            return self._take(ask)

    def watch(self) -> int:
        """Go on with a trial; nothing to do where there is none."""
        with self._alone():
            self._settle()
            journal = self._seen().journal
            return self._watch(journal) if journal is not None and journal.step == "trial" else self._idle()

    # ---- what is wanted

    def _take(self, ask: Ask) -> int:
        seen = self._seen()
        staged = seen.journal
        if ask.bundle is not None:
            wanted: str | None = wish(ask.bundle)
        elif staged is not None and staged.by_hand:
            wanted = staged.release
        else:
            wanted = open_wish(self.layout) or (staged.release if staged is not None else None)
        if wanted is None:
            return self._idle()
        if wanted == seen.current:
            return self._is_there(wanted, under_way=staged is not None)
        if staged is not None and wanted == staged.release:
            return self._change(wanted, now=ask.now)
        known = recover.read(self.layout.refused)
        if wanted in known and not ask.again:
            self._do(recover.Say(wanted, "failed", seen.current, str(known[wanted]), anew=True))
            answer(self.layout, wanted)
            return self._line(REFUSED, "before", wanted, reason=known[wanted])
        if ask.bundle is None and not self._is_fetched(wanted):
            return self._line(ACTIVE, "waiting", wanted)
        try:
            self._stage(ask.bundle or self.layout.bundle, wanted, ask)
        except (WegewartError, OSError) as error:
            return self._refuse(wanted, error)
        return self._change(wanted, now=ask.now)

    def _is_there(self, wanted: str, *, under_way: bool) -> int:
        self._do(recover.Say(wanted, "active", wanted), *(recover.done() if under_way else ()))
        answer(self.layout, wanted)
        return self._idle()

    def _is_fetched(self, wanted: str) -> bool:
        try:
            return wish(self.layout.bundle) == wanted
        except WegewartError:
            return False

    # ---- build and prove

    def _stage(self, folder: Path, wanted: str, ask: Ask) -> None:
        """Raises WegewartError, OSError."""
        running = self._seen().current
        bundle = self.open_bundle(folder)
        release = bundle.release(wanted)
        newest = recover.read(self.layout.releases / str(running) / "release.json").get("number")
        if not ask.allow_older and isinstance(newest, int) and release.number < newest:
            raise RefusedError(
                f"rollback: {wanted} (number {release.number}) is older than {running} (number {newest}), which runs; "
                "whoever stands at the device may say --allow-older"
            )
        fitting = variant(release, self.device)
        self._line(ACTIVE, "checking", wanted)
        prune(self.layout, keep=len(self._seen().complete), previous=None)
        self._do(recover.Note(recover.Journal(wanted, "building")))
        (self.builder or Builder(self.layout)).build(bundle, release, fitting, self.proof)
        self._forgive(wanted)
        self._do(*recover.stage(wanted, running, by_hand=ask.bundle is not None))

    def _forgive(self, release: str) -> None:
        known = recover.read(self.layout.refused)
        if known.pop(release, None) is not None:
            recover.write_json(self.layout.refused, known)

    def _refuse(self, wanted: str, error: WegewartError | OSError) -> int:
        """It does not come so far that anything was changed."""
        reason = str(error) if isinstance(error, WegewartError) else f"disk: {error}"
        kind = getattr(error, "reason", None)
        said = " ".join((f"untrusted ({kind}): {reason}" if kind else reason).split())[:480]
        running = self._seen().current
        if isinstance(error, RefusedError) and error.for_good:
            self._do(recover.Refuse(wanted, said))
        lasting = isinstance(error, RefusedError) and not error.passing
        self._do(recover.Say(wanted, "failed", running, said, anew=lasting), recover.Note(None))
        if lasting:
            answer(self.layout, wanted)
        for folder in recover.leftovers(self.layout.root):
            recover.remove_folder(folder)
        return self._line(REFUSED, "refused", wanted, reason=said)

    # ---- switch

    def _change(self, release: str, *, now: bool) -> int:
        """From staged to pending, once it may be."""
        seen = self._seen()
        waits = self._waits()
        if waits is not None and not now:
            return self._line(STAGED, "staged", release, reason=waits)
        self._do(*recover.switch(release, seen.current, self.boot()))
        if seen.current is None:
            # A first installation: nothing to go back to, and nothing that runs.
            self._do(*recover.confirm(release))
            answer(self.layout, release)
            return self._line(ACTIVE, "active", release)
        self._restart()
        journal = self._seen().journal
        assert journal is not None, "just written"
        return self._watch(journal)

    def _waits(self) -> str | None:
        return not_parked(self.service.beat(), self.service.state(), self.clock(), self.config.parked_s)

    def _restart(self) -> None:
        try:
            self.service.restart()
        except WegewartError as error:
            # The trial will judge what came of it.
            self._line(PENDING, "by_hand", "", reason=error)

    # ---- trial

    def _watch(self, journal: recover.Journal) -> int:
        self._line(PENDING, "pending", journal.release)
        verdict = self._verdict(journal)
        if verdict.state == "good":
            self._do(*recover.confirm(journal.release))
            answer(self.layout, journal.release)
            prune(self.layout, self.config.keep, journal.previous)
            return self._line(ACTIVE, "active", journal.release)
        return self._back(verdict.reason)

    def _verdict(self, journal: recover.Journal) -> Verdict:
        limits = Limits(self.config.start_s, self.config.window_s)
        samples: list[Sample] = []
        while True:
            samples.append(Sample(self.clock(), self.service.state(), self.service.beat()))
            verdict = judge(samples, journal.release, limits)
            if verdict.ready and journal.starts:
                journal = dataclasses.replace(journal, starts=0)
                self._do(recover.Note(journal))
                self._line(PENDING, "ready", journal.release)
            if verdict.state != "open":
                return verdict
            self.pause(LOOK_EVERY_S)

    def _back(self, reason: str) -> int:
        seen = self._seen()
        journal = seen.journal
        to = recover.way_back(seen)
        if journal is None or to is None:
            # What was there before is damaged: better this one than none.
            raise WegewartError(f"{reason}; there is no other complete release to go back to")
        self._do(*recover.back(journal, to, reason))
        self._restart()
        self._do(*recover.done())
        answer(self.layout, journal.release)
        return self._line(REFUSED, "back", journal.release, reason=reason)

    # ---- small things

    def _settle(self) -> None:
        """After a cut: the rest of what was interrupted. The daemon has to run what `current` leads to."""
        seen = self._seen()
        went_back = seen.journal is not None and seen.journal.step == "back"
        for action in recover.decide(seen):
            if action == recover.Note(None) and went_back:
                # As in _back: a failed service is started again before the journal forgets it.
                self._restart()
            self._do(action)
        for folder in recover.leftovers(self.layout.root):
            recover.remove_folder(folder)
        if self._runs_another():
            self._restart()

    def _runs_another(self) -> bool:
        """Whether the updater was cut between a switch and the restart."""
        seen, beat, unit = self._seen(), self.service.beat(), self.service.state()
        if beat is not None and beat.is_fresh(self.clock()) and seen.current is not None:
            return beat.release not in (None, seen.current)
        on_trial = seen.journal is not None and seen.journal.step == "trial"
        return on_trial and unit.active in ("inactive", "failed")

    def _seen(self) -> recover.Seen:
        return recover.look(self.layout.root, self.boot())

    def _do(self, *actions: recover.Action) -> None:
        for action in actions:
            said = dataclasses.replace(action, utc=self.utc()) if isinstance(action, recover.Say) else action
            recover.perform(self.layout.root, said)

    def _idle(self) -> int:
        return self._line(ACTIVE, "nothing", "")

    def _line(self, code: int, key: str, release: str, *, reason: object = None) -> int:
        self.say(text(self.lang, key, release=release, reason=reason, running=self._seen().current))
        return code

    @contextmanager
    def _alone(self) -> Iterator[None]:
        for folder in (self.layout.root, self.layout.own):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        lock = os.open(self.layout.own / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(text(self.lang, "busy")) from None
            yield
        finally:
            os.close(lock)
