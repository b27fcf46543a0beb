# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is put on a device: each file is understood by the program that reads it, and explained in the README."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import need

FOLDER = Path(__file__).parents[2] / "firmware_config"
PI = FOLDER / "raspberry_pi"
FILES = sorted(path for path in PI.rglob("*") if path.is_file())

#: The keys of config.txt that we use, with the values that the firmware knows (raspberrypi.com, "config.txt").
KNOWN = {
    "arm_64bit": "[01]",
    "auto_initramfs": "[01]",
    "camera_auto_detect": "[01]",
    "display_auto_detect": "[01]",
    "disable_splash": "[01]",
    "usb_max_current_enable": "[01]",
    "dtparam": r"(audio|watchdog|i2c_arm)=(on|off)",
    "dtoverlay": r"gpio-shutdown(,(gpio_pin=\d+|active_low=[01]|gpio_pull=(up|down|off)|debounce=\d+))*"
    r"|i2c-rtc,ds3231|disable-bt",
}
SECTIONS = {"all", "pi4", "pi5"}
#: The firmware reads no more of a line.
MAX_LINE = 98


def config_problems(text: str) -> list[str]:
    """What the firmware would silently ignore in a config.txt; it has no checker of its own."""
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        section = re.fullmatch(r"\[(.+)\]", line)
        key, _, value = line.partition("=")
        if not line or line.startswith("#") or (section and section[1] in SECTIONS):
            continue
        if len(line) > MAX_LINE:
            problems.append(f"{number}: longer than {MAX_LINE} characters")
        elif key not in KNOWN:
            problems.append(f"{number}: {key!r} is not known")
        elif not re.fullmatch(KNOWN[key], value):
            problems.append(f"{number}: {key} = {value!r} is not known")
    return problems


def test_config_txt_has_only_lines_that_the_firmware_knows() -> None:
    assert config_problems((PI / "boot/firmware/config.txt").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "camera_autodetect=1",
        "arm_64bit = 1",
        "dtparam=watchdog=yes",
        "[pi6]",
        "dtoverlay=i2c-rtc,ds3232",
        "arm_64bit=2",
    ],
)
def test_the_check_of_config_txt_finds_a_slip_of_the_pen(line: str) -> None:
    assert len(config_problems(f"[all]\n{line}\n")) == 1


def test_config_txt_ends_in_the_section_for_all() -> None:
    # Tools append to the file; what they add must not hold for one model only.
    sections = re.findall(r"(?m)^\[(.+)\]$", (PI / "boot/firmware/config.txt").read_text(encoding="utf-8"))
    assert sections[-1] == "all"


def test_what_is_added_to_the_kernels_line_is_one_line_of_plain_words() -> None:
    text = (PI / "boot/firmware/cmdline_add.txt").read_text(encoding="utf-8")
    assert re.fullmatch(r"([a-z_.]+=\S+)( [a-z_.]+=\S+)*\n", text)
    assert "cgroup_enable=memory" in text.split(), "MemoryMax of the unit does nothing without it"


def test_nft_understands_the_ruleset() -> None:
    command = [need("nft"), "--check", "--file", str(PI / "etc/nftables.conf")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if "Operation not permitted" in result.stderr:
        pytest.skip("nft only checks a ruleset as root")
    assert result.returncode == 0, result.stderr


def test_the_ruleset_lets_nobody_in_but_a_technician_on_the_cable() -> None:
    text = (PI / "etc/nftables.conf").read_text(encoding="utf-8")
    assert text.count("policy drop") == 2
    assert re.findall(r"tcp dport \S+", text) == ["tcp dport 22"]
    assert 'iifname "eth0" tcp dport 22' in text


def test_chrony_understands_its_configuration() -> None:
    command = [need("chronyd"), "-p", "-f", str(PI / "etc/chrony/chrony.conf")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stderr
    assert "refclock SHM 0" in result.stdout


def test_the_udev_rule_has_the_shape_of_one() -> None:
    rules = PI / "etc/udev/rules.d/70-wegewart.rules"
    # One rule a line, each part key, operator, quoted value.
    part = r'[A-Z]+(\{\w+\})?(==|!=|\+=|:=|=)"[^"]*"'
    for line in rules.read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(rf"{part}(, {part})*", line)


def test_udev_understands_the_rule() -> None:
    program = shutil.which("udevadm")
    if program is None or int(subprocess.run([program, "--version"], capture_output=True, text=True).stdout) < 254:
        pytest.skip("udevadm verify came with systemd 254")
    command = [program, "verify", str(PI / "etc/udev/rules.d/70-wegewart.rules")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name == "gpsd" or path.suffix == ".conf"], ids=lambda path: str(path.name)
)
def test_every_file_says_at_its_top_where_it_goes(path: Path) -> None:
    assert f"# /{path.relative_to(PI)}" in path.read_text(encoding="utf-8")


def test_gpsds_defaults_are_shell_words() -> None:
    command = ["sh", "-euc", '. "$1"; echo "$USBAUTO|$GPSD_OPTIONS"', "sh", str(PI / "etc/default/gpsd")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=10)
    assert (result.returncode, result.stdout.strip()) == (0, "true|-n")


def test_the_readme_explains_each_file_and_no_other() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    explained = re.findall(r"(?m)^\| `((?:boot|etc)/[^`]+)` \|", readme)
    assert sorted(explained) == sorted(str(path.relative_to(PI)) for path in FILES)
