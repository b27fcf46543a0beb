# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The systemd units: systemd understands every line, they are hardened, and they hold the promises made elsewhere."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.life.exits import POWER_OFF, REBOOT
from tests.servers import need

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
NAMES = ("edge", "depot", "depot-ingest@", "health", "update", "update-fetch", "update-recover")
UNITS = {name: ROOT / "systemd" / f"wegewart-{name}.service" for name in NAMES}
#: Those that run for ever.
SERVERS = ("edge", "depot", "depot-ingest@")
DEVICE = ROOT / "firmware_config/raspberry_pi/etc/systemd/system"
DROPINS = sorted((DEVICE / "wegewart-edge.service.d").glob("*.conf"))
REBOOTING = DEVICE / "wegewart-reboot.service"
#: systemd 254 learned these lines; an older one does without, and says so.
NEW = r"(?m)^(RestartSteps|RestartMaxDelaySec)=.*\n"
#: systemd's own scale from 0 (locked up) to 10. The edge keeps cameras, serial receivers and the network.
MAX_EXPOSURE = 2.0


def read(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(UNITS[name].read_text(encoding="utf-8"))
    return parser


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_every_line(name: str, tmp_path: Path) -> None:
    program = need("systemd-analyze")
    unit = tmp_path / UNITS[name].name
    # The program is not installed where the test runs.
    text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNITS[name].read_text(encoding="utf-8"))
    version = re.search(r"systemd (\d+)", subprocess.run([program, "--version"], capture_output=True, text=True).stdout)
    assert version is not None
    unit.write_text(re.sub(NEW, "", text) if int(version[1]) < 254 else text)
    if name == "edge":
        (tmp_path / f"{unit.name}.d").mkdir()
        for dropin in DROPINS:
            shutil.copy(dropin, tmp_path / f"{unit.name}.d")
        shutil.copy(REBOOTING, tmp_path)
    command = [program, "verify", "--man=no", "--recursive-errors=no", *map(str, tmp_path.glob("*.service"))]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = [line for line in result.stderr.splitlines() if str(tmp_path) in line or "wegewart" in line]
    assert (result.returncode, said) == (0, [])


@pytest.mark.parametrize("name", UNITS)
def test_what_a_unit_may_do_stays_small(name: str) -> None:
    command = [need("systemd-analyze"), "security", "--offline=true", "--no-pager", str(UNITS[name])]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", result.stdout)
    if found is None:
        pytest.skip(f"this systemd-analyze cannot judge a file offline (older than 250): {result.stderr.strip()}")
    exposure = float(found[1])
    print(f"{UNITS[name].name}: exposure {exposure}, at most {MAX_EXPOSURE}")
    assert exposure <= MAX_EXPOSURE


@pytest.mark.parametrize("name", UNITS)
def test_the_program_that_a_unit_starts_is_one_that_the_project_installs(name: str) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    program, *arguments = read(name)["Service"]["ExecStart"].split()
    if name == "update-recover":  # a copy, for the system's own Python: the only one that may be sound after a cut
        assert (program, arguments) == ("/usr/bin/python3", ["-I", "/opt/wegewart/update/recover.py"])
        assert (ROOT / "edge/update/recover.py").is_file()
    else:
        assert Path(program).name in scripts


@pytest.mark.parametrize("name", SERVERS)
def test_a_unit_is_always_started_again_but_not_with_a_wrong_configuration(name: str) -> None:
    unit = read(name)
    assert unit["Service"]["Restart"] == "always"
    delays = [int(unit["Service"][key]) for key in ("RestartSec", "RestartSteps", "RestartMaxDelaySec")]
    assert delays == [5, 5, 60]
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    errors = (ROOT / "edge/errors.py").read_text(encoding="utf-8")
    code = re.search(r"class ConfigError.*?exit_code = (\d+)", errors, re.DOTALL)
    assert code is not None
    assert unit["Service"]["RestartPreventExitStatus"] == code[1]


@pytest.mark.parametrize("name", UNITS)
def test_nothing_a_unit_waits_for_can_stop_it(name: str) -> None:
    assert not {"Requires", "Requisite", "BindsTo", "PartOf"} & read(name)["Unit"].keys()


@pytest.mark.parametrize("name", UNITS)
def test_pictures_in_memory_never_get_to_the_disk(name: str) -> None:
    service = read(name)["Service"]
    assert (service["MemorySwapMax"], service["LimitCORE"]) == ("0", "0")
    assert "StateDirectory" not in service or service["StateDirectoryMode"] == "0700"


def test_the_daemon_is_watched_and_ended_in_time() -> None:
    service = read("edge")["Service"]
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    assert int(service["WatchdogSec"]) == 30
    assert int(service["TimeoutStopSec"]) > 5, "delivery.drain_s is 5 s"


def test_the_codes_by_which_the_daemon_asks_are_those_that_are_answered() -> None:
    asked = (DEVICE / "wegewart-edge.service.d/reboot.conf").read_text(encoding="utf-8")
    assert f"RestartPreventExitStatus={REBOOT} {POWER_OFF}\n" in asked
    answers = REBOOTING.read_text(encoding="utf-8")
    assert re.search(rf"\b{REBOOT}\) exec systemctl --no-block reboot", answers)
    assert re.search(rf"\b{POWER_OFF}\) exec systemctl --no-block poweroff", answers)


def test_the_start_limit_is_reached_whatever_systemd_makes_of_the_delays() -> None:
    # Old: always 5 s. New: from 5 s to 60 s in 5 steps; a daemon that hangs takes 40 s more to start and be noticed.
    text = (DEVICE / "wegewart-edge.service.d/reboot.conf").read_text(encoding="utf-8")
    found = re.search(r"StartLimitIntervalSec=(\d+)min\nStartLimitBurst=(\d+)\n", text)
    assert found is not None
    growing = [5 * 12 ** (min(step, 5) / 5) + 40 for step in range(int(found[2]))]
    assert sum(growing) < int(found[1]) * 60


def test_each_user_of_a_unit_is_made_by_sysusers() -> None:
    made = (ROOT / "systemd/sysusers.d/wegewart.conf").read_text(encoding="utf-8")
    users = {read(name)["Service"].get("User", "root") for name in UNITS}
    assert users - {"root"} == set(re.findall(r"(?m)^u (\S+)", made))


def test_who_is_root_has_no_network_and_who_has_the_network_is_not_root() -> None:
    for name in UNITS:
        service = read(name)["Service"]
        assert ("User" in service) != (service.get("PrivateNetwork") == "yes"), name


def test_sysusers_understands_its_file() -> None:
    command = [need("systemd-sysusers"), "--dry-run", str(ROOT / "systemd/sysusers.d/wegewart.conf")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if "unrecognized option" in result.stderr:
        pytest.skip("this systemd-sysusers has no --dry-run (older than 250)")
    assert result.returncode == 0, result.stderr
