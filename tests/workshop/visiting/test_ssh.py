# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Over a real SSH server to a stand-in for the updater."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import HOST
from tests.workshop.visiting.ssh_server import Cable, Vehicle, vehicle
from workshop.errors import WorkshopError
from workshop.visiting.cli import main
from workshop.visiting.line import Address, LostError, OpenSsh
from workshop.visiting.parcel import read
from workshop.visiting.visit import Outcome, Visit
from workshop.visiting.words import Say

pytestmark = pytest.mark.integration
RELEASE = "2026.11.7"
SIZE = 3_000_000


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "bundle")


def make_bundle(folder: Path) -> Path:
    for name, content in (
        ("metadata/timestamp.json", b"{}"),
        ("metadata/1.root.json", b"{}"),
        (f"targets/wheels/{'a' * 64}.big-1.0+g12-py3-none-any.whl", os.urandom(SIZE)),
        (f"targets/wheels/{'b' * 64}.small-1-py3-none-any.whl", b"small"),
        ("bundle.json", f'{{"release":"{RELEASE}"}}'.encode()),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def car(tmp_path: Path) -> Iterator[Vehicle]:
    with vehicle(tmp_path / "vehicle") as made:
        yield made


def visit(
    car: Vehicle, bundle: Path, *, then: tuple[str, ...] = ("pending", "active"), wait_s: float = 60.0
) -> tuple[Outcome, list[str]]:
    """A visit during which the vehicle's state goes on with every look."""
    said: list[str] = []
    states = iter(then)

    def pause(_: float) -> None:
        if (state := next(states, None)) is not None and (car.folder / "state.json").exists():
            text = (
                f'{{"release":"{RELEASE}","state":"{state}","reason":"camera gave no picture","running":"2026.11.6"}}'
            )
            (car.folder / "state.json").write_text(text)

    outcome = Visit(
        lambda: OpenSsh(car.address()),
        read(bundle),
        Say("en", out=said.append),
        places=car.places,
        wait_s=wait_s,
        pause=pause,
    ).go()
    return outcome, said


def arrived(car: Vehicle, bundle: Path) -> bool:
    sent = {path.name: path.read_bytes() for path in (bundle / "targets" / "wheels").iterdir()}
    return {path.name: path.read_bytes() for path in (car.folder / "arrived").iterdir()} == sent


def test_a_bundle_arrives_is_installed_and_watched_until_it_is_healthy(car: Vehicle, bundle: Path) -> None:
    outcome, said = visit(car, bundle)
    assert outcome.code == 0
    assert f"{RELEASE} runs and is healthy" in outcome.text
    assert arrived(car, bundle)
    assert car.calls() == [f"--lang en install --bundle {car.places.parcel}"]
    assert [line for line in said if "trial" in line or "parked" in line or line == "self-test passed"] == [
        "self-test passed",
        "ready; waits until the vehicle is parked (--now does not wait)",
        "runs on trial; waits until it has proved healthy",
    ]
    assert "100 %: 3.0 of 3.0 MB" in said
    assert list(Path(car.places.parcel).iterdir()) == [], "what was copied is not left behind"


def test_a_release_that_fails_is_said_with_its_reason(car: Vehicle, bundle: Path) -> None:
    outcome, _ = visit(car, bundle, then=("pending", "failed"))
    assert outcome.code == 4
    assert outcome.text == "FAILED: camera gave no picture; 2026.11.6 runs"


def test_the_vehicles_exit_code_is_ours_and_the_copy_stays(car: Vehicle, bundle: Path) -> None:
    (car.folder / "code").write_text("4\n")
    outcome, _ = visit(car, bundle)
    assert outcome.code == 4
    _, said = visit(car, bundle)
    assert "copying 0 files, 0.0 MB (3.0 MB are there already)" in said


def test_while_another_updater_is_at_work_the_visit_waits_and_a_vehicle_that_drives_is_waited_for(
    car: Vehicle, bundle: Path
) -> None:
    (car.folder / "code").write_text("5\n3\n")
    outcome, _ = visit(car, bundle, then=("staged", "staged", "pending", "active"))
    assert outcome.code == 0
    assert len(car.calls()) == 2


def test_a_staged_release_does_not_wait_for_the_vehicles_timer(car: Vehicle, bundle: Path) -> None:
    (car.folder / "code").write_text("3\n")
    outcome, _ = visit(car, bundle, then=("staged",) * 31 + ("pending", "active"))
    assert outcome.code == 0
    assert car.calls()[1:] == ["systemctl start --no-block wegewart-update.service"] * 2


def test_what_the_technician_asks_for_reaches_the_updater(car: Vehicle, bundle: Path) -> None:
    (car.folder / "code").write_text("4\n")
    assert main(arguments(car, bundle, "--now", "--again", "--allow-older")) == 4
    assert car.calls()[0].endswith("visit --now --allow-older --again")


def test_a_vehicle_without_a_verdict_is_not_waited_for_for_ever(car: Vehicle, bundle: Path) -> None:
    with pytest.raises(WorkshopError, match="no verdict after"):
        visit(car, bundle, then=("pending",), wait_s=0.3)


def test_a_cut_in_the_middle_of_the_copy_is_taken_up_where_it_was(car: Vehicle, bundle: Path) -> None:
    cable = Cable(car.sshd_port, cut_after=SIZE // 2)
    car.port = cable.port
    try:
        outcome, said = visit(car, bundle, then=("staged", "staged", "pending", "active"))
    finally:
        cable.close()
    assert outcome.code == 0, said
    assert arrived(car, bundle)
    assert any(line.startswith("connection lost") for line in said)
    assert cable.sent < 1.5 * SIZE, "what had arrived was sent again"


def test_the_program_killed_in_the_middle_of_the_copy_goes_on_when_called_again(car: Vehicle, bundle: Path) -> None:
    cable = Cable(car.sshd_port, cut_after=SIZE // 2, stall=True)
    car.port = cable.port
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "workshop.visiting.cli", *arguments(car, bundle)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert cable.reached.wait(60)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        cable.mend()
        outcome, _ = visit(car, bundle)
    finally:
        cable.close()
    assert outcome.code == 0
    assert arrived(car, bundle)
    assert cable.sent < 1.5 * SIZE


def arguments(car: Vehicle, bundle: Path, *more: str) -> list[str]:
    address = car.address()
    options = [f"--ssh-option={option}" for option in address.options]
    places = [f"--to={car.places.parcel}", f"--updater={car.places.updater}", f"--state={car.places.state}"]
    where = [address.host, f"--port={car.port}", f"--identity={address.identity}"]
    return [*where, f"--bundle={bundle}", "--lang=en", *options, *places, *more]


def test_a_part_that_does_not_fit_is_sent_again(car: Vehicle, bundle: Path) -> None:
    big = next(path for path in (bundle / "targets" / "wheels").iterdir() if "big" in path.name)
    part = Path(car.places.parcel) / "targets" / "wheels" / f"{big.name}.part"
    for wrong in (b"wrong beginning", bytes(SIZE + 1)):
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(wrong)
        (part.parents[2] / "of another bundle").write_bytes(b"x")
        assert visit(car, bundle)[0].code == 0
        assert arrived(car, bundle)


@pytest.mark.parametrize("known", ["nothing", "another key"])
def test_a_host_key_that_is_not_known_is_refused_whatever_the_options_say(
    car: Vehicle, bundle: Path, known: str, tmp_path: Path
) -> None:
    address = car.address("StrictHostKeyChecking=no")
    hosts = car.folder / "known_hosts"
    public = " ".join((car.folder / "technician.pub").read_text().split()[:2])
    hosts.write_text("" if known == "nothing" else f"[{HOST}]:{car.port} {public}\n")
    with pytest.raises(LostError, match="verification failed"):
        OpenSsh(address)
    assert car.calls() == []
    assert hosts.read_text().count("\n") == (known != "nothing"), "nothing was taken over as known"


def test_a_key_that_the_vehicle_does_not_know_is_refused_with_one_line(car: Vehicle) -> None:
    (car.folder / "technician.pub").write_text("")
    with pytest.raises(LostError, match="Permission denied") as caught:
        OpenSsh(car.address())
    assert "\n" not in str(caught.value)


def test_several_vehicles_one_of_them_away_end_with_a_summary(
    car: Vehicle, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (car.folder / "code").write_text("4\n")
    given = arguments(car, bundle, "--ssh-option=ConnectTimeout=2")
    assert main(["nobody@wagen-8.invalid", *given]) == 255
    said = capsys.readouterr()
    assert "--- summary" in said.out
    assert f"{HOST}: the vehicle did not take it (exit code 4)" in said.err
    assert said.err.count("nobody@wagen-8.invalid") == 1


def test_a_host_that_looks_like_an_option_is_none(bundle: Path) -> None:
    with pytest.raises(WorkshopError, match="this is no host"):
        OpenSsh(Address("-oProxyCommand=touch x"))


def test_a_full_vehicle_is_said_in_its_own_words(car: Vehicle, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    car._program("sync", "#!/bin/sh\necho 'No space left on device' >&2\nexit 1\n")
    with pytest.raises(WorkshopError, match="No space left on device"):
        visit(car, bundle)
