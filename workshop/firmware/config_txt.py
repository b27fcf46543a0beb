# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The Raspberry Pi's config.txt. Its firmware passes over what it does not know, without a word; this does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from workshop.firmware.findings import Finding, nearest
from workshop.firmware.words import BOOT_LOADER, KEYS, OVERLAYS, PARAMETERS, SECTION_PATTERN, SECTIONS

#: The firmware reads no more of a line.
MAX_LINE = 98
#: The rechargeable cell that is made for the Pi 5 takes no more, in microvolts.
MAX_CHARGE_UV = 3_200_000

Problem = tuple[str, str]


def check(path: Path, text: str) -> list[Finding]:
    """Every line, also those that a technician switches on by taking away the # (`#key=value`, without a space)."""
    found: list[Finding] = []
    section = "all"
    #: Of the overlay before, for dtparam= lines that belong to it.
    parameters: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("["):
            problems = list(_section(line))
            section = line.strip("[]")
        else:
            problems = list(_line(_switched_on(line), parameters))
        overlay = re.match(r"dtoverlay=([^,\s]*)", line)
        if overlay is not None:
            parameters = OVERLAYS.get(overlay[1], {})
        found += [Finding(path, number, why, to_do) for why, to_do in problems]
    if section != "all":
        found.append(Finding(path, 0, f"ends in the section [{section}]", "end with [all]: others append their lines"))
    return found


def _switched_on(line: str) -> str:
    return line[1:] if re.match(r"#[a-z_0-9]+=", line) else line


def _section(line: str) -> Iterator[Problem]:
    found = re.fullmatch(r"\[([^\]]+)\]", line)
    if found is None:
        yield f"{line!r} is no section", "write [name] and nothing else in the line"
    elif found[1] not in SECTIONS and not re.fullmatch(SECTION_PATTERN, found[1]):
        to_do = nearest(found[1], SECTIONS)
        yield f"section [{found[1]}] is not known: what follows holds for no board", to_do


def _line(line: str, parameters: dict[str, str]) -> Iterator[Problem]:
    if not line.strip() or line.startswith("#"):
        return
    if len(line.encode()) > MAX_LINE:
        yield (
            f"{len(line.encode())} characters, the firmware reads {MAX_LINE}",
            "make it shorter, or two dtparam= lines",
        )
        return
    if re.fullmatch(r"(include|initramfs) \S+( \S+)?", line):
        return
    key, equals, value = line.partition("=")
    if key != key.strip() or value != value.strip() or not equals:
        yield "not of the form key=value", "write it without spaces, comments in lines of their own"
    elif key in ("dtoverlay", "dtparam"):
        yield from _overlay(value) if key == "dtoverlay" else _parameters(value, PARAMETERS | parameters)
    elif key in BOOT_LOADER:
        yield f"{key} is read by the boot loader, which does not follow include", "put it into the image's config.txt"
    elif key not in KEYS:
        yield f"{key!r} is not known", nearest(key, [*KEYS, "dtoverlay", "dtparam"])
    elif not re.fullmatch(KEYS[key], value):
        yield f"{key} cannot be {value!r}", f"it must look like {KEYS[key]}"


def _overlay(value: str) -> Iterator[Problem]:
    name, _, rest = value.partition(",")
    if not name:
        return
    if name not in OVERLAYS:
        yield f"overlay {name!r} is not known", nearest(name, OVERLAYS)
    elif rest:
        yield from _parameters(rest, OVERLAYS[name], of=f" of {name}")


def _parameters(text: str, known: dict[str, str], *, of: str = "") -> Iterator[Problem]:
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if name not in known:
            yield f"parameter {name!r}{of} is not known", nearest(name, known)
        elif (equals or known[name] not in ("", "[01]?", PARAMETERS["audio"])) and not re.fullmatch(known[name], value):
            to_do = f"it must look like {known[name]}" if known[name] else "write the word alone"
            yield f"parameter {name}{of} cannot be {value!r}", to_do
        elif name == "rtc_bbat_vchg" and int(value) > MAX_CHARGE_UV:
            yield f"{value} microvolts damage the clock's battery", "write 3000000"
