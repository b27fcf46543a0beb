# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Every reason not to write to a device, from what lsblk says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workshop.flash.device import Facts, facts, look, reason, too_small
from workshop.flash.words import FlashError

GB = 1_000_000_000


def node(**more: Any) -> dict[str, Any]:
    return {
        "name": "/dev/sdx",
        "type": "disk",
        "size": 32 * GB,
        "ro": False,
        "model": "SD Reader ",
        "serial": "0815",
        "mountpoints": [None],
        "fstype": None,
        **more,
    }


def read(**more: Any) -> Facts:
    return facts(Path("/dev/sdx"), json.dumps({"blockdevices": [node(**more)]}))


def test_a_card_that_nobody_uses_may_be_written() -> None:
    found = read(children=[node(type="part", fstype="vfat"), node(type="part", fstype="ext4")])
    assert reason(found) is None
    assert (found.model, found.asked) == ("SD Reader", "0815")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"type": "part"}, "is a partition or no whole device (part)"),
        ({"type": "rom"}, "no whole device (rom)"),
        ({"type": "crypt"}, "no whole device (crypt)"),
        ({"ro": True}, "is read-only"),
        ({"size": 0}, "holds no card"),
        ({"size": 3000 * GB}, "larger than 2 TB (3.0 TB)"),
        ({"mountpoints": ["/mnt"]}, "is mounted (/mnt)"),
        ({"children": [node(type="part", mountpoints=[None, "/media/x"])]}, "is mounted (/media/x)"),
        ({"children": [node(type="part", mountpoints=["[SWAP]"])]}, "is used as swap"),
        ({"mountpoints": ["[SWAP]"]}, "is used as swap"),
        ({"children": [node(type="part", mountpoints=["/"])]}, "this computer's own system (/)"),
        ({"children": [node(type="part", mountpoints=["/boot/efi"])]}, "own system (/boot/efi)"),
        ({"children": [node(type="part", mountpoints=["/home"])]}, "own system (/home)"),
        (
            {
                "children": [
                    node(type="part", children=[node(type="crypt", children=[node(type="lvm", mountpoints=["/"])])])
                ]
            },
            "this computer's own system (/)",
        ),
        ({"children": [node(type="part", children=[node(type="lvm")])]}, "belongs to LVM"),
        ({"children": [node(type="part", children=[node(type="raid1")])]}, "belongs to RAID"),
        ({"children": [node(type="part", children=[node(type="crypt")])]}, "belongs to LUKS"),
        ({"children": [node(type="part", fstype="LVM2_member")]}, "belongs to LVM"),
        ({"fstype": "linux_raid_member"}, "belongs to RAID"),
        ({"children": [node(type="part", fstype="crypto_LUKS")]}, "belongs to LUKS"),
    ],
)
def test_a_device_that_must_not_be_written_is_refused_with_why_and_what_to_do(more: dict[str, Any], why: str) -> None:
    said = reason(read(**more))
    assert said is not None
    assert said.en.startswith("/dev/sdx: ")
    assert why in said.en
    for line in (said.de, said.en):
        assert "\n" not in line
        assert ";" in line or "--any-size" in line
    assert said.de != said.en


def test_a_folder_beside_home_is_no_system() -> None:
    said = reason(read(mountpoints=["/homework"]))
    assert said is not None
    assert "is mounted" in said.en


def test_more_than_2_tb_only_when_told() -> None:
    assert reason(read(size=3000 * GB), any_size=True) is None


def test_a_card_must_hold_the_whole_unpacked_image_and_a_file_grows() -> None:
    assert too_small(Facts(Path("x"), "disk", 10), 11) is not None
    assert too_small(Facts(Path("x"), "disk", 11), 11) is None
    assert too_small(Facts(Path("x"), "file", 0), 11) is None
    assert too_small(Facts(Path("x"), "file", 5), 11) is not None


def test_what_has_no_serial_is_confirmed_by_its_name() -> None:
    assert read(serial=None).asked == "sdx"


@pytest.mark.parametrize("path", ["/dev/null", "/dev/nothing-here", "/", "/no/such/folder/file"])
def test_what_is_neither_device_nor_file_is_refused(path: str) -> None:
    with pytest.raises(FlashError, match=r"lsblk|gibt es nicht|weder"):
        look(Path(path))


@pytest.mark.parametrize("said", ["", "{}", '{"blockdevices": []}', '{"blockdevices": [{"size": "x"}]}'])
def test_an_lsblk_that_says_nothing_useful_is_one_line(said: str) -> None:
    with pytest.raises(FlashError, match="lsblk kennt"):
        facts(Path("/dev/sdx"), said)
