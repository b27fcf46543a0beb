# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What whoever stands beside the vehicle reads, German or English."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Lang = Literal["de", "en"]

_WORDS: dict[str, tuple[str, str]] = {
    "bundle": ("Paket {release}: {files} Dateien, {size:.1f} MB", "bundle {release}: {files} files, {size:.1f} MB"),
    "copying": (
        "kopiere {files} Dateien, {size:.1f} MB ({there:.1f} MB sind schon da)",
        "copying {files} files, {size:.1f} MB ({there:.1f} MB are there already)",
    ),
    "progress": ("{percent} %: {done:.1f} von {size:.1f} MB", "{percent} %: {done:.1f} of {size:.1f} MB"),
    "copied": ("kopiert in {seconds:.1f} s; das Fahrzeug prüft", "copied in {seconds:.1f} s; the vehicle checks"),
    "lost": ("Verbindung weg ({reason}); neuer Versuch", "connection lost ({reason}); trying again"),
    "damaged": ("{path}: kam zweimal beschädigt an", "{path}: arrived damaged twice"),
    "staged": (
        "steht bereit; wartet, bis das Fahrzeug abgestellt ist (--now wartet nicht)",
        "ready; waits until the vehicle is parked (--now does not wait)",
    ),
    "pending": (
        "läuft auf Probe; wartet, bis es sich als gesund erwiesen hat",
        "runs on trial; waits until it has proved healthy",
    ),
    "active": (
        "{release} läuft und ist gesund, {seconds:.1f} s nach dem Beginn",
        "{release} runs and is healthy, {seconds:.1f} s after the beginning",
    ),
    "failed": ("ABGELEHNT: {reason}; es läuft {running}", "FAILED: {reason}; {running} runs"),
    "refused": ("vom Fahrzeug nicht angenommen (Zahl {code})", "the vehicle did not take it (exit code {code})"),
    "waited": (
        "nach {minutes:.0f} Minuten noch kein Urteil (Stand: {state}); das Fahrzeug macht allein weiter",
        "no verdict after {minutes:.0f} minutes (state: {state}); the vehicle goes on by itself",
    ),
    "written": (
        "{folder}: geschrieben und zurückgelesen; jetzt aushängen, dann ins Fahrzeug stecken",
        "{folder}: written and read back; now unmount it, then plug it into the vehicle",
    ),
    "no_stick": (
        "{folder}: hier ist kein Stick eingehängt; erst einhängen",
        "{folder}: no stick is mounted here; mount it first",
    ),
    "summary": ("Zusammenfassung", "summary"),
}


@dataclass(frozen=True)
class Say:
    """Prints lines. `who`: the vehicle they are about."""

    lang: Lang
    who: str = ""
    out: Callable[[str], None] = print

    def text(self, key: str, **values: object) -> str:
        """A line, not printed."""
        return _WORDS[key][self.lang == "en"].format(**values)

    def __call__(self, key: str, **values: object) -> None:
        """Print a line."""
        self.told(self.text(key, **values))

    def told(self, line: str) -> None:
        """Print what the vehicle said."""
        self.out(f"{self.who}: {line}" if self.who else line)
