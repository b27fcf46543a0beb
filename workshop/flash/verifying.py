# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Is a card still what `scripts/flash` made of it? For one that has not started yet: the first start changes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from workshop.flash.fat import Fat
from workshop.flash.image import Image, Survey
from workshop.flash.payload import MANIFEST
from workshop.flash.words import refuse
from workshop.flash.writing import Target


@dataclass(frozen=True)
class Verified:
    """All bytes outside the boot partition are the image's. `own`: files that are this vehicle's, as written."""

    vehicle: str
    own: tuple[str, ...]


def verify_card(target: Target, image: Image, known: Survey, progress: Callable[[int], None]) -> Verified:
    """Compare a card with its image and with its own list of files.

    Raises:
        FlashError: where it differs.
        OSError: it cannot be read.
    """
    card, at = Fat(known.boot.size), 0
    for chunk in image.chunks():
        found = target.read(at, len(chunk))
        card.take(found, at - known.boot.start)
        if card.laid_over(chunk, at - known.boot.start) != found:
            first = next((n for n, (a, b) in enumerate(zip(chunk, found, strict=False)) if a != b), len(found))
            where = (at + first) / 1e6
            refuse(
                f"die Karte weicht bei {where:.1f} MB vom Abbild ab; hat sie schon gestartet? Sonst neu schreiben",
                f"the card differs from the image at {where:.1f} MB; has it started already? Otherwise write it again",
            )
        at += len(chunk)
        progress(at)
    return _verify_files(card, known.fat)


def _verify_files(card: Fat, pristine: Fat) -> Verified:
    try:
        manifest = json.loads(card.read(MANIFEST) or b"")
        wanted = {path: str(one["sha256"]) for path, one in manifest["files"].items()}
        vehicle = str(manifest["vehicle"])
    except (ValueError, KeyError, TypeError, AttributeError):
        refuse(
            f"auf der Karte fehlt {MANIFEST}; schon gestartet, oder nicht von scripts/flash: dann neu schreiben",
            f"the card has no {MANIFEST}; it has started already, or is not by scripts/flash: write it again then",
        )
    for path in sorted({*pristine.names(), *wanted}):
        content = card.read(path)
        good = (
            content == pristine.read(path)
            if path not in wanted
            else content is not None and hashlib.sha256(content).hexdigest() == wanted[path]
        )
        if not good:
            refuse(
                f"{path} auf der Karte ist nicht, was geschrieben wurde; hat sie schon gestartet? Sonst neu schreiben",
                f"{path} on the card is not what was written; has it started already? Otherwise write it again",
            )
    return Verified(vehicle, tuple(sorted(wanted)))
