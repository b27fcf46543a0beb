# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""scripts/check-firmware-config: the shipped files pass, a slip of the pen in any of them is found."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.servers import missing
from workshop.firmware.check import PROJECT, check, main
from workshop.firmware.programs import RealPrograms, Said

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the programs of a Linux device"),
]

SHIPPED = PROJECT / "firmware_config"
PI = "raspberry_pi"


class NoPrograms:
    """A machine without any of them."""

    def find(self, name: str) -> str | None:
        return None

    def run(self, *command: str, text: str = "", extra: dict[str, str] | None = None) -> Said:
        # The shell alone is everywhere.
        return RealPrograms().run(*command, text=text, extra=extra)


def test_the_shipped_files_pass() -> None:
    report = check(SHIPPED, RealPrograms())
    assert [str(one) for one in report.findings] == []
    if report.missing:
        missing("; ".join(map(str, report.missing)))


#: File, what stands there, the slip of the pen, a word of what is said, the program that finds it.
SLIPS = [
    ("boot/firmware/config.txt", "camera_auto_detect=1", "camera_autodetect=1", "write camera_auto_detect", ""),
    ("boot/firmware/config.txt", "dtoverlay=gpio-shutdown", "dtoverlay=gpio-shutdwn", "write gpio-shutdown", ""),
    ("boot/firmware/config.txt", "gpio_pin=17", "gpiopin=17", "write gpio_pin", ""),
    ("boot/firmware/config.txt", "[pi5]", "[pi6]", "write pi5", ""),
    ("boot/firmware/config.txt", "dtparam=watchdog=on", "dtparam=watchdog=maybe", "watchdog cannot be 'maybe'", ""),
    ("boot/firmware/config.txt", "#dtparam=i2c_arm=on", "#dtparam=i2c_amr=on", "write i2c_arm", ""),
    ("boot/firmware/config.txt", "rtc_bbat_vchg=3000000", "rtc_bbat_vchg=4400000", "damage", ""),
    ("boot/firmware/config.txt", "arm_64bit=1", "gpu_mem=16", "does not follow include", ""),
    ("boot/firmware/config.txt", "debounce=1000", "debounce=1000,gpio_pull=up,gpio_pull=up,gpio_pull=up", "98", ""),
    ("boot/firmware/cmdline_add.txt", "fsck.repair=yes", "fsck.repiar=yes", "write fsck.repair", ""),
    ("packages", "chrony", "chrony gpsd", "no name of a package", ""),
    ("etc/nftables.conf", "policy drop", "policy dorp", "expecting accept or drop", "nft"),
    ("etc/nftables.conf", "$workshop", "$werkstatt", "werkstatt", "nft"),
    ("etc/chrony/chrony.conf", "makestep 1 -1", "makestep 1", "Missing arguments for makestep", "chronyd"),
    ("etc/chrony/chrony.conf", "refclock SHM", "refclok SHM", "Invalid directive", "chronyd"),
    ("etc/default/chrony", '"-F 1 -s"', '"-F 1 -Y"', "invalid option", "chronyd"),
    ("etc/default/gpsd", '"-n"', '"-z"', "invalid option", "gpsd"),
    ("etc/default/gpsd", '"true"', '"yes"', "USBAUTO", ""),
    ("etc/udev/rules.d/70-wegewart.rules", 'KERNEL=="video*"', 'KERNEL=="video*', "missing quote", ""),
    ("etc/udev/rules.d/70-wegewart.rules", "SYMLINK+=", "SYMLNK+=", "write SYMLINK", ""),
    ("etc/NetworkManager/conf.d/wegewart.conf", "enabled=", "enable=", "unknown key 'enable'", "NetworkManager"),
    ("usr/share/wegewart/wegewart-lte.nmconnection", "metered=1", "meterd=1", "'meterd=1'", "nmcli"),
    ("usr/share/wegewart/wegewart-lte.nmconnection", "type=gsm", "type=gms", "'gms'", "nmcli"),
    ("etc/ssh/sshd_config.d/wegewart.conf", "UseDNS no", "UseDNS maybe", "unsupported option", "sshd"),
    ("etc/ssh/sshd_config.d/wegewart.conf", "PermitRootLogin", "PermitRootLogn", "Bad configuration option", "sshd"),
    ("etc/apt/apt.conf.d/52wegewart", '"true";', '"true"', "missing ;", "apt-config"),
    ("etc/apt/apt.conf.d/52wegewart", "::MinimalSteps", "::MinimalStep", "write MinimalSteps", "apt-config"),
    ("etc/systemd/system-preset/50-wegewart.preset", "disable apt", "disabled apt", "is no preset", ""),
    ("etc/systemd/journald.conf.d/wegewart.conf", "Storage=", "Storge=", "write Storage", ""),
    ("etc/systemd/system.conf.d/wegewart.conf", "RuntimeWatchdogSec", "RuntimeWatchdogsSec", "RuntimeWatchdogSec", ""),
    ("etc/systemd/logind.conf.d/wegewart.conf", "[Login]", "[Logind]", "write Login", ""),
    ("etc/systemd/network/80-can0.network", "ListenOnly", "ListenOny", "write ListenOnly", ""),
    ("etc/rpi/swap.conf.d/wegewart.conf", "Mechanism", "Mechnism", "write Mechanism", ""),
    ("etc/systemd/system/wegewart-lte.service", "RestartSec=30", "RestartSecs=30", "RestartSecs", "systemd-analyze"),
    (
        "etc/systemd/system/wegewart-security-update.timer",
        "OnBootSec=15min",
        "OnBootSec=bald",
        "bald",
        "systemd-analyze",
    ),
    (
        "etc/systemd/system/wegewart-edge.service.d/reboot.conf",
        "StartLimitBurst=15",
        "StartLimitBurst=oft",
        "Failed to parse unsigned value",
        "systemd-analyze",
    ),
    ("usr/share/wegewart/data.fstab", "ext4 noatime", "ext4 noatme", "write noatime", "findmnt"),
    ("usr/share/wegewart/data.fstab", "/data/opt/wegewart ", "/opt/data ", "write /data/opt/wegewart", "findmnt"),
    ("usr/lib/wegewart/readonly-root", '--bind "$place"', "--bind $place", "SC2086", "shellcheck"),
    ("usr/lib/wegewart/lte-ladder", "-> int:", "-> int", "expected ':'", ""),
]


@pytest.mark.parametrize("slip", SLIPS, ids=[f"{one[0]}: {one[2]}" for one in SLIPS])
def test_a_slip_of_the_pen_is_found_in_its_file_and_explained(
    slip: tuple[str, str, str, str, str], tmp_path: Path
) -> None:
    place, right, wrong, said, program = slip
    if program and RealPrograms().find(program) is None:
        missing(f"{program} is not installed")
    board = tmp_path / PI
    file = board / place
    if place.startswith("etc/systemd/system/"):
        # Units are read together.
        shutil.copytree(SHIPPED / PI / "etc/systemd/system", board / "etc/systemd/system")
    else:
        (board / "etc").mkdir(parents=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SHIPPED / PI / place, file)
    text = file.read_text(encoding="utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    line = text[: text.index(right)].count("\n") + 1
    found = [one for one in check(board, RealPrograms()).findings if one.path == file]
    assert found, "nothing was found"
    assert any(said in str(one) for one in found), [str(one) for one in found]
    # apt and Python name the line where they gave up.
    assert any(one.line in (0, line, line + 1, line + 2) for one in found), [str(one) for one in found]


def test_a_file_that_nobody_checks_is_a_finding(tmp_path: Path) -> None:
    stray = tmp_path / "etc/hosts.allow"
    stray.parent.mkdir()
    stray.write_text("ALL: ALL\n")
    report = check(tmp_path, RealPrograms(), units=tmp_path / "none")
    assert [str(one) for one in report.findings] == [
        f"{stray}: nothing checks this kind of file; add its check in workshop/firmware/check.py"
    ]


def test_a_missing_program_is_named_with_its_package_and_an_exit_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert main([str(SHIPPED / PI)], programs=NoPrograms()) == 3
    out = capsys.readouterr().out
    for program, package in (
        ("nft", "nftables"),
        ("chronyd", "chrony"),
        ("gpsd", "gpsd"),
        ("nmcli", "network-manager"),
    ):
        assert f"not checked, {program} is missing: sudo apt install {package}\n" in out


def test_with_ci_a_missing_program_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert main([str(SHIPPED / PI)], programs=NoPrograms()) == 1


def test_a_folder_without_boards_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.startswith(f"{tmp_path}: no board in it")
    assert main([str(tmp_path / "none")]) == 1
    assert "No such file" in capsys.readouterr().err
