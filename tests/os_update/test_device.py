# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What lies on the device and in the workshop: units, programs, the prepared system, both scripts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edge.os_update import cli
from edge.os_update.board import RaspberryPi
from edge.os_update.health import Course, HeartbeatFile, Look, looked
from edge.os_update.record import Record, Store, decoded
from tests.os_update.pi import CMDLINE, Pi
from tests.os_update.workshop import OWN, ROOT, Workshop, made
from tests.servers import need

UNITS = OWN / "etc/systemd/system"


# ---- the board


def _proc(folder: Path, **numbers: bytes) -> RaspberryPi:
    told = folder / "proc/device-tree/chosen/bootloader"
    told.mkdir(parents=True)
    for name, content in numbers.items():
        (told / name.replace("_", "-")).write_bytes(content)
    (folder / "proc/device-tree/model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    (folder / "proc/cmdline").write_text(CMDLINE)
    return RaspberryPi(folder)


def test_the_board_is_read_as_the_boot_loader_writes_it(tmp_path: Path) -> None:
    # The bytes of rpi-eeprom issue 575.
    pi = _proc(tmp_path, build_timestamp=b"fB.u", partition=b"\0\0\0\3", tryboot=b"\0\0\0\1")
    board, boot = pi.board(), pi.boot()
    assert (board.model, f"{board.eeprom:%Y-%m-%d}") == ("Raspberry Pi 4 Model B Rev 1.4", "2024-05-13")
    assert (boot.partition, boot.trial, boot.root) == (3, True, "A")


def test_a_computer_that_is_no_raspberry_pi_says_nothing(tmp_path: Path) -> None:
    pi = RaspberryPi(tmp_path)
    assert (pi.board().model, pi.board().eeprom, pi.boot().partition, pi.boot().trial) == ("", None, 0, False)


# ---- the heartbeat


def test_the_daemon_s_own_heartbeat_is_understood(tmp_path: Path) -> None:
    from edge import heartbeat

    beat = heartbeat.Heartbeat(monotonic_s=100.0, pid=7, ready=True, frames=5, standing_since_s=-300.0, online=True)
    heartbeat.write(beat, tmp_path)
    file = HeartbeatFile(tmp_path / "daemon.json")
    assert file.look(101.0) == Look(101.0, 7, ready=True, frames=5, standing_since_s=-300.0, online=True)
    assert file.look(101.0).parked
    assert file.look(100.0 + heartbeat.FRESH_S + 1) == Look(100.0 + heartbeat.FRESH_S + 1)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"monotonic_s": NaN}', b'{"monotonic_s": 1, "pid": "x"}', b"\xff"]
)
def test_a_heartbeat_that_is_none_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "daemon.json").write_bytes(content)
    assert HeartbeatFile(tmp_path / "daemon.json").look(1.0) == Look(1.0)
    with pytest.raises(ValueError):
        looked(content, 1.0)


def test_health_counts_from_anew_when_frames_stop_or_the_daemon_starts_again() -> None:
    def course(*looks: Look) -> float:
        found = Course()
        for look in looks:
            found = found.after(look)
        return found.healthy_s(looks[-1].now_s)

    well = [Look(float(now), 7, ready=True, frames=now) for now in range(0, 200, 10)]
    assert course(*well) == 190.0
    assert course(*well, Look(205.0, 8, ready=True, frames=1)) == 0.0
    assert course(*well, *(Look(now, 7, ready=True, frames=190) for now in (200.0, 215.0, 230.0))) == 0.0
    assert course(*well, Look(205.0)) == 0.0


# ---- the record


def test_a_record_survives_its_file_and_one_of_a_newer_version_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    record = Record(state="pending", slot="B", version="2026.11.22", attempts=2, complete=("A", "B"), healthy_s=3.0)
    store.save(record)
    assert store.load() == record
    path = tmp_path / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "colour": "green", "healthy_s": 3}))
    assert store.load() == record


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 99, b"[]", b'{"state": "cooked"}', b'{"slot": 3}', b'{"complete": ["C"]}', b"[" * 99999]
)
def test_a_damaged_record_is_set_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.json").write_bytes(content)
    store = Store(tmp_path)
    assert store.load().state == "none"
    assert store.damaged is not None
    store.save(Record())
    assert (tmp_path / "state.bad").read_bytes() == content
    with pytest.raises((ValueError, RecursionError)):
        decoded(content)


# ---- the command


def _command(pi: Pi, *words: str, parked: bool = True) -> int:
    options = cli._parser().parse_args(words)
    standing = -1000.0 if parked else None
    return cli.run(pi.control, options, look=lambda: Look(1.0, 7, ready=True, frames=1, standing_since_s=standing))


def test_the_command_tells_states_and_refusals_in_one_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pi = Pi(tmp_path / "pi")
    pi.offer("2026.11.22", "good")
    assert _command(pi, "status") == 0
    assert capsys.readouterr().out == "running: A\nupdate: none\n"
    assert _command(pi, "try") == 1
    assert capsys.readouterr().err == "wegewart-os: there is no installed update to try (state: none)\n"
    pi.offers["x"] = pi.offers["2026.11.22"]
    assert cli.run(pi.control, cli._parser().parse_args(["install", "2026.11.22"]), look=lambda: Look(1.0)) == 1
    assert "parked" in capsys.readouterr().err
    assert _command(pi, "install", "2026.11.22", "--parked", parked=False) == 0
    assert capsys.readouterr().out == "installed 2026.11.22 in system B\n"
    assert _command(pi, "status", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["state"], found["running"], found["problem"]) == ("installed", "A", None)
    assert _command(pi, "forget") == 0
    assert pi.record().state == "none"


def test_the_timer_waits_until_the_vehicle_is_parked(tmp_path: Path) -> None:
    pi = Pi(tmp_path / "pi")
    assert _command(pi, "try", "--if-waiting") == 0
    pi.control.install(pi.offer("2026.11.22", "good"))
    assert _command(pi, "try", "--if-waiting", parked=False) == 0
    assert pi.record().state == "installed"
    assert pi.doing(lambda: _command(pi, "try", "--if-waiting")) == "rebooted"
    assert pi.boot().trial
    assert _command(pi, "try", "--if-waiting") == 0  # the trial goes on


# ---- what lies on the device


@pytest.mark.parametrize("name", sorted(path.name for path in UNITS.glob("wegewart-os-*")))
def test_systemd_understands_the_unit(tmp_path: Path, name: str) -> None:
    analyze = need("systemd-analyze")
    places = tmp_path / "units"
    shutil.copytree(UNITS, places)
    for path in places.glob("*.service"):
        path.write_text(path.read_text().replace("/usr/lib/wegewart-os/", f"{OWN}/usr/lib/wegewart-os/"))
    command = [analyze, "--man=no", "verify", places / name]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{places}:"}
    )
    ours = [line for line in done.stderr.splitlines() if "wegewart-os" in line]
    assert ours == []
    assert done.returncode == 0


def test_the_last_resort_boots_only_out_of_a_trial_that_is_not_over(tmp_path: Path) -> None:
    called = tmp_path / "called"
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text(f'#!/bin/sh\necho "$@" >>{called}\n')
    (programs / "systemctl").chmod(0o755)
    told = tmp_path / "proc/device-tree/chosen/bootloader"
    told.mkdir(parents=True)

    def go_back() -> bool:
        called.unlink(missing_ok=True)
        environment = {"PATH": f"{programs}:{os.environ['PATH']}", "WEGEWART_ROOT": str(tmp_path)}
        subprocess.run([OWN / "usr/lib/wegewart-os/go-back"], env=environment, check=True, capture_output=True)
        return called.exists()

    assert not go_back()
    (told / "tryboot").write_bytes(b"\0\0\0\0")
    assert not go_back()
    (told / "tryboot").write_bytes(b"\0\0\0\1")
    assert go_back()
    assert called.read_text() == "reboot\n"
    (tmp_path / "run/wegewart-os").mkdir(parents=True)
    (tmp_path / "run/wegewart-os/over").touch()
    assert not go_back()


# ---- what the workshop makes


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


def test_a_prepared_system_runs_our_command_with_the_system_s_python_alone(tmp_path: Path, workshop: Workshop) -> None:
    if os.geteuid() != 0:
        pytest.skip("makes users and their groups: needs root")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=raspbian\n")
    (root / "etc/machine-id").write_text("uninitialized\n")
    for name, text in (("ssh.service", "sshd"), ("apt-daily.timer", ""), ("regenerate_ssh_host_keys.service", "x")):
        place = root / "usr/lib/systemd/system" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"[Service]\nExecStart=/{text}\n[Install]\nWantedBy=multi-user.target\n")
    boot = tmp_path / "boot"
    boot.mkdir()
    (boot / "config.txt").write_text("dtparam=audio=on\n")
    (boot / "cmdline.txt").write_text("console=tty1 root=PARTUUID=1-02 rootwait resize ds=nocloud;i=rpios quiet\n")
    for _ in range(2):  # again is harmless
        made("prepare", root, "--boot", boot, "--ca", workshop.keys / "ca.pem")
    card = tmp_path / "card.img"
    made("card", card, "--boot", boot, "--root", root, "--layout", workshop.folder / "layout", "--data-mib", 8)
    line = (boot / "cmdline.txt").read_text().split()
    assert line[:3] == ["console=tty1", "rootwait", "quiet"]
    assert sorted(line) == sorted({*line, "root=PARTUUID=57454745-05", "rauc.slot=A", "cloud-init=disabled"})
    assert (root / "etc/machine-id").read_bytes() == b""
    command = root / "usr/sbin/wegewart-os"
    done = subprocess.run(
        [need("python3"), "-I", command.resolve(), "status"],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("running: unknown\n")
    assert "is none of Raspberry Pi 4" in done.stdout
    wants = root / "etc/systemd/system"
    started = {path.name for path in (wants / "multi-user.target.wants").iterdir()}
    for unit in ("os-mark-good", "os-identity", "firstboot", "edge"):
        assert f"wegewart-{unit}.service" in started
    assert "ssh.service" in started
    assert not started & {"apt-daily.timer", "regenerate_ssh_host_keys.service", "wegewart-security-install.service"}
    assert (wants / "timers.target.wants/wegewart-os-try.timer").is_symlink()
    assert "wegewart:" in (root / "etc/passwd").read_text()
    assert "LABEL=wegewart-data" in (root / "etc/fstab").read_text()
    assert (root / "etc/rauc/wegewart-os-ca.pem").read_bytes() == (workshop.keys / "ca.pem").read_bytes()
    assert not list(root.rglob("ca.key"))


def test_a_card_is_divided_as_the_layout_says_and_starts_system_a(workshop: Workshop) -> None:
    said = subprocess.check_output([need("sfdisk"), "--json", workshop.card])
    table = json.loads(said)["partitiontable"]
    assert (table["label"], table["id"], len(table["partitions"])) == ("dos", "0x57454745", 7)
    at = table["partitions"][0]["start"] * 512
    mtype = [need("mtype"), "-i", f"{workshop.card}@@{at}", "::autoboot.txt"]
    assert subprocess.check_output(mtype) == (OWN / "boot/autoboot.txt").read_bytes()


def test_the_real_layout_is_one_that_sfdisk_takes(tmp_path: Path) -> None:
    card = tmp_path / "card.img"
    with card.open("wb") as file:
        file.truncate(15 * 10**9)
    layout = (OWN / "layout.sfdisk").read_text()
    done = subprocess.run([need("sfdisk"), "--no-reread", card], input=layout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    table = json.loads(subprocess.check_output([need("sfdisk"), "--json", card]))["partitiontable"]["partitions"]
    sizes = [row["size"] // 2048 for row in table]
    assert [sizes[n] for n in (0, 1, 2, 4, 5)] == [32, 512, 512, 4096, 4096]
    assert all(row["start"] % 8192 == 0 for row in table)


# ---- over SSH


def _os_update(tmp_path: Path, answers: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script with an ssh that answers by the words asked for, and notes them."""
    programs = tmp_path / "bin"
    programs.mkdir()
    cases = "".join(f"  *{words!r}*) {answer} ;;\n" for words, answer in answers.items())
    (programs / "ssh").write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/asked\ncase "$*" in\n{cases}esac\n')
    (programs / "ssh").chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    environment |= {"WEGEWART_OS_EVERY_S": "0", "WEGEWART_OS_WAIT_S": "5"}
    command = [ROOT / "scripts/os-update", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "new.raucb"
    path.write_bytes(b"bundle")
    return path


def _answers(tmp_path: Path, **more: str) -> dict[str, str]:
    return {
        "status --json": """echo '{"state": "active"}'""",
        "tee /data": f"cat >{tmp_path}/received",
        "sha256sum": f"sha256sum {tmp_path}/received",
        **{name.replace("_", " "): answer for name, answer in more.items()},
    }


def test_over_ssh_it_is_copied_installed_tried_and_awaited(tmp_path: Path, bundle: Path) -> None:
    done = _os_update(tmp_path, _answers(tmp_path), "pi@vehicle", str(bundle), "--older")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "received").read_bytes() == b"bundle"
    asked = (tmp_path / "asked").read_text()
    assert "install /data/wegewart-os/incoming.raucb --parked --older" in asked
    assert asked.index(" install ") < asked.index("rm -f") < asked.index("try --parked") < asked.index("--json")


def test_over_ssh_a_refusal_ends_it_before_the_reboot(tmp_path: Path, bundle: Path) -> None:
    refusal = "echo 'wegewart-os: no' >&2; exit 1"
    done = _os_update(tmp_path, {"install /data": refusal, **_answers(tmp_path)}, "pi@vehicle", str(bundle))
    assert (done.returncode, "wegewart-os: no" in done.stderr) == (1, True)
    assert "try --parked" not in (tmp_path / "asked").read_text()


def test_over_ssh_a_copy_that_differs_is_not_installed(tmp_path: Path, bundle: Path) -> None:
    done = _os_update(
        tmp_path, {"tee /data": "echo short", **_answers(tmp_path, sha256sum="echo 0")}, "pi@v", str(bundle)
    )
    assert (done.returncode, "differs" in done.stderr) == (1, True)
    assert " install " not in (tmp_path / "asked").read_text()


def test_over_ssh_a_system_that_was_left_is_the_exit_code_1(tmp_path: Path, bundle: Path) -> None:
    failed = {"status --json": """echo '{"state": "failed"}'"""}
    done = _os_update(tmp_path, {**_answers(tmp_path), **failed}, "pi@vehicle", str(bundle))
    assert done.returncode == 1
