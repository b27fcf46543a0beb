# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-update` as a technician types it, with bundles that are really signed and really verified."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from edge.update import recover
from edge.update.layout import Layout
from edge.update.ports import Unit
from edge.update.systemd import Systemd, parse
from tests.update.trusted.simulator import Repository
from tests.update.world import Depot

PROGRAM = (sys.executable, "-c", "import sys; from edge.update.cli import main; sys.exit(main())")


@dataclass
class Desk:
    """A repository with real keys, and a device on which commands are typed."""

    home: Path
    depot: Depot
    repository: Repository

    @property
    def layout(self) -> Layout:
        return Layout(self.home / "opt", self.home / "incoming", self.home / "run")

    def bundle(self, name: str, number: int, **changes: object) -> Path:
        self.depot.publish(name, number, **changes)
        for target, content in self.depot.targets.items():
            self.repository.add(target, content)
        self.repository.add(f"releases/{name}.json", self.depot.manifests[name])
        self.repository.publish_all()
        folder = self.repository.bundle(self.home / "sticks" / name)
        (folder / "bundle.json").write_text(json.dumps({"release": name}))
        return folder

    def run(self, *words: object, lang: str = "en") -> subprocess.CompletedProcess[str]:
        layout = self.layout
        places = ["--root", layout.root, "--incoming", layout.incoming, "--runtime", layout.runtime]
        # No systemd for it, even where there is one: nothing of this computer may be restarted.
        environment = {"PATH": "/nonexistent", "HOME": "/nonexistent", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        command = [*PROGRAM, *places, "--config", self.home / "vehicle.toml", "--lang", lang, *words]
        return subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, env=environment, timeout=120
        )

    def status(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.run("status", "--json").stdout)
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    repository = Repository()
    now = datetime.now(timezone.utc).replace(microsecond=0)
    repository.issued = now - timedelta(hours=1)
    for signed in repository.roles.values():
        signed.expires = now + timedelta(days=30)
    repository.publish("root")
    (tmp_path / "root.json").write_bytes(repository.first_root)
    (tmp_path / "vehicle.toml").write_text('vehicle = "bus-1"\n[update]\nboard = "pc"\n')
    return Desk(tmp_path, Depot(tmp_path / "bundles"), repository)


@pytest.mark.integration
def test_a_signed_bundle_on_a_new_device(desk: Desk) -> None:
    done = desk.run("install", "--bundle", desk.bundle("2026.1.1", 1), "--root-json", desk.home / "root.json")
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.splitlines() == [
        "2026.1.1: signatures hold; building it beside -",
        "2026.1.1 runs and is confirmed",
    ]
    status = desk.status()
    status["update"].pop("utc", None)  # type: ignore[attr-defined]
    assert status == {
        "current": "2026.1.1",
        "updater": "2026.1.1",
        "complete": ["2026.1.1"],
        "update": {"release": "2026.1.1", "state": "active", "running": "2026.1.1"},
        "refused": {},
    }
    assert "es läuft 2026.1.1" in desk.run("status", lang="de").stdout
    assert "2026.1.1 is confirmed" in desk.run("status").stdout


@pytest.mark.integration
def test_a_bundle_that_nobody_signed_for_this_fleet(desk: Desk, tmp_path: Path) -> None:
    stranger = Repository()
    (tmp_path / "other.json").write_bytes(stranger.first_root)
    bundle = desk.bundle("2026.1.1", 1)
    done = desk.run("install", "--bundle", bundle, "--root-json", tmp_path / "other.json")
    assert done.returncode == 4
    assert done.stdout.startswith("REFUSED 2026.1.1: untrusted (signature): ")
    assert desk.status()["current"] is None
    assert desk.run("install", "--bundle", bundle).returncode == 4, "no root of trust at all"


@pytest.mark.integration
def test_a_bundle_whose_wheel_was_changed(desk: Desk) -> None:
    bundle = desk.bundle("2026.1.1", 1)
    wheel = next((bundle / "targets" / "wheels").glob("*needed*"))
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"x")
    done = desk.run("install", "--bundle", bundle, "--root-json", desk.home / "root.json")
    assert done.returncode == 4
    assert "untrusted (signature)" in done.stdout
    assert recover.leftovers(desk.layout.root) == []


@pytest.mark.integration
def test_the_second_release_is_watched_and_given_back_where_no_daemon_comes_up(desk: Desk) -> None:
    config = desk.home / "vehicle.toml"
    config.write_text(config.read_text() + "start_s = 10\nwindow_s = 5\n")
    desk.run("install", "--bundle", desk.bundle("2026.1.1", 1), "--root-json", desk.home / "root.json")
    done = desk.run("install", "--bundle", desk.bundle("2026.2.1", 2))
    assert done.returncode == 4, done.stderr + done.stdout
    assert "BACK from 2026.2.1: trial: it did not look at a first frame within 10 s; 2026.1.1 runs" in done.stdout
    assert desk.status()["update"]["state"] == "failed"  # type: ignore[index]
    assert "failed here" in desk.run("status").stdout
    again = desk.run("install", "--bundle", desk.home / "sticks" / "2026.2.1")
    assert again.returncode == 4
    assert "--again" in again.stdout


def test_what_is_no_bundle_is_one_line(desk: Desk) -> None:
    done = desk.run("install", "--bundle", desk.home)
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("wegewart-update: ")


def test_a_configuration_that_cannot_be_read_does_not_keep_an_update_away(desk: Desk) -> None:
    (desk.home / "vehicle.toml").write_text("vehicle = ")
    done = desk.run("install")
    assert done.returncode == 0
    assert "goes on with the defaults" in done.stderr


def test_another_one_at_work_is_exit_code_5(desk: Desk) -> None:
    desk.layout.own.mkdir(parents=True)
    with (desk.layout.own / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = desk.run("install")
    assert (done.returncode, done.stderr) == (
        5,
        "wegewart-update: another wegewart-update is at work; try again later\n",
    )


def test_watching_and_fetching_nothing_is_nothing_to_do(desk: Desk) -> None:
    assert desk.run("watch").returncode == 0
    assert desk.run("fetch").returncode == 0


def test_recovery_by_hand(desk: Desk) -> None:
    assert desk.run("recover").returncode == 0


@pytest.mark.parametrize(
    ("shown", "unit"),
    [
        (
            ["ActiveState=active", "SubState=running", "NRestarts=2", "ExecMainStatus=0", "Result=success"],
            Unit("active", "running", 2, "success", 0),
        ),
        (
            ["Result=exit-code", "NRestarts=0", "ActiveState=failed", "SubState=failed", "ExecMainStatus=2"],
            Unit("failed", "failed", 0, "exit-code", 2),
        ),
        (["NRestarts=[not set]", "ActiveState=inactive"], Unit()),
        ([], Unit()),
    ],
)
def test_what_systemctl_shows(shown: Sequence[str], unit: Unit) -> None:
    assert parse("\n".join(shown)) == unit


def test_systemctl_is_asked_in_words_that_it_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "systemctl"
    script = ["#!/bin/sh", f'echo "$@" >>{tmp_path}/asked', '[ "$1" = show ] && echo ActiveState=active']
    program.write_text("\n".join([*script, '[ "$1" != reset-failed ]', ""]))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    service = Systemd(tmp_path)
    assert service.state().active == "active"
    service.restart()
    assert (tmp_path / "asked").read_text().splitlines() == [
        "show --property=ActiveState,SubState,NRestarts,ExecMainStatus,Result wegewart-edge.service",
        "reset-failed wegewart-edge.service",
        "restart --no-block wegewart-edge.service",
    ]
    assert service.beat() is None


def test_where_there_is_no_systemd_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Systemd(tmp_path).state() == Unit()
    with pytest.raises(Exception, match="systemctl is not installed"):
        Systemd(tmp_path).restart()


@pytest.mark.integration
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand rights away")
def test_root_lets_somebody_else_run_the_self_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.update import proof
    from edge.update.refusal import RefusedError

    folder = Path("/dev/shm") / f"wegewart-proof-{os.getpid()}"
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "wegewart-edge"
    program.write_text("#!/bin/sh\nid -u >&2; id -G >&2; ulimit -c >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(proof, "USER", "nobody")
    try:
        with pytest.raises(RefusedError, match="exit status 1: 0"):
            proof.SelfTest(tmp_path / "none")(folder)
        program.write_text('#!/bin/sh\necho "$(id -u) $(id -G)" >&2; exit 1\n')
        with pytest.raises(RefusedError, match="exit status 1: 65534 65534"):
            proof.SelfTest(tmp_path / "none")(folder)
    finally:
        program.unlink()
        (folder / "bin").rmdir()
        folder.rmdir()
