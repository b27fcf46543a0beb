# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole of `scripts/flash` on image files and on real loop devices."""

from __future__ import annotations

import gzip
import json
import lzma
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from tests.workshop.flash import making
from tests.workshop.flash.making import MIB, NOW, Boot
from workshop.flash import cli, device
from workshop.flash.blocks import Blocks
from workshop.flash.device import Facts
from workshop.flash.session import World
from workshop.flash.site import load_site


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(tmp_path, monkeypatch)


class Shop:
    """A workshop: image, site, fleet; `flash` runs the program."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.image = making.raw_image(folder / "os.img")
        self.site = making.site(folder, making.RADIO)
        self.fleet = making.fleet(folder / "fleet", "wagen-7", "wagen-8")
        self.project = making.project(folder / "project")
        self.card = folder / "card"
        original = cli.Order
        monkeypatch.setattr(cli, "Order", lambda **given: original(project=self.project, **given))

    def flash(self, *more: str, image: Path | None = None, card: Path | None = None, world: World | None = None) -> int:
        return cli.main(
            [
                str(image or self.image),
                str(card or self.card),
                "--site",
                str(self.site),
                "--fleet",
                str(self.fleet),
                "--vehicle",
                "wagen-7",
                "--lang",
                "en",
                *more,
            ],
            world=world,
        )

    def register(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in (self.fleet / "cards.jsonl").read_text().splitlines()]


def outside_boot(path: Path, size: int, boot_mib: int = 6) -> bytes:
    content = path.read_bytes()[:size]
    return content[:MIB] + content[(1 + boot_mib) * MIB :]


def test_an_image_file_becomes_a_card_with_exactly_what_was_asked(shop: Shop, tmp_path: Path) -> None:
    shop.card.touch()
    bundle, root = making.bundle(tmp_path / "bundle")
    assert shop.flash("--serial", "card", "--bundle", str(bundle), "--root-json", str(root)) == 0
    size = shop.image.stat().st_size
    assert outside_boot(shop.card, size) == outside_boot(shop.image, size)
    boot = Boot(shop.card)
    making.fsck(shop.card, 6 * MIB, tmp_path)
    assert boot.names() == {
        *making.pi_files(),
        "wegewart.txt",
        "meta-data",
        "network-config",
        "wegewart/firstboot",
        "wegewart/device.tar",
        "wegewart/packages",
        "wegewart/vehicle.toml",
        "wegewart/keys/ca.pem",
        "wegewart/keys/vehicle.pem",
        "wegewart/keys/vehicle.key",
        "wegewart/bundle/bundle.json",
        "wegewart/bundle/metadata/1.root.json",
        "wegewart/bundle/targets/app.whl",
        "wegewart/root.json",
        "wegewart/flash.json",
    }
    assert boot.read("kernel8.img") == making.pi_files()["kernel8.img"]
    assert boot.read("config.txt").decode() == making.CONFIG + "[all]\ninclude wegewart.txt\n"
    assert boot.read("wegewart.txt") == b"[all]\ndtparam=watchdog=on\n"
    keys = shop.fleet / "vehicles" / "wagen-7"
    for name in ("ca.pem", "vehicle.pem", "vehicle.key"):
        assert boot.read(f"wegewart/keys/{name}") == (keys / name).read_bytes()
    assert boot.read("wegewart/vehicle.toml") == b'vehicle = "wagen-7"\n'
    assert boot.read("wegewart/packages") == b"chrony\ngpsd\n"
    assert boot.read("wegewart/bundle/targets/app.whl") == b"wheel"
    packed = boot.tar()
    assert set(packed) == {
        "etc/chrony/chrony.conf",
        "etc/systemd/system/wegewart-edge.service",
        "usr/lib/sysusers.d/wegewart.conf",
        "usr/local/sbin/tool",
    }
    assert (packed["usr/local/sbin/tool"].mode, packed["etc/chrony/chrony.conf"].mode) == (0o755, 0o644)


def test_cloud_init_finds_host_name_user_key_networks_and_the_first_boot(shop: Shop) -> None:
    assert shop.flash("--serial", "card") == 0
    boot = Boot(shop.card)
    raw = boot.read("user-data")
    user = yaml.safe_load(raw)
    assert raw.startswith(b"#cloud-config\n")
    assert user["hostname"] == "wagen-7"
    assert user["ssh_pwauth"] is False
    assert user["users"][0]["ssh_authorized_keys"] == [making.SSH_KEY]
    assert user["users"][0]["lock_passwd"] is True
    assert user["runcmd"][-1] == ["/bin/sh", "/boot/firmware/wegewart/firstboot"]
    assert user["growpart"] == {"mode": "off"}
    (lte,) = user["write_files"]
    assert (lte["permissions"], lte["owner"]) == ("0600", "root:root")
    assert "\napn=internet.t-d1.de\n" in lte["content"]
    assert "\npin=1234\n" in lte["content"]
    meta = yaml.safe_load(boot.read("meta-data"))
    network = yaml.safe_load(boot.read("network-config"))["network"]
    (point,) = network["wifis"]["wlan0"]["access-points"].items()
    assert point[0] == "Bauhof: 'Süd' \"1\""
    assert len(bytes.fromhex(point[1]["password"])) == 32
    assert network["ethernets"]["eth0"] == {"dhcp4": True, "optional": True}
    assert meta["instance-id"].startswith("wegewart-wagen-7-")
    kernel = f"rootwait ds=nocloud;i={meta['instance-id']} quiet cgroup_enable=memory\n"
    assert kernel in boot.read("cmdline.txt").decode()
    # The Wi-Fi password itself is nowhere on the card.
    assert b"streng geheim" not in shop.card.read_bytes()


@pytest.mark.parametrize("packed", ["xz", "gz", "zst", "zip"])
@pytest.mark.parametrize("table", ["dos", "gpt"])
def test_a_packed_image_gives_the_same_card(shop: Shop, tmp_path: Path, packed: str, table: str) -> None:
    image = making.raw_image(tmp_path / "other.img", table=table)
    target = tmp_path / f"other.img.{packed}"
    if packed == "xz":
        target.write_bytes(lzma.compress(image.read_bytes(), preset=0))
    elif packed == "gz":
        target.write_bytes(gzip.compress(image.read_bytes(), 1))
    elif packed == "zst":
        making.run("zstd", "-q", "-1", str(image), "-o", str(target))
    else:
        shutil.make_archive(str(tmp_path / "other.img"), "zip", tmp_path, "other.img")
    assert shop.flash("--serial", "card", image=target) == 0
    size = image.stat().st_size
    assert outside_boot(shop.card, size) == outside_boot(image, size)
    assert b"wegewart/firstboot" in Boot(shop.card).read("user-data")


def test_a_loop_device_is_written_verified_and_holds_it_all(shop: Shop, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.write(b"\xee" * (shop.image.stat().st_size + 5 * MIB))
    with making.loop(disk) as card:
        assert shop.flash("--serial", card.name, card=card) == 0
        assert shop.flash("--verify-only", card=card) == 0
        size = shop.image.stat().st_size
        assert outside_boot(card, size) == outside_boot(shop.image, size)
        assert Boot(card).read("wegewart/vehicle.toml") == b'vehicle = "wagen-7"\n'
        if making.can_mount_fat():
            at = tmp_path / "mnt"
            at.mkdir()
            making.run("mount", "-o", f"ro,offset={MIB},sizelimit={6 * MIB}", str(card), str(at))
            try:
                assert (at / "wegewart" / "vehicle.toml").read_text() == 'vehicle = "wagen-7"\n'
            finally:
                making.run("umount", str(at))
    # The copy of an old table at the end is gone.
    assert disk.read_bytes()[-MIB:] == bytes(MIB)
    assert [one["result"] for one in shop.register()] == ["written"]


def test_a_mounted_loop_device_is_refused_and_stays_as_it_is(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(32 * MIB))
    making.run("mkfs.ext4", "-q", str(disk))
    with making.loop(disk) as card:
        at = tmp_path / "mnt"
        at.mkdir()
        making.run("mount", str(card), str(at))
        try:
            assert shop.flash("--serial", card.name, card=card) == 1
            assert f"is mounted ({at})" in capsys.readouterr().err
            # And where lsblk does not see the mount (another namespace), the kernel refuses.
            unseen = World(look=lambda path: replace(device.look(path), mounts=()))
            assert shop.flash("--serial", card.name, card=card, world=unseen) == 1
            assert "is in use" in capsys.readouterr().err
        finally:
            making.run("umount", str(at))
        assert subprocess.run(["e2fsck", "-fn", str(card)], capture_output=True).returncode == 0


def test_a_partition_of_the_systems_own_disk_is_refused(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    listed = subprocess.run(["findmnt", "-nvo", "SOURCE", "/"], capture_output=True, text=True).stdout.strip()
    if not listed.startswith("/dev/"):
        pytest.skip("/ is no block device here")
    assert shop.flash("--serial", "x", card=Path(listed)) == 1
    said = capsys.readouterr().err
    assert "this computer's own system" in said or "is a partition" in said


def test_an_image_file_that_a_loop_device_uses_is_refused(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.card.write_bytes(bytes(32 * MIB))
    with making.loop(shop.card) as card:
        assert shop.flash("--serial", "card") == 1
        assert f"is in use by {card}" in capsys.readouterr().err


def test_too_small_a_loop_device_is_refused_before_anything_is_written(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(b"\xee" * (4 * MIB))
    with making.loop(disk) as card:
        assert shop.flash("--serial", card.name, card=card) == 1
    assert "too small" in capsys.readouterr().err
    assert disk.read_bytes() == b"\xee" * (4 * MIB)


def test_a_wrong_serial_writes_nothing(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.card.write_bytes(bytes(30 * MIB))
    assert shop.flash("--serial", "another") == 1
    assert "'another' is not 'card'" in capsys.readouterr().err
    assert shop.card.read_bytes() == bytes(30 * MIB)
    assert shop.register()[0]["result"].endswith("nothing was written")


def test_a_dry_run_says_all_and_writes_nothing(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.flash("--dry-run") == 0
    said = capsys.readouterr().out
    for word in ("wegewart/keys/vehicle.key", "config.txt", "Nothing was written", "sha256"):
        assert word in said
    for hidden in ("streng geheim", "1234\n", "BEGIN"):
        assert hidden not in said
    assert not shop.card.exists()
    assert not (shop.fleet / "cards.jsonl").exists()


def test_a_damaged_download_costs_no_card(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.card.write_bytes(b"\xee" * (30 * MIB))
    packed = lzma.compress(shop.image.read_bytes(), preset=0)
    for name, content in {"cut": packed[: len(packed) // 2], "flipped": packed[:5000] + b"xx" + packed[5002:]}.items():
        bad = tmp_path / f"{name}.img.xz"
        bad.write_bytes(content)
        assert shop.flash("--serial", "card", image=bad) == 1
        assert "damaged" in capsys.readouterr().err
    assert shop.card.read_bytes() == b"\xee" * (30 * MIB)


def test_an_image_that_is_not_the_published_one_is_refused(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    (shop.folder / "os.img.sha256").write_text("0" * 64 + "  os.img\n")
    assert shop.flash("--serial", "card") == 1
    assert "its checksum is not the one in os.img.sha256" in capsys.readouterr().err


def test_what_does_not_fit_on_the_boot_partition_is_known_before_the_card_is_lost(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.card.write_bytes(b"\xee" * (30 * MIB))
    bundle, root = making.bundle(tmp_path / "bundle")
    (bundle / "targets" / "big").write_bytes(bytes(8 * MIB))
    assert shop.flash("--serial", "card", "--bundle", str(bundle), "--root-json", str(root)) == 1
    assert "does not fit on the boot partition" in capsys.readouterr().err
    assert shop.card.read_bytes() == b"\xee" * (30 * MIB)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda shop: shop.card.write_bytes(flipped(shop.card, 9 * MIB)), "differs from the image at"),
        (lambda shop: overwrite(shop.card, "wegewart/vehicle.toml"), "wegewart/vehicle.toml on the card"),
        (lambda shop: overwrite(shop.card, "kernel8.img"), "kernel8.img on the card"),
        (lambda shop: shutil.copy(shop.image, shop.card), "has no wegewart/flash.json"),
    ],
)
def test_verify_only_names_what_differs(
    shop: Shop, capsys: pytest.CaptureFixture[str], change: object, why: str
) -> None:
    assert shop.flash("--serial", "card") == 0
    assert shop.flash("--verify-only") == 0
    assert callable(change)
    change(shop)
    assert shop.flash("--verify-only") == 1
    assert why in capsys.readouterr().err


def test_a_killed_program_leaves_a_card_that_does_not_start_or_is_complete(shop: Shop, tmp_path: Path) -> None:
    image = making.raw_image(tmp_path / "large.img", root_mib=90)
    shop.card.write_bytes(b"\xee" * image.stat().st_size)
    command = [sys.executable, "-m", "workshop.flash.cli", image, shop.card, "--site", shop.site, "--lang", "en"]
    with subprocess.Popen(
        [*command, "--vehicle", "wagen-7", "--fleet", shop.fleet, "--serial", "card"],
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert any(line.startswith("writing") for line in running.stdout)
        running.kill()
    first = shop.card.read_bytes()[:512]
    assert first == bytes(512) or shop.flash("--verify-only", image=image) == 0


def test_the_site_file_of_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(cli.__file__).parents[2] / "docs" / "flash.md").read_text(encoding="utf-8")
    text = page.partition("```toml\n")[2].partition("```")[0]
    path = tmp_path / "site.toml"
    path.write_text(text.replace("ssh-ed25519 AAAA... technik@werkstatt", making.SSH_KEY), encoding="utf-8")
    assert load_site(path).lte is not None


def test_verify_only_makes_no_file(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.flash("--verify-only") == 1
    assert "smaller than the image" in capsys.readouterr().err
    assert not shop.card.exists()


def test_a_broken_off_card_says_so(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(path: Path) -> Facts:
        raise KeyboardInterrupt

    assert shop.flash(world=World(look=interrupted)) == 130
    assert "does not start" in capsys.readouterr().err


def flipped(path: Path, at: int) -> bytes:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    return bytes(content)


def overwrite(card: Path, name: str) -> None:
    making.run("mcopy", "-D", "o", "-i", f"{card}@@{MIB}", "-", f"::{name}", content=b"other")


class Reader:
    """A card reader into which cards are put: `look` at it tells what is in at this moment."""

    def __init__(self, folder: Path, serials: list[str]) -> None:
        self._cards = [folder / f"card-{serial}" for serial in serials]
        self._serials = serials
        self.number = -1

    @property
    def card(self) -> Path:
        return self._cards[self.number // 2]

    def look(self, path: Path) -> Facts:
        # Odd: empty, as at the beginning.
        size = 64 * MIB if self.number % 2 == 0 else 0
        serial = self._serials[self.number // 2] if size else ""
        return Facts(path, "disk", size, serial=serial, model="Reader")

    def pause(self) -> None:
        self.number += 1

    def world(self) -> World:
        return World(
            now=lambda: NOW,
            new_id=lambda: UUID(int=self.number + 2),
            look=self.look,
            open=lambda path, size: Blocks(self.card, size),
            pause=self.pause,
        )


def test_a_stack_of_cards_one_after_the_other_with_a_line_for_each(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cars.csv").write_text("vehicle;plate\nwagen-7;DU 1\nwagen-9;DU 3\nwagen-8;DU 2\n")
    reader = Reader(tmp_path, ["A1", "B2", "C3"])
    answers = iter(["A1\n", "C3\n"])
    monkeypatch.setattr("sys.stdin.readline", lambda: next(answers))
    code = shop.flash("--vehicle", str(tmp_path / "cars.csv"), "--many", card=Path("/dev/reader"), world=reader.world())
    said = capsys.readouterr()
    assert code == 1
    assert "not written: wagen-9" in said.err
    assert said.out.count("take the card out") == 2
    written = [(one["vehicle"], one["serial"], one["result"][:7]) for one in shop.register()]
    assert written == [
        ("wagen-7", "A1", "written"),
        ("wagen-9", "B2", str(shop.fleet)[:7]),
        ("wagen-8", "C3", "written"),
    ]
    assert len({one["image_sha256"] for one in shop.register()}) == 1
    for serial, vehicle in (("A1", "wagen-7"), ("C3", "wagen-8")):
        assert Boot(tmp_path / f"card-{serial}").read("wegewart/vehicle.toml") == f'vehicle = "{vehicle}"\n'.encode()
    assert not (tmp_path / "card-B2").exists()


def test_a_card_that_was_exchanged_while_the_image_was_read_is_not_written(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = iter(["A1", "B2"])
    world = World(look=lambda path: Facts(path, "disk", 64 * MIB, serial=next(seen)))
    assert shop.flash("--serial", "A1", world=world) == 1
    assert "not the device of before" in capsys.readouterr().err
    assert not shop.card.exists()


def jetson_image(tmp_path: Path, *, cloud_init: bool) -> Path:
    image = making.raw_image(tmp_path / "jetson.img", table="gpt", files={})
    root = tmp_path / "root"
    (root / "usr" / "bin").mkdir(parents=True)
    if cloud_init:
        (root / "usr/bin/cloud-init").write_text("#!/usr/bin/python3\n")
    making.run("mkfs.ext4", "-q", "-F", "-d", str(root), "-E", f"offset={7 * MIB}", str(image), "10M")
    return image


def test_a_jetson_image_with_cloud_init_gets_its_files_on_the_efi_partition(shop: Shop, tmp_path: Path) -> None:
    shop.site.write_text('board = "jetson_orin_nano"\n' + shop.site.read_text())
    image = jetson_image(tmp_path, cloud_init=True)
    packed = tmp_path / "jetson.img.xz"
    packed.write_bytes(lzma.compress(image.read_bytes(), preset=0))
    for one in (image, packed):
        assert shop.flash("--serial", "card", image=one) == 0
    boot = Boot(shop.card)
    assert b"CIDATA" in making.run("mlabel", "-s", "-i", f"{shop.card}@@{MIB}", "::")
    assert {"user-data", "meta-data", "network-config", "wegewart/firstboot"} <= boot.names()
    assert "config.txt" not in boot.names()
    commands = yaml.safe_load(boot.read("user-data"))["runcmd"]
    assert ["mount", "LABEL=CIDATA", "/boot/firmware"] in commands


def test_a_jetson_image_without_cloud_init_is_refused_and_never_starts(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.site.write_text('board = "jetson_orin_nano"\n' + shop.site.read_text())
    image = jetson_image(tmp_path, cloud_init=False)
    assert shop.flash("--serial", "card", image=image) == 1
    assert not shop.card.exists()
    packed = tmp_path / "jetson.img.xz"
    packed.write_bytes(lzma.compress(image.read_bytes(), preset=0))
    assert shop.flash("--serial", "card", image=packed) == 1
    assert capsys.readouterr().err.count("holds no cloud-init") == 2
    assert shop.card.read_bytes()[:512] == bytes(512)
