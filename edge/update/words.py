# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a technician reads, German or English. Reasons come as they are told to the depot: English."""

from __future__ import annotations

from typing import Literal, TypeAlias

Lang: TypeAlias = Literal["de", "en"]

_WORDS: dict[str, tuple[str, str]] = {
    "nothing": ("nichts zu tun, es läuft {running}", "nothing to do, {running} runs"),
    "waiting": (
        "{release} ist gewünscht und noch nicht ganz geladen; es läuft {running}",
        "{release} is wanted and not fetched yet; {running} runs",
    ),
    "checking": (
        "{release}: Unterschriften stimmen; wird neben {running} aufgebaut",
        "{release}: signatures hold; building it beside {running}",
    ),
    "staged": (
        "{release} steht bereit und wartet ({reason}); derselbe Befehl mit --now wartet nicht",
        "{release} is ready and waits ({reason}); the same command with --now does not wait",
    ),
    "pending": ("{release} läuft auf Probe, wird beobachtet", "{release} runs on trial, being watched"),
    "ready": ("{release} hat ein erstes Bild angesehen", "{release} has looked at a first picture"),
    "active": ("{release} läuft und ist bestätigt", "{release} runs and is confirmed"),
    "refused": ("ABGELEHNT {release}: {reason}; es läuft {running}", "REFUSED {release}: {reason}; {running} runs"),
    "back": ("ZURÜCK von {release}: {reason}; es läuft {running}", "BACK from {release}: {reason}; {running} runs"),
    "before": (
        "ABGELEHNT {release}: ist hier schon gescheitert ({reason}); noch einmal: --again; es läuft {running}",
        "REFUSED {release}: failed here before ({reason}); once more: --again; {running} runs",
    ),
    "busy": (
        "ein anderes wegewart-update arbeitet gerade; später noch einmal",
        "another wegewart-update is at work; try again later",
    ),
    "runs": ("es läuft {running}; vollständig auf dem Gerät: {others}", "{running} runs; complete here: {others}"),
    "is_staged": ("{release} steht bereit und wartet", "{release} is ready and waits"),
    "is_pending": ("{release} ist auf Probe", "{release} is on trial"),
    "is_active": ("{release} ist bestätigt", "{release} is confirmed"),
    "is_failed": ("{release} wurde nicht genommen: {reason}", "{release} was not taken: {reason}"),
    "failed_here": (
        "{release} ist hier gescheitert und wird nicht von selbst wieder versucht: {reason}",
        "{release} failed here and is not tried again by itself: {reason}",
    ),
    "by_hand": ("der Dienst ließ sich nicht starten: {reason}", "the service could not be restarted: {reason}"),
}


def text(lang: Lang, key: str, **values: object) -> str:
    """A line."""
    given = {name: "-" if value is None else value for name, value in values.items()}
    return _WORDS[key][lang == "en"].format(**given)
