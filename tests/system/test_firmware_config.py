# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is put on a device, at work: who can reach it, where its time comes from, how its card is divided.

That each file is understood by the program that reads it: tests/workshop/firmware/test_check.py. The read-only root:
test_readonly_root.py.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.positioning.sentences import epoch
from tests.servers import HOST, free_port, missing, need, wait_until
from tests.workshop.firmware.programs_of_the_device import FIRMWARE, PI, load

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="programs of Linux"),
]

JETSON = FIRMWARE / "jetson_orin_nano"
BOARDS = (PI, JETSON)
#: What a Jetson has of its own; everything else is the Raspberry Pi's, letter by letter.
JETSONS_OWN = {
    "packages",
    "boot/firmware/cmdline_add.txt",
    "etc/systemd/system-preset/50-wegewart.preset",
    "etc/systemd/system/wegewart-power.service",
    "etc/systemd/system/wegewart-edge.service.d/jetson.conf",
    "etc/systemd/system/wegewart-edge.service.d/sensors.conf",
}


def files(board: Path) -> set[str]:
    """What goes onto this board."""
    found = [path for top in ("boot", "etc", "usr") for path in (board / top).rglob("*") if path.is_file()]
    return {str(path.relative_to(board)) for path in [*found, board / "packages"] if "__pycache__" not in path.parts}


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=check)


# ---- the files themselves


def test_what_both_boards_have_is_the_same() -> None:
    differ = [name for name in files(JETSON) - JETSONS_OWN if (PI / name).read_bytes() != (JETSON / name).read_bytes()]
    assert differ == []
    only_pi = {"boot/firmware/config.txt", "etc/rpi/swap.conf.d/wegewart.conf"}
    assert files(PI) - files(JETSON) == only_pi


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board.name))
def test_every_file_says_at_its_top_where_it_goes_and_why_its_lines_are_there(board: Path) -> None:
    for name in files(board):
        text = (board / name).read_text(encoding="utf-8")
        assert "SPDX-License-Identifier" in text, name
        if name.startswith("etc/"):
            assert re.search(rf"(?m)^(#|//) /{re.escape(name)}\b", text), name
        said = [line for line in text.splitlines() if line.startswith(("#", "//", '"""')) and "SPDX" not in line]
        assert len(said) >= 1, f"{name} explains nothing"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board.name))
def test_the_readme_explains_each_file_and_no_other(board: Path) -> None:
    readme = (FIRMWARE / "README.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"(?m)^\| `((?:boot|etc|usr|packages)[^`]*)` \|", readme))
    assert files(board) <= explained
    assert explained <= files(PI) | files(JETSON)


def test_every_unit_that_is_to_be_started_is_switched_on_by_the_preset() -> None:
    preset = (PI / "etc/systemd/system-preset/50-wegewart.preset").read_text(encoding="utf-8")
    enabled = re.findall(r"(?m)^enable (\S+)", preset)
    for unit in [*(PI / "etc/systemd/system").glob("wegewart-*"), *(FIRMWARE.parent / "systemd").glob("wegewart-*")]:
        passed_over = unit.is_dir() or "depot" in unit.name or "firstboot" in unit.name
        if not passed_over and "[Install]" in unit.read_text(encoding="utf-8"):
            assert any(Path(unit.name).match(pattern) for pattern in enabled), unit.name


def test_what_is_kept_over_a_boot_is_all_that_the_programs_must_keep() -> None:
    lines = (PI / "usr/share/wegewart/data.fstab").read_text(encoding="utf-8")
    kept = set(re.findall(r"(?m)^/data(/\S+) ", lines))
    units = [*(FIRMWARE.parent / "systemd").glob("wegewart-*.service"), *(PI / "etc/systemd/system").glob("*.service")]
    for unit in units:
        text = unit.read_text(encoding="utf-8")
        if "depot" in unit.name:
            continue
        for name in re.findall(r"(?m)^StateDirectory=(\S+)", text):
            assert f"/var/lib/{name}" in kept, f"{unit.name} keeps /var/lib/{name} in memory only"
    assert {"/opt/wegewart", "/etc/wegewart", "/var/lib/wegewart-update"} <= kept


# ---- who can reach it

_LISTEN = """
import socket, sys
open_ = []
for port in map(int, sys.argv[1:]):
    server = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=50)
    open_.append(server)
print("ready", flush=True)
sys.stdin.read()
"""
_ASK = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def ask(place):
    host, port = place.rsplit("/", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        return True
    except OSError:
        return False
with ThreadPoolExecutor(50) as many:
    print(json.dumps(dict(zip(sys.argv[1:], many.map(ask, sys.argv[1:])))))
"""
#: Interface -> net; the other end of each cable is a stranger (or the technician).
CABLES = {"eth0": "10.71.1", "wwan0": "10.71.2", "wlan0": "10.71.3", "usb0": "10.71.4"}
PORTS = (22, 80, 1883, 2947, 5353, 8080)


class Wires:
    """A vehicle and the world as two network namespaces, a cable for each interface."""

    def __init__(self) -> None:
        self.vehicle, self.world = f"vehicle{os.getpid()}", f"world{os.getpid()}"
        self._listening: list[subprocess.Popen[str]] = []

    def make(self) -> None:
        for name in (self.vehicle, self.world):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        for number, (name, net) in enumerate(CABLES.items()):
            far = ("peer", "name", f"far{number}", "netns", self.world)
            run("ip", "-n", self.vehicle, "link", "add", name, "type", "veth", *far)
            for space, link, last in ((self.vehicle, name, 1), (self.world, f"far{number}", 2)):
                run("ip", "-n", space, "address", "add", f"{net}.{last}/24", "dev", link)
                run("ip", "-n", space, "-6", "address", "add", f"fd71:{number}::{last}/64", "dev", link, "nodad")
                run("ip", "-n", space, "link", "set", link, "up")

    def listen(self, where: str, *ports: int) -> None:
        command = ["ip", "netns", "exec", where, sys.executable, "-c", _LISTEN, *map(str, ports)]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._listening.append(server)
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"

    def ask(self, where: str, *places: str) -> set[str]:
        """Those that take a connection, as `host/port`."""
        said = run("ip", "netns", "exec", where, sys.executable, "-c", _ASK, *places).stdout
        return {place for place, answered in json.loads(said).items() if answered}

    def end(self) -> None:
        for server in self._listening:
            server.communicate("")
        for name in (self.vehicle, self.world):
            run("ip", "netns", "delete", name, check=False)


@pytest.fixture
def wires() -> Iterator[Wires]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    need("ip")
    made = Wires()
    try:
        try:
            made.make()
        except subprocess.CalledProcessError as error:
            missing(f"no network namespace can be made here: {error.stderr}")
        yield made
    finally:
        made.end()


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board.name))
def test_nobody_answers_but_ssh_on_the_workshops_cable(wires: Wires, board: Path) -> None:
    # Red for a rule without its interface, and for a policy that accepts.
    hosts = [f"{net}.1" for net in CABLES.values()] + [f"fd71:{number}::1" for number in range(len(CABLES))]
    places = [f"{host}/{port}" for host in hosts for port in PORTS]
    wires.listen(wires.vehicle, *PORTS)
    wait_until(lambda: wires.ask(wires.world, *places) == set(places), what="all answers, without the rules")
    run("ip", "netns", "exec", wires.vehicle, need("nft"), "-f", str(board / "etc/nftables.conf"))
    assert wires.ask(wires.world, *places) == {"10.71.1.1/22", "fd71:0::1/22"}
    # Its own programs reach each other (gpsd).
    assert wires.ask(wires.vehicle, "127.0.0.1/2947", "::1/2947") == {"127.0.0.1/2947", "::1/2947"}


def test_the_vehicle_reaches_its_broker_over_every_link(wires: Wires) -> None:
    run("ip", "netns", "exec", wires.vehicle, need("nft"), "-f", str(PI / "etc/nftables.conf"))
    wires.listen(wires.world, 8883)
    brokers = {f"{net}.2/8883" for net in CABLES.values()} | {f"fd71:{number}::2/8883" for number in range(len(CABLES))}
    wait_until(lambda: wires.ask(wires.vehicle, *brokers) == brokers, what="an answer over every link")


# ---- where its time comes from


class Speaker:
    """A receiver at a TCP address: for one on a pseudo-terminal gpsd keeps its clock to itself."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HOST, 0))
        self.address = f"tcp://{HOST}:{self._listener.getsockname()[1]}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._speak)
        self._thread.start()

    def _speak(self) -> None:
        with suppress(OSError):
            gpsd, _ = self._listener.accept()
            with gpsd:
                for number in itertools.count():
                    if self._stop.wait(0.1):
                        return
                    gpsd.sendall(epoch(number * 0.1, quality=1, date="010526").encode())

    def close(self) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()


def test_chrony_takes_the_time_that_gpsd_hears_from_the_receiver(tmp_path: Path) -> None:
    # Red with another SHM unit, and with GPSD_OPTIONS without -n (nobody asks gpsd, so it does not listen).
    if os.geteuid() != 0:
        pytest.skip("gpsd's memory for chrony belongs to root")
    options = re.search(r'(?m)^GPSD_OPTIONS="(.*)"', (PI / "etc/default/gpsd").read_text(encoding="utf-8"))
    assert options is not None
    shipped = (PI / "etc/chrony/chrony.conf").read_text(encoding="utf-8")
    # No network is asked here, nothing is kept, and a sample a second instead of one each 8 s.
    shipped = re.sub(r"(?m)^(pool|driftfile) .*", "", shipped).replace("poll 3", "poll 0")
    config = tmp_path / "chrony.conf"
    config.write_text(f"{shipped}\nbindcmdaddress /\npidfile {tmp_path}/pid\nuser root\n")
    speaker, log = Speaker(), tmp_path / "log"
    # Both in a shared memory of their own; -x: the machine's clock is left alone.
    both = '"$1" -N -F "$2/control" -S "$3" $4 "$5" & "$6" -x -d -f "$7"'
    arguments = [
        need("gpsd"),
        str(tmp_path),
        str(free_port()),
        options[1],
        speaker.address,
        need("chronyd"),
        str(config),
    ]
    with log.open("w") as file:
        command = [need("unshare"), "--ipc", "sh", "-c", both, "sh", *arguments]
        went = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
    try:
        wait_until(lambda: "Could not step" in log.read_text(), timeout_s=60, what="chrony that wants to step")
    finally:
        os.killpg(went.pid, signal.SIGTERM)
        went.wait(10)
        speaker.close()
    # The played receiver says 1 May 2026: chrony wants to set the clock to it at once, however far that is.
    said = log.read_text()
    assert "Selected source GNSS" in said
    found = re.search(r"System clock wrong by (-?[0-9.]+) seconds", said)
    assert found is not None
    played = datetime(2026, 5, 1, 12, tzinfo=timezone.utc).timestamp()
    assert abs(time.time() + float(found[1]) - played) < 86_400


# ---- how its card is divided


@pytest.mark.parametrize("label", ["dos", "gpt"])
def test_the_first_boot_divides_a_real_card_and_moves_what_is_kept(
    label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("a loop device needs root")
    firstboot = load(FIRMWARE / "first_boot/firstboot")
    label_now = f"wegewart-{os.getpid()}"[:16]
    monkeypatch.setattr(firstboot, "LABEL", label_now)
    monkeypatch.setenv("PATH", f"{_helpers(tmp_path)}:{os.environ['PATH']}:/usr/sbin:/sbin")
    card, root = tmp_path / "card.img", tmp_path / "root"
    root.mkdir()
    with card.open("wb") as file:
        file.truncate(700 * 1024 * 1024)
    first = "c" if label == "dos" else "U"
    table = f"label: {label}\n,64MiB,{first}\n,200MiB,L\n"
    subprocess.run([need("sfdisk"), "-q", str(card)], input=table, text=True, check=True, timeout=60)
    with card.open("r+b") as file:
        file.truncate(6 * 1024**3)
    loop = _attach(card)
    try:
        run(need("mkfs.ext4"), "-q", f"{loop}p2")
        run("mount", f"{loop}p2", str(root))
        (root / "wegewart").mkdir()
        _put(root / "etc/fstab", f"{loop}p2 / ext4 defaults 0 1\n")
        shipped = (PI / "usr/share/wegewart/data.fstab").read_text(encoding="utf-8")
        _put(root / "usr/share/wegewart/data.fstab", shipped.replace("wegewart-data", label_now))
        _put(root / "etc/wegewart/there.before", "kept")
        for _ in range(2):
            steps = firstboot.FirstBoot(firstboot.Computer(root), root / "wegewart")
            steps.disk()
            steps.data()
        assert (root / "data/etc/wegewart/there.before").read_text() == "kept"
        _put(root / "opt/wegewart/later", "written")
        assert (root / "data/opt/wegewart/later").read_text() == "written"
        assert (root / "etc/fstab").read_text().count("/data/opt/wegewart /opt/wegewart none bind") == 1
        rows = json.loads(run("sfdisk", "--json", loop).stdout)["partitiontable"]["partitions"]
        sizes = [row["size"] * 512 // 1024**2 for row in rows]
        assert len(rows) == 3
        assert sizes[0] == 64
        assert 3000 <= sizes[1] <= 3100
        assert 3000 <= sizes[2] <= 3100
        assert run("blkid", "-s", "LABEL", "-o", "value", f"{loop}p3").stdout.strip() == firstboot.LABEL
        run("umount", "--recursive", str(root))
        run("fsck.ext4", "-f", "-n", f"{loop}p3")
        run("mount", f"{loop}p2", str(root))
        assert not (root / "opt/wegewart/later").exists(), "written to the root, which is only read from now on"
    finally:
        run("umount", "--recursive", str(root), check=False)
        run("partx", "--delete", loop, check=False)
        run("losetup", "--detach", loop)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _attach(card: Path) -> str:
    try:
        loop = run("losetup", "--find", "--show", str(card)).stdout.strip()
        run("partx", "--add", loop)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no loop device can be had here: {error.stderr}")
    return loop


def _helpers(folder: Path) -> Path:
    """On a machine without udev the nodes of new partitions are made here; a sandbox may not grow a mounted ext4."""
    made = folder / "helpers"
    made.mkdir()
    made_now = '[ -e "/dev/${p##*/}" ] || mknod "/dev/${p##*/}" b $(tr : " " <"$p/dev")'
    node = f"for p in /sys/class/block/loop*p*; do {made_now}; done"
    partx, resize2fs = need("partx"), need("resize2fs")
    (made / "partx").write_text(f'#!/bin/sh\n{partx} "$@" || exit\n{node}\n')
    (made / "systemctl").write_text("#!/bin/sh\n")
    (made / "resize2fs").write_text(f'#!/bin/sh\n{resize2fs} "$@" 2>&1 | tee /dev/stderr | grep -q "resize2fs 1"\n')
    for path in made.iterdir():
        path.chmod(0o755)
    return made
