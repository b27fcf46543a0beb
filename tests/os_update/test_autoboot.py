# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""autoboot.txt on real FAT images: read, overwritten at its place, and cut in the middle."""

from __future__ import annotations

import re
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.os_update import fat
from edge.os_update.autoboot import MOST_BYTES, parse, starting
from edge.os_update.slots import A, B, Doubt, addressed
from tests.os_update.pi import CMDLINE, FIRST, chosen_partition, fat_file, fat_image

EXAMPLE = Path(__file__).parents[2] / "firmware_config/raspberry_pi/os_update/boot/autoboot.txt"


def test_the_example_on_the_card_is_the_file_that_starts_system_a() -> None:
    assert EXAMPLE.read_bytes() == starting(A).render() == FIRST.encode()
    assert len(EXAMPLE.read_bytes()) <= MOST_BYTES


@given(st.binary(max_size=80))
def test_any_other_content_is_not_guessed_at(content: bytes) -> None:
    if content in (starting(A).render(), starting(B).render()):
        return
    with pytest.raises(Doubt, match="none that we wrote"):
        parse(content)


@pytest.mark.parametrize(("bits", "kib"), [(12, 1024), (16, 32 * 1024), (32, 64 * 1024)])
def test_one_write_changes_two_bytes_of_one_sector_and_nothing_else(tmp_path: Path, bits: int, kib: int) -> None:
    image = fat_image(tmp_path / "p1", kib=kib, bits=bits, autoboot_txt=FIRST)
    before = image.read_bytes()
    fat.overwrite(image, "autoboot.txt", starting(B).render())
    after = image.read_bytes()
    changed = [place for place in range(len(before)) if before[place] != after[place]] if before != after else []
    assert len(changed) == 2
    assert len({place // 512 for place in changed}) == 1
    assert fat_file(image, "autoboot.txt") == starting(B).render() == fat.read(image, "autoboot.txt")


def test_a_write_that_was_cut_after_any_byte_names_one_of_both_systems(tmp_path: Path) -> None:
    image = fat_image(tmp_path / "p1", kib=1024, bits=12, autoboot_txt=FIRST)
    old, new = starting(A).render(), starting(B).render()
    for through in range(len(old) + 1):
        for mixed in (new[:through] + old[through:], old[:through] + new[through:]):
            fat.overwrite(image, "autoboot.txt", mixed)
            assert chosen_partition(image, tryboot=False) in (2, 3)
            assert chosen_partition(image, tryboot=True) in (2, 3)


def test_a_file_far_down_in_a_large_root_folder_is_found(tmp_path: Path) -> None:
    many = {f"a_file_with_a_long_name_{number}": "x" for number in range(40)}
    image = fat_image(tmp_path / "p2", kib=64 * 1024, bits=32, **many, cmdline_txt=CMDLINE)
    assert fat.read(image, "cmdline.txt") == CMDLINE.encode()


@pytest.mark.parametrize(("content", "words"), [(b"", "shorter"), (b"\0" * 4096, "no FAT"), (b"\xff" * 4096, "no FAT")])
def test_a_partition_that_is_no_fat_is_one_clear_line(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "p1").write_bytes(content)
    with pytest.raises(Doubt, match=words):
        fat.read(tmp_path / "p1", "autoboot.txt")


def test_a_missing_file_and_one_of_another_length_are_refused(tmp_path: Path) -> None:
    image = fat_image(tmp_path / "p1", kib=1024, bits=12, other_txt="x", autoboot_txt="boot_partition=2\n")
    with pytest.raises(Doubt, match=re.escape("no cmdline.txt")):
        fat.read(image, "cmdline.txt")
    before = image.read_bytes()
    with pytest.raises(Doubt, match="would not fit"):
        fat.overwrite(image, "autoboot.txt", FIRST.encode())
    assert image.read_bytes() == before


@given(st.data())
def test_a_damaged_fat_is_refused_or_read_but_never_a_crash(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "p1"
        content = bytearray(_fat12())
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, 4096))] = data.draw(st.integers(0, 255))
        image.write_bytes(content)
        with suppress(Doubt):
            fat.read(image, "autoboot.txt")


_MADE: list[bytes] = []


def _fat12() -> bytes:
    if not _MADE:
        with tempfile.TemporaryDirectory() as folder:
            _MADE.append(fat_image(Path(folder) / "p", kib=64, bits=12, autoboot_txt=FIRST).read_bytes())
    return _MADE[0]


def test_a_kernel_line_is_addressed_to_each_system_and_back() -> None:
    for_b = addressed(CMDLINE, B)
    assert "root=PARTUUID=57454745-06 " in for_b
    assert "PARTUUID=57454745-03:/boot/firmware" in for_b
    assert "rauc.slot=B" in for_b
    assert len(for_b) == len(CMDLINE)
    assert addressed(for_b, A) == CMDLINE == addressed(CMDLINE, A)


@pytest.mark.parametrize(
    "missing", ["rauc.slot=A", "root=PARTUUID=57454745-05", "systemd.mount-extra=PARTUUID=57454745-02"]
)
def test_a_kernel_line_that_lacks_a_word_is_refused(missing: str) -> None:
    with pytest.raises(Doubt, match="0 times"):
        addressed(CMDLINE.replace(missing, "x"), B)
