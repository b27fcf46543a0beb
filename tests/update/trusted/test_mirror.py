# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A release comes over the network piece by piece: resumed, bounded, verified, and whole before it counts."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.config_update import UpdateConfig
from edge.update.trusted import Fetched, FetchError, UntrustedError, fetch, mirror, wish
from edge.update.trusted.pace import STEP
from edge.update.trusted.web import Limits
from tests.update.trusted.conftest import Vehicle
from tests.update.trusted.simulator import MODEL, NOW, OTHER_WHEEL, RELEASE, Repository
from tests.update.trusted.web_server import Bad, WebServer, serving

SECOND = "2027.1.2"
QUICK = Limits(connect_s=2, silent_s=0.5, answer_s=1, slow_window_s=0.3, slow_bytes_per_s=1000)


@pytest.fixture
def server(repository: Repository) -> Iterator[WebServer]:
    with serving(repository.files) as running:
        yield running


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "incoming"


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "_LONGEST_PAUSE_S", 0.01)


def bring(server: WebServer, into: Path, repository: Repository, wanted: str = RELEASE, **more: Any) -> Fetched:
    config = UpdateConfig(
        repository=server.address, bytes_per_s=more.pop("rate", 0.0), bytes_per_day=more.pop("daily", 0)
    )
    given = {"machine": "aarch64", "python": "3.11", "now": NOW, "root": repository.first_root, "limits": QUICK} | more
    return fetch(config, wanted=wanted, into=into, **given)


def targets(names: list[str]) -> list[str]:
    return [name for name in names if name.startswith("targets/")]


def test_what_was_fetched_is_a_bundle_that_the_vehicle_takes(
    server: WebServer, into: Path, repository: Repository, vehicle: Vehicle
) -> None:
    fetched = bring(server, into, repository)
    assert fetched.complete
    assert fetched.received_bytes == server.sent - 2  # the 404 for the next root
    assert wish(into) == RELEASE
    assert len(vehicle.take(into)) == 3


def test_only_what_this_computer_needs_is_fetched(server: WebServer, into: Path, repository: Repository) -> None:
    bring(server, into, repository)
    assert not [name for name in server.names() if OTHER_WHEEL.rpartition("/")[2] in name]
    assert len(targets(server.names())) == 4


def test_what_is_held_already_is_not_fetched(
    server: WebServer, into: Path, repository: Repository, vehicle: Vehicle, stick: Path
) -> None:
    vehicle.take(stick)
    held = {path.name for path in vehicle.cache.iterdir()}
    assert bring(server, into, repository, held=held).complete
    assert len(targets(server.names())) == 1
    assert len(vehicle.take(into)) == 3


def test_a_second_run_fetches_the_timestamp_only_and_writes_nothing(
    server: WebServer, into: Path, repository: Repository
) -> None:
    bring(server, into, repository)
    before = {path: path.stat().st_mtime_ns for path in into.rglob("*") if path.is_file()}
    server.asked.clear()
    assert bring(server, into, repository).complete
    assert server.names() == ["metadata/2.root.json", "metadata/timestamp.json"]
    assert {path: path.stat().st_mtime_ns for path in into.rglob("*") if path.is_file()} == before


def test_the_next_release_replaces_the_last_and_brings_every_root(
    server: WebServer, into: Path, repository: Repository, vehicle: Vehicle
) -> None:
    bring(server, into, repository)
    for _ in range(3):
        repository.rotate("root")
        repository.publish("root")
        repository.signers["root"] = repository.signers["root"][:3]
        bring(server, into, repository)
    repository.add_release(SECOND, size=500)
    assert bring(server, into, repository, SECOND).complete
    assert wish(into) == SECOND
    assert len(vehicle.take(into, SECOND)) == 3
    assert vehicle.versions()["root"] == 4
    assert len(list(into.glob("targets/*/*"))) == 4
    assert len(list(into.glob("metadata/*.snapshot.json"))) == 1


def test_bundle_json_goes_first_and_comes_last(server: WebServer, into: Path, repository: Repository) -> None:
    bring(server, into, repository)
    repository.add_release(SECOND)
    there: list[tuple[str, bool]] = []
    server.on_ask = lambda name: there.append((name, (into / "bundle.json").exists()))
    server.bad = [Bad(only=MODEL.rpartition("/")[2], status=404)]
    repository.files.update({name: b"x" for name in repository.files if MODEL.rpartition("/")[2] in name})
    for path in into.glob("targets/models/*"):
        path.unlink()
    with pytest.raises(UntrustedError) as refused:
        bring(server, into, repository, SECOND)
    assert refused.value.reason == "missing"
    assert not any(exists for name, exists in there if name.startswith(("targets/wheels", "targets/models")))
    assert not (into / "bundle.json").exists()


def big(repository: Repository) -> bytes:
    """A model of some steps, in a release of its own; its content."""
    repository.add_release(SECOND, size=3 * STEP + 1234)
    return repository.files[f"targets/{repository.targets.targets[MODEL].get_prefixed_paths()[0]}"]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_download_goes_on_where_it_broke(
    server: WebServer, into: Path, repository: Repository, vehicle: Vehicle, knows_ranges: bool
) -> None:
    big(repository)
    server.bad = [Bad(only="models/", cut=STEP + 10, times=1), Bad(only="models/", no_range=not knows_ranges)]
    assert bring(server, into, repository, SECOND).complete
    assert [asked for name, asked in server.asked if "models/" in name] == [None, f"bytes={STEP}-"]
    assert len(vehicle.take(into, SECOND)) == 3


def test_a_partial_file_outlives_the_run(server: WebServer, into: Path, repository: Repository) -> None:
    big(repository)
    server.bad = [Bad(only="models/", cut=2 * STEP, times=1), Bad(only="models/", status=503)]
    with pytest.raises(FetchError, match=r"503.*next run"):
        bring(server, into, repository, SECOND)
    server.bad, server.asked = [], []
    assert bring(server, into, repository, SECOND).complete
    assert server.asked[-1][1] == f"bytes={2 * STEP}-"


@pytest.mark.parametrize("spoilt", ["content", "longer", "whole"])
def test_a_partial_file_of_something_else_is_noticed_and_begun_anew(
    server: WebServer, into: Path, repository: Repository, vehicle: Vehicle, spoilt: str
) -> None:
    content = big(repository)
    partial = into / ".fetch" / "partial"
    partial.mkdir(parents=True)
    target = repository.targets.targets[MODEL]
    junk = {"content": b"x" * (STEP + 5), "longer": content + b"x", "whole": b"x" * len(content)}[spoilt]
    (partial / target.hashes["sha256"]).write_bytes(junk)
    assert bring(server, into, repository, SECOND).complete
    assert server.asked[-1][1] is None
    assert len(vehicle.take(into, SECOND)) == 3


def test_the_tail_that_a_power_cut_spoilt_is_fetched_again(
    server: WebServer, into: Path, repository: Repository, vehicle: Vehicle
) -> None:
    content = big(repository)
    partial = into / ".fetch" / "partial"
    partial.mkdir(parents=True)
    name = repository.targets.targets[MODEL].hashes["sha256"]
    (partial / name).write_bytes(content[:STEP] + bytes(STEP - 1))
    assert bring(server, into, repository, SECOND).complete
    assert [asked for name, asked in server.asked if "models/" in name] == [f"bytes={STEP}-"]
    assert len(vehicle.take(into, SECOND)) == 3


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Bad(only="models/", content=b"x" * 1000), "signature"),
        (Bad(only="models/", content=b"x" * 1001), "endless"),
        (Bad(only="models/", content=b"x" * (64 << 20), no_length=True), "endless"),
        (Bad(only="models/", stated=1 << 40), "endless"),
        (Bad(only="models/", content=b"x" * 999), "truncated"),
        (Bad(only="models/", status=404), "missing"),
        (Bad(only="models/", status=416), "truncated"),
        (Bad(only="timestamp", content=b"{" * 20_000), "endless"),
        (Bad(only="timestamp", content=b"{" * 10_000), "bad_metadata"),
        (Bad(only="timestamp", content=b"x" * (64 << 20), no_length=True), "endless"),
        (Bad(only="2.snapshot", status=404), "missing"),
    ],
)
def test_what_is_not_as_signed_is_refused_and_the_honest_repository_still_serves(
    server: WebServer, into: Path, repository: Repository, bad: Bad, reason: str
) -> None:
    server.bad = [bad]
    with pytest.raises(UntrustedError) as refused:
        bring(server, into, repository)
    assert refused.value.reason == reason
    assert "\n" not in str(refused.value)
    assert server.sent < 30 << 20
    assert not (into / "bundle.json").exists()
    server.bad = []
    assert bring(server, into, repository).complete


def test_a_server_that_serves_old_metadata_is_refused(server: WebServer, into: Path, repository: Repository) -> None:
    old = dict(repository.files)
    repository.add_release(SECOND)
    bring(server, into, repository, SECOND)
    server.files = old
    with pytest.raises(UntrustedError) as refused:
        bring(server, into, repository)
    assert refused.value.reason == "rollback"
    assert wish(into) == SECOND
    server.files = repository.files
    with pytest.raises(UntrustedError) as refused:
        bring(server, into, repository, SECOND, now=NOW + timedelta(days=31))
    assert refused.value.reason == "expired"


@pytest.mark.parametrize("only", ["timestamp", "models/"])
def test_a_server_that_drips_is_given_up_after_a_while(
    server: WebServer, into: Path, repository: Repository, only: str
) -> None:
    server.bad = [Bad(only=only, drip_s=0.02)]
    with pytest.raises(FetchError, match=r"drips.*tried 6 times"):
        bring(server, into, repository)


def test_passing_trouble_is_waited_out(server: WebServer, into: Path, repository: Repository) -> None:
    server.bad = [Bad(only="timestamp", status=503, times=2), Bad(only="models/", silent=True, times=1)]
    assert bring(server, into, repository).complete
    assert server.names().count("metadata/timestamp.json") == 3


def test_a_release_that_nobody_signed_is_missing(server: WebServer, into: Path, repository: Repository) -> None:
    with pytest.raises(UntrustedError) as refused:
        bring(server, into, repository, "2027.9.9")
    assert refused.value.reason == "missing"


@pytest.mark.parametrize("wanted", ["", "../2027.1.1", "2027.1.1\n", "latest", "2027.1.1/../../x"])
def test_a_wish_that_is_no_release_asks_for_nothing(
    server: WebServer, into: Path, repository: Repository, wanted: str
) -> None:
    with pytest.raises(FetchError, match="no release's name"):
        bring(server, into, repository, wanted)
    assert not server.asked


def test_without_a_repository_in_the_configuration_nothing_is_asked(into: Path) -> None:
    with pytest.raises(FetchError, match=r"update\.repository is not set"):
        fetch(UpdateConfig(), wanted=RELEASE, into=into)


def test_plain_http_to_another_computer_is_refused(into: Path) -> None:
    with pytest.raises(FetchError, match="https only"):
        fetch(UpdateConfig(repository="http://192.0.2.1/"), wanted=RELEASE, into=into)


def test_another_kind_of_computer_gets_nothing(server: WebServer, into: Path, repository: Repository) -> None:
    with pytest.raises(FetchError, match=r"nothing for riscv64 with Python 3\.11"):
        bring(server, into, repository, machine="riscv64")


def test_a_full_disk_is_told_before_anything_is_fetched(server: WebServer, into: Path, repository: Repository) -> None:
    with pytest.raises(FetchError, match="free space"):
        bring(server, into, repository, free=lambda _: mirror.SPARE_BYTES + 100)
    assert not targets(server.names())


def test_a_disk_that_takes_nothing_is_told_in_one_line(
    server: WebServer, into: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(into))

    monkeypatch.setattr(mirror, "write_durably", full)
    with pytest.raises(FetchError, match="No space left"):
        bring(server, into, repository)
    assert not (into / "bundle.json").exists()


def test_the_day_s_allowance_ends_the_run_and_the_next_day_goes_on(
    server: WebServer, into: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge.update.trusted import pace

    big(repository)
    runs: list[Fetched] = []
    while not runs or not runs[-1].complete:
        monkeypatch.setitem(pace.Pace.__init__.__kwdefaults__, "today", lambda: str(len(runs)))
        runs.append(bring(server, into, repository, SECOND, daily=5 * STEP))
        assert runs[-1].received_bytes <= 5 * STEP
        assert runs[-1].complete or runs[-1].why == "the day's allowance is used up"
        assert (into / "bundle.json").exists() == runs[-1].complete
    assert 2 < len(runs) < 5


def test_a_stop_ends_the_run_cleanly_and_the_next_goes_on(
    server: WebServer, into: Path, repository: Repository
) -> None:
    big(repository)
    stop = threading.Event()
    server.on_ask = lambda name: stop.set() if "models/" in name else None
    stopped = bring(server, into, repository, SECOND, stop=stop)
    assert (stopped.complete, stopped.why) == (False, "stopped")
    assert not (into / "bundle.json").exists()
    server.on_ask = lambda _: None
    assert bring(server, into, repository, SECOND).complete


_CHILD = """
import sys
from pathlib import Path
from edge.config_update import UpdateConfig
from edge.update.trusted import fetch
address, into, root, wanted = sys.argv[1:]
config = UpdateConfig(repository=address, bytes_per_s=2_000_000.0)
fetch(config, wanted=wanted, into=Path(into), root=Path(root).read_bytes(), machine="aarch64", python="3.11")
"""


@pytest.mark.integration
def test_a_run_killed_at_many_places_ends_with_the_same_bundle(
    server: WebServer, into: Path, repository: Repository, vehicle: Vehicle, tmp_path: Path
) -> None:
    big(repository)
    (tmp_path / "root.json").write_bytes(repository.first_root)
    command = [sys.executable, "-c", _CHILD, server.address, str(into), str(tmp_path / "root.json"), SECOND]
    for place in ("timestamp", ".snapshot", "releases/", "wegewart", "numpy", "models/"):
        reached = threading.Event()
        server.on_ask = lambda name, place=place, reached=reached: reached.set() if place in name else None
        child = subprocess.Popen(command)
        # What was fetched before a kill is not asked for again, so a place may lie behind us.
        while child.poll() is None and not reached.wait(0.01):
            pass
        child.send_signal(signal.SIGKILL)
        child.wait(20)
        assert not (into / "bundle.json").exists() or len(vehicle.take(into, SECOND)) == 3
    server.on_ask = lambda _: None
    assert subprocess.run(command, timeout=60).returncode == 0
    assert len(vehicle.take(into, SECOND)) == 3
    assert not list((into / ".fetch" / "partial").iterdir())
