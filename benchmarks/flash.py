# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How long a card takes: a 2 GB image onto a loop device, beside `dd` with the same work in the same run.

    sudo .venv/bin/python -m benchmarks.flash --gb 2 [--packed xz]

The image is made here: an MBR, a FAT boot partition with boot files, and bytes of which half
do not pack. Needs root for the loop device
(without: an image file), sfdisk, mkfs.vfat, mtools. Ends with 1 if a byte is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workshop.flash.partitions import TABLE_BYTES, boot_partition, read_table

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEhnZ3ZpQ2VydGFpbmx5Tm90UmVhbEtleUZvclRlc3Rz bench"


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gb", type=float, default=2.0, help="size of the image, GB (default: %(default)s)")
    parser.add_argument("--packed", choices=["raw", "xz", "gz", "zst"], default="raw")
    parser.add_argument("--folder", type=Path, help="where there is room for three times the image")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        image = make_image(folder / "os.img", round(options.gb * 1e9) // MIB * MIB)
        packed = pack(image, options.packed)
        with card_of(folder / "disk", image.stat().st_size + 64 * MIB) as card:
            dd = time_dd(image, card)
            flash = time_flash(packed, card, folder)
            wrong = compare(image, card)
    size = options.gb * 1000
    for what, seconds in (("dd (write, fsync, read back)", dd), ("scripts/flash (all of it)", flash)):
        print(f"{what:30} {seconds:6.1f} s  {size / seconds:6.0f} MB/s")
    print(f"{size:.0f} MB, {options.packed}: {flash / dd:.2f} times the time of dd; bytes that are wrong: {wrong}")
    return int(wrong > 0)


def make_image(path: Path, size: int) -> Path:
    """An image of so many bytes."""
    boot_mib = 64
    with path.open("wb") as file:
        file.truncate((8 + boot_mib) * MIB)
        file.seek(0, os.SEEK_END)
        # As a system is: half of it does not pack.
        while (left := size - file.tell()) > 0:
            file.write((os.urandom(8 * MIB) + bytes(8 * MIB))[:left])
    table = f"label: dos\nstart=8MiB, size={boot_mib}MiB, type=c\nstart={8 + boot_mib}MiB, type=L\n"
    _run("sfdisk", "--quiet", str(path), content=table.encode())
    boot = path.with_suffix(".boot")
    boot.write_bytes(bytes(boot_mib * MIB))
    _run("mkfs.vfat", "-F", "32", "-n", "BOOTFS", str(boot))
    for name, content in {"config.txt": b"[all]\n", "cmdline.txt": b"quiet\n", "kernel": os.urandom(20 * MIB)}.items():
        _run("mcopy", "-i", str(boot), "-", f"::{name}", content=content)
    with path.open("r+b") as file:
        file.seek(8 * MIB)
        file.write(boot.read_bytes())
    return path


def pack(image: Path, how: str) -> Path:
    """The image as it is downloaded."""
    target = image.with_name(f"{image.name}.{how}")
    commands = {
        "xz": ["xz", "-0", "-T0", "-k", "-S", ".xz", str(image)],
        "gz": ["gzip", "-1", "-k", str(image)],
        "zst": ["zstd", "-q", "-1", str(image), "-o", str(target)],
    }
    if how == "raw":
        return image
    subprocess.run(commands[how], check=True)
    return target


@contextmanager
def card_of(path: Path, size: int) -> Iterator[Path]:
    """A loop device of so many bytes; without root the file itself."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
    if os.geteuid():
        yield path
        return
    device = _run("losetup", "--find", "--show", str(path)).decode().strip()
    try:
        yield Path(device)
    finally:
        _run("losetup", "--detach", device)


def time_dd(image: Path, card: Path) -> float:
    """Seconds: write, make sure, read all back past the cache and compare."""
    count = str(image.stat().st_size // MIB)
    begin = time.monotonic()
    _run("dd", f"if={image}", f"of={card}", "bs=4M", "conv=fsync,notrunc", "status=none")
    back = ["dd", f"if={card}", "bs=1M", f"count={count}", "iflag=direct", "status=none"]
    with subprocess.Popen(back, stdout=subprocess.PIPE) as reading:
        subprocess.run(["cmp", "-", str(image)], stdin=reading.stdout, check=True)
    return time.monotonic() - begin


def time_flash(image: Path, card: Path, folder: Path) -> float:
    """Seconds of the whole program, the check of the image before included."""
    (folder / "vehicle.toml").write_text('vehicle = "{vehicle}"\n')
    site = folder / "site.toml"
    site.write_text(f'ssh_keys = ["{_KEY}"]\nvehicle_config = "vehicle.toml"\n')
    begin = time.monotonic()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "workshop.flash.cli",
            str(image),
            str(card),
            "--vehicle",
            "wagen-7",
            "--site",
            str(site),
            "--serial",
            card.name,
            "--lang",
            "en",
        ],
        check=True,
        cwd=ROOT,
    )
    return time.monotonic() - begin


def compare(image: Path, card: Path) -> int:
    """Bytes outside the boot partition that are not the image's, and files in it that are not as listed."""
    with image.open("rb") as left, card.open("rb") as right:
        size = image.stat().st_size
        boot = boot_partition(read_table(left.read(TABLE_BYTES)), size)
        wrong = 0
        for at in range(0, size, MIB):
            left.seek(at)
            right.seek(at)
            a, b = left.read(MIB), right.read(MIB)
            if a != b and not boot.start <= at < boot.end:
                wrong += sum(x != y for x, y in zip(a, b, strict=True))
    listed = json.loads(_run("mcopy", "-n", "-i", f"{card}@@{boot.start}", "::wegewart/flash.json", "-"))["files"]
    for name, one in listed.items():
        found = _run("mcopy", "-n", "-i", f"{card}@@{boot.start}", f"::{name}", "-")
        wrong += len(found) != one["bytes"]
    return wrong


def _run(*command: str, content: bytes = b"") -> bytes:
    return subprocess.run(
        command, input=content, check=True, capture_output=True, env=os.environ | {"MTOOLS_SKIP_CHECK": "1"}
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
