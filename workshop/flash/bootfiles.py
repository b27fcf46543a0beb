# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The Raspberry Pi's own boot files, changed only where they must be. Pure, and doing it twice changes nothing more."""

from __future__ import annotations

import re

#: firmware_config/raspberry_pi/boot/firmware/config.txt under this name on the card.
OWN = "wegewart.txt"
_INCLUDE = f"include {OWN}"
_SEED = re.compile(r"(?<!\S)ds=nocloud(?:-net)?;\S*")
#: Raspberry Pi OS grows its root over the whole card at this word; the space behind it is for the data.
_RESIZE = re.compile(r"(?<!\S)resize(?:\s+|$)")
_INSTANCE = re.compile(r"(?<=;)(i|instance-id)=[^;\s]*")


def config_txt(text: str) -> str:
    """config.txt with our own settings included at its end, for every board; every other line stays as it is."""
    lines = [line for line in text.split("\n") if line.strip() != _INCLUDE]
    while lines and not lines[-1].strip():
        lines.pop()
    sections = [line.strip() for line in lines if line.strip().startswith("[")]
    # What follows a section header counts for that section only.
    if sections[-1:] != ["[all]"]:
        lines.append("[all]")
    return "\n".join([*lines, _INCLUDE, ""])


def cmdline_txt(text: str, add: str, instance_id: str) -> str:
    """The kernel's one line with words added that are not there yet, and without the one that grows the root.

    An instance id that the image names here would go before the one in meta-data, and cloud-init would take the card
    for one that it has set up already.
    """
    first, newline, rest = text.partition("\n")
    line = _SEED.sub(lambda seed: _INSTANCE.sub(f"i={instance_id}", seed[0]), _RESIZE.sub("", first).rstrip())
    there = line.split()
    missing = [word for word in dict.fromkeys(words(add)) if word not in there]
    return " ".join([*([line] if line else []), *missing]) + (newline or "\n") + rest


def words(text: str) -> list[str]:
    """The words of a file, without the lines that begin with #."""
    return [word for line in text.splitlines() if not line.lstrip().startswith("#") for word in line.split()]
