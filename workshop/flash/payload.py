# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which files a vehicle's boot partition gets, and their content. Nothing is written here."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from settings import SettingsError, parse
from workshop.flash.bootfiles import OWN, cmdline_txt, config_txt, words
from workshop.flash.cloud import BOOT, CIDATA, LTE_FILE, lte_profile, meta_data, network_config, user_data
from workshop.flash.fat import Fat
from workshop.flash.keys import Keys, vehicle_keys
from workshop.flash.site import Board, Site, secret, wifi_key
from workshop.flash.words import refuse

#: The checkout.
PROJECT = Path(__file__).resolve().parent.parent.parent
MANIFEST = "wegewart/flash.json"
_DEPOT = "wegewart-depot"


@dataclass(frozen=True)
class Order:
    """What is asked for. `project`: the checkout with `firmware_config/` and `systemd/`."""

    site: Site
    fleet: Path | None = None
    bundle: Path | None = None
    root_json: Path | None = None
    vehicle_config: Path | None = None
    project: Path = PROJECT

    @property
    def firmware(self) -> Path:
        """What the project puts onto this board."""
        return self.project / "firmware_config" / self.site.board


@dataclass(frozen=True)
class Payload:
    """One vehicle's files, by path on the boot partition. `board` decides what happens to the image's own."""

    vehicle: str
    board: Board
    instance_id: str
    keys: Keys | None
    files: dict[str, bytes] = field(repr=False)
    own: bytes | None = field(default=None, repr=False)
    kernel_words: str = ""

    def put(self, fat: Fat, *, at: datetime, image_sha256: str) -> dict[str, bytes]:
        """Write all into a boot partition; returns what is in it now, by path.

        Raises:
            FlashError: it does not fit, or the partition is not this board's.
        """
        files = self.files | self._boot_files(fat)
        listed = {
            path: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in sorted(files.items())
        }
        manifest = {
            "vehicle": self.vehicle,
            "board": self.board,
            "instance_id": self.instance_id,
            "at": at.isoformat(),
            "image_sha256": image_sha256,
            "files": listed,
        }
        files[MANIFEST] = (json.dumps(manifest, indent=1) + "\n").encode()
        if self.board == "jetson_orin_nano":
            fat.label(CIDATA)
        for path, content in files.items():
            fat.write(path, content)
        return files

    def _boot_files(self, fat: Fat) -> dict[str, bytes]:
        if self.own is None:
            return {}
        config, cmdline = fat.read("config.txt"), fat.read("cmdline.txt")
        if config is None or cmdline is None:
            refuse(
                "die Boot-Partition hat keine config.txt und cmdline.txt; ist es ein Abbild für den Raspberry Pi?",
                "the boot partition has no config.txt and cmdline.txt; is it an image for the Raspberry Pi?",
            )
        return {
            OWN: self.own,
            "config.txt": _edited(config, config_txt),
            "cmdline.txt": _edited(cmdline, lambda text: cmdline_txt(text, self.kernel_words, self.instance_id)),
        }


def _edited(content: bytes, edit: Any) -> bytes:
    """Whatever encoding the rest of a file has, it stays."""
    changed: str = edit(content.decode("utf-8", "surrogateescape"))
    return changed.encode("utf-8", "surrogateescape")


def make_payload(order: Order, vehicle: str, *, now: datetime, flash_id: UUID) -> Payload:
    """Everything for one vehicle. `flash_id`: another one for each card.

    Raises:
        FlashError: something is missing or wrong.
    """
    site, firmware = order.site, order.firmware
    packages = sorted({*_lines(firmware / "packages"), *site.packages})
    keys = None if order.fleet is None else vehicle_keys(order.fleet, vehicle, now)
    firstboot = _need(order.project / "firmware_config" / "first_boot" / "firstboot")
    instance_id = f"wegewart-{vehicle}-{flash_id}"
    user = user_data(
        site,
        vehicle,
        firstboot=[*_interpreter(firstboot), f"{BOOT}/wegewart/firstboot"],
        lte=_lte(site, flash_id),
    )
    files = {
        "user-data": user.encode(),
        "meta-data": meta_data(vehicle, instance_id).encode(),
        "network-config": network_config(site, None if site.wifi is None else wifi_key(site.wifi)).encode(),
        "wegewart/firstboot": firstboot,
        "wegewart/device.tar": device_tar(order),
        "wegewart/packages": "".join(f"{one}\n" for one in packages).encode(),
        "wegewart/vehicle.toml": vehicle_toml(order, vehicle),
    }
    if keys is not None:
        files |= {
            "wegewart/keys/ca.pem": keys.ca,
            "wegewart/keys/vehicle.pem": keys.certificate,
            "wegewart/keys/vehicle.key": keys.key,
        }
    files |= _release(order)
    if site.board != "raspberry_pi":
        return Payload(vehicle, site.board, instance_id, keys, files)
    boot = firmware / "boot" / "firmware"
    added = _need(boot / "cmdline_add.txt").decode()
    return Payload(vehicle, site.board, instance_id, keys, files, _need(boot / "config.txt"), " ".join(words(added)))


def _lte(site: Site, flash_id: UUID) -> str | None:
    if site.lte is None:
        return None
    password = None if site.lte.password_file is None else secret(site.lte.password_file)
    pin = None if site.lte.pin_file is None else secret(site.lte.pin_file)
    return lte_profile(site.lte, password=password, pin=pin, uuid=str(uuid5(flash_id, LTE_FILE)))


def vehicle_toml(order: Order, vehicle: str) -> bytes:
    """The vehicle's configuration from the template, as the daemon would take it.

    Raises:
        FlashError: no template, another vehicle's, or a daemon would refuse it.
    """
    path = order.vehicle_config or order.site.vehicle_config
    if path is None:
        refuse(
            "vehicle.toml fehlt: --vehicle-config DATEI, oder vehicle_config in der Standortdatei",
            "vehicle.toml is missing: --vehicle-config FILE, or vehicle_config in the site file",
        )
    text = _need(path).decode("utf-8", "replace").replace("{vehicle}", vehicle)
    try:
        named = parse(text, dict[str, Any], name=str(path)).get("vehicle")
    except SettingsError as error:
        refuse(str(error), str(error))
    if named != vehicle:
        refuse(
            f'{path}: vehicle ist {named!r} statt {vehicle!r}; als Vorlage gehört hinein: vehicle = "{{vehicle}}"',
            f'{path}: vehicle is {named!r}, not {vehicle!r}; a template has the line: vehicle = "{{vehicle}}"',
        )
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(text.encode())
        file.flush()
        checked = subprocess.run(  # noqa: S603 - our own program: desk and vehicle do not import each other
            [sys.executable, "-m", "edge.cli", "config", "check", file.name],
            capture_output=True,
            text=True,
            check=False,
            cwd=PROJECT,
        )
        if checked.returncode:
            why = checked.stderr.strip().replace(file.name, str(path)).rpartition("\n")[2]
            refuse(why, why)
    return text.encode()


def device_tar(order: Order) -> bytes:
    """What is unpacked at / on the device: the board's files, the project's units and users. Always the same bytes."""
    found: dict[str, Path] = {}
    for top in ("etc", "usr"):
        found |= {
            str(path.relative_to(order.firmware)): path
            for path in sorted((order.firmware / top).rglob("*"))
            if path.is_symlink() or path.is_file()
        }
    units = order.project / "systemd"
    for path in sorted(units.iterdir()) if units.is_dir() else []:
        if path.is_file() and not path.name.startswith(_DEPOT):
            found[f"etc/systemd/system/{path.name}"] = path
    for path in sorted((units / "sysusers.d").glob("*.conf")):
        found[f"usr/lib/sysusers.d/{path.name}"] = path
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, path in sorted(found.items()):
            _add(tar, name, path)
    return content.getvalue()


def _add(tar: tarfile.TarFile, name: str, path: Path) -> None:
    entry = tarfile.TarInfo(name)
    if path.is_symlink():
        entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
        tar.addfile(entry)
        return
    content = path.read_bytes()
    entry.size = len(content)
    entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    tar.addfile(entry, io.BytesIO(content))


def _release(order: Order) -> dict[str, bytes]:
    """The first release and who may sign one."""
    files: dict[str, bytes] = {}
    if order.root_json is not None:
        root = _need(order.root_json)
        if b'"root"' not in root:
            refuse(f"{order.root_json}: keine root.json von TUF", f"{order.root_json}: no root.json of TUF")
        files["wegewart/root.json"] = root
    if order.bundle is None:
        return files
    if order.root_json is None:
        refuse(
            "--bundle braucht --root-json DATEI: ohne sie weiß das Fahrzeug nicht, wessen Unterschrift gilt",
            "--bundle needs --root-json FILE: without it the vehicle does not know whose signature counts",
        )
    if not all((order.bundle / name).exists() for name in ("bundle.json", "metadata", "targets")):
        refuse(
            f"{order.bundle}: kein Bündel (bundle.json, metadata/, targets/); machen: scripts/release REPO bundle",
            f"{order.bundle}: no bundle (bundle.json, metadata/, targets/); make one: scripts/release REPO bundle",
        )
    for path in sorted(order.bundle.rglob("*")):
        if path.is_file():
            files[f"wegewart/bundle/{path.relative_to(order.bundle)}"] = path.read_bytes()
    return files


def _interpreter(program: bytes) -> list[str]:
    """FAT keeps no execute bit: the first line says what runs it."""
    first = program.partition(b"\n")[0].decode("utf-8", "replace")
    return first[2:].split() if first.startswith("#!") else ["/bin/sh"]


def _lines(path: Path) -> list[str]:
    return words(path.read_text(encoding="utf-8")) if path.is_file() else []


def _need(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        refuse(f"{path}: nicht lesbar: {error.strerror}", f"{path}: cannot be read: {error.strerror}")
