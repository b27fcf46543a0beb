# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a device is, as the kernel tells (`lsblk`), and every reason not to write to it."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workshop.flash.words import Words, refuse

#: Larger is no card for a vehicle, but perhaps the disk with the city's files.
MOST_BYTES = 2_000_000_000_000

_COLUMNS = "NAME,TYPE,SIZE,RO,MODEL,SERIAL,TRAN,MOUNTPOINTS,FSTYPE"
_SYSTEM = ("/", "/boot", "/home", "/usr", "/var")
_MEMBERS = {
    "LVM2_member": "LVM",
    "linux_raid_member": "RAID",
    "ddf_raid_member": "RAID",
    "isw_raid_member": "RAID",
    "crypto_LUKS": "LUKS",
    "zfs_member": "ZFS",
    "bcache": "bcache",
}
_HOLDERS = {"lvm": "LVM", "crypt": "LUKS", "mpath": "multipath"}


@dataclass(frozen=True)
class Facts:
    """A device. `kind`: disk, loop, part ... as lsblk calls it; "file" for an image file.

    `mounts`: where it or a part of it is mounted, `[SWAP]` for swap. `holders`: what is built on it (LVM, RAID, LUKS).
    """

    path: Path
    kind: str
    size: int
    read_only: bool = False
    model: str = ""
    serial: str = ""
    mounts: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        """What has to be typed: the serial, or the name of what has none."""
        return self.serial or self.path.name

    @property
    def line(self) -> Words:
        """The device for a person who has to recognise it."""
        size = f"{self.size / 1e9:.1f} GB"
        model = self.model or self.kind
        return Words(
            f"{self.path}: {model}, {size}, Seriennummer {self.serial or '(keine)'}",
            f"{self.path}: {model}, {size}, serial {self.serial or '(none)'}",
        )


def look(path: Path) -> Facts:
    """Ask the kernel about a device, or the file system about an image file; one that is not there yet has 0 bytes.

    Raises:
        FlashError: neither.
    """
    path = path.resolve()
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if path.parent == Path("/dev") or not path.parent.is_dir():
            refuse(
                f"{path}: gibt es nicht; steckt die Karte? Alle Geräte: lsblk",
                f"{path}: is not there; is the card in? All devices: lsblk",
            )
        return Facts(path, "file", 0)
    if stat.S_ISREG(mode):
        loops = _run("losetup", "--noheadings", "--output", "NAME", "--associated", str(path)).split()
        return Facts(path, "file", path.stat().st_size, used_by=tuple(loops))
    if not stat.S_ISBLK(mode):
        refuse(
            f"{path}: weder Blockgerät noch Abbilddatei; alle Geräte: lsblk",
            f"{path}: neither a block device nor an image file; all devices: lsblk",
        )
    return facts(path, _run("lsblk", "--json", "--bytes", "--paths", "--output", _COLUMNS, str(path)))


def _run(program: str, *arguments: str) -> str:
    found = shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin")
    if found is None:
        return ""
    done = subprocess.run(  # noqa: S603 - our own arguments
        [found, *arguments], capture_output=True, text=True, check=False, env={"LC_ALL": "C.UTF-8"}
    )
    return done.stdout


def facts(path: Path, listed: str) -> Facts:
    """What lsblk's JSON says about a device.

    Raises:
        FlashError: nothing that can be understood.
    """
    try:
        top = json.loads(listed)["blockdevices"][0]
        size = int(top["size"])
    except (ValueError, KeyError, IndexError, TypeError):
        refuse(
            f"{path}: lsblk kennt das Gerät nicht (util-linux 2.37 oder neuer wird gebraucht)",
            f"{path}: lsblk does not know this device (util-linux 2.37 or newer is needed)",
        )
    nodes = list(_nodes(top))
    holders = {name for node in nodes if (name := _holder(node))}
    return Facts(
        path=path,
        kind=str(top["type"]),
        size=size,
        read_only=bool(top["ro"]),
        model=_text(top.get("model")),
        serial=_text(top.get("serial")),
        mounts=tuple(sorted({str(at) for node in nodes for at in node.get("mountpoints") or [] if at})),
        holders=tuple(sorted(holders)),
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("children") or []:
        yield from _nodes(child)


def _holder(node: dict[str, Any]) -> str | None:
    kind = str(node.get("type"))
    if kind.startswith("raid"):
        return "RAID"
    return _HOLDERS.get(kind) or _MEMBERS.get(str(node.get("fstype")))


def _text(value: object) -> str:
    return " ".join(str(value).split()) if value else ""


def reason(found: Facts, *, any_size: bool = False) -> Words | None:
    """Why it must not be written to; None where nothing speaks against it. The size of the image is `too_small`'s."""
    path = found.path
    if found.kind not in ("disk", "loop", "file"):
        return Words(
            f"{path}: ist eine Partition oder kein ganzes Gerät ({found.kind}); das ganze Gerät nennen",
            f"{path}: is a partition or no whole device ({found.kind}); name the whole device",
        )
    system = [
        at for at in found.mounts if any(at == one or at.startswith(f"{one}/") for one in _SYSTEM[1:]) or at == "/"
    ]
    if system:
        return Words(
            f"{path}: trägt das System dieses Rechners ({', '.join(system)}); ein anderes Gerät nennen",
            f"{path}: holds this computer's own system ({', '.join(system)}); name another device",
        )
    if "[SWAP]" in found.mounts:
        return Words(
            f"{path}: wird als Auslagerungsspeicher benutzt; erst: sudo swapoff, dann noch einmal",
            f"{path}: is used as swap; first: sudo swapoff, then again",
        )
    if found.mounts:
        return Words(
            f"{path}: ist eingehängt ({', '.join(found.mounts)}); erst aushängen: sudo umount {found.mounts[0]}",
            f"{path}: is mounted ({', '.join(found.mounts)}); unmount it first: sudo umount {found.mounts[0]}",
        )
    if found.holders:
        return Words(
            f"{path}: gehört zu {', '.join(found.holders)}; erst dort herauslösen (lsblk {path} zeigt es)",
            f"{path}: belongs to {', '.join(found.holders)}; take it out of that first (lsblk {path} shows it)",
        )
    if found.used_by:
        return Words(
            f"{path}: wird von {', '.join(found.used_by)} benutzt; erst: sudo losetup -d {found.used_by[0]}",
            f"{path}: is in use by {', '.join(found.used_by)}; first: sudo losetup -d {found.used_by[0]}",
        )
    if found.read_only:
        return Words(
            f"{path}: ist schreibgeschützt; den Schieber an der Karte oder am Adapter umlegen",
            f"{path}: is read-only; move the slider on the card or its adapter",
        )
    if found.kind != "file" and not found.size:
        return Words(f"{path}: enthält keine Karte; eine einlegen", f"{path}: holds no card; put one in")
    if found.size > MOST_BYTES and not any_size:
        return Words(
            f"{path}: größer als 2 TB ({found.size / 1e12:.1f} TB), wohl keine Karte; wenn doch: --any-size",
            f"{path}: larger than 2 TB ({found.size / 1e12:.1f} TB), hardly a card; if it is: --any-size",
        )
    return None


def too_small(found: Facts, image_bytes: int) -> Words | None:
    """Why an image does not fit. A file that is empty or not there grows."""
    if found.size >= image_bytes or (found.kind == "file" and not found.size):
        return None
    have, want = f"{found.size / 1e9:.2f} GB", f"{image_bytes / 1e9:.2f} GB"
    return Words(
        f"{found.path}: zu klein, {have} für ein Abbild von {want}; eine größere Karte nehmen",
        f"{found.path}: too small, {have} for an image of {want}; take a larger card",
    )
