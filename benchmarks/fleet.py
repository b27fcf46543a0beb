# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Many vehicles lose their broker at once and come back: how fast, how spread, and what it costs the broker.

    python -m benchmarks.fleet [--vehicles N] [--down-s S] [--lockstep]

Each vehicle is a small MQTT 3.1.1 client of our own that does what the uplink does on a connection (persistent
session, last will, subscribe to ack and command, publish the birth message and one observation) and waits between
attempts as the uplink does: `edge.delivery.window.backoff_s` itself. Only a PUBACK for the observation makes the next
wait short again. The broker is a real Mosquitto without TLS on the same machine; it is killed, stays away for
`--down-s` and is started again on its old disk.

With `--lockstep` all wait the longest time instead of a random part of it: what the jitter is there to prevent.
Exit code 0 only if all came back.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.servers import HOST, Broker, ServerError, end_with_children
from edge.delivery.window import backoff_s
from messages.topics import Topic

CONNECT_TIMEOUT_S = 10.0
KEEPALIVE_S = 60
#: A status and an observation are about as long.
BIRTH, OBSERVATION = b"b" * 600, b"o" * 1200
GIVE_UP_S = 180.0


def packet(kind: int, body: bytes) -> bytes:
    """An MQTT packet: first byte, remaining length, body."""
    length, left = bytearray(), len(body)
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes([kind]) + bytes(length) + body


def text(value: str) -> bytes:
    """A string with its length."""
    return struct.pack("!H", len(value)) + value.encode()


def connect_packet(name: str) -> bytes:
    """Persistent session and a retained last will of QoS 1."""
    will = text(str(Topic(name, "status"))) + struct.pack("!H", len(BIRTH)) + BIRTH
    head = text("MQTT") + bytes([4, 0x04 | 0x08 | 0x20]) + struct.pack("!H", KEEPALIVE_S)
    return packet(0x10, head + text(f"wegewart-{name}") + will)


def hello_packets(name: str) -> bytes:
    """Subscriptions, birth and one observation; their numbers are 1, 2 and 3."""
    topics = b"".join(text(str(Topic(name, kind))) + b"\x01" for kind in ("ack", "command"))
    return (
        packet(0x82, struct.pack("!H", 1) + topics)
        + packet(0x33, text(str(Topic(name, "status"))) + struct.pack("!H", 2) + BIRTH)
        + packet(0x32, text(str(Topic(name, "observation"))) + struct.pack("!H", 3) + OBSERVATION)
    )


@dataclass
class Fleet:
    """All vehicles.

    `back_s`: when each one's observation was taken for the first time since `mark`; `connected_s`: when a connection
    was accepted; monotonic seconds.
    """

    port: int
    lockstep: bool = False
    back_s: dict[str, float] = field(default_factory=dict)
    connected_s: list[float] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)

    def mark(self) -> None:
        """From now on it counts anew."""
        self.back_s.clear()
        self.connected_s.clear()
        self.attempts.clear()

    async def vehicle(self, name: str) -> None:
        """Stay connected for ever."""
        attempt = 0
        while True:
            self.attempts[name] += 1
            with suppress(OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                if await self._connection(name):
                    attempt = 0
            attempt += 1
            wait_s = backoff_s(attempt, (lambda _, most: most)) if self.lockstep else backoff_s(attempt)
            await asyncio.sleep(wait_s)

    async def _connection(self, name: str) -> bool:
        """One connection until it breaks; whether it carried something."""
        reader, writer = await asyncio.wait_for(asyncio.open_connection(HOST, self.port), CONNECT_TIMEOUT_S)
        carried = False
        try:
            writer.write(connect_packet(name))
            if await asyncio.wait_for(_read(reader), CONNECT_TIMEOUT_S) != 0x20:
                return False
            self.connected_s.append(time.monotonic())
            writer.write(hello_packets(name))
            pubacks = 0
            with suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    try:
                        pubacks += await asyncio.wait_for(_read(reader), KEEPALIVE_S / 2) == 0x40
                    except asyncio.TimeoutError:
                        writer.write(b"\xc0\x00")
                    if pubacks == 2 and not carried:
                        carried = True
                        self.back_s[name] = time.monotonic()
            return carried
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> int:
    """The first byte of the next packet; its body is dropped. Raises IncompleteReadError at the end."""
    kind = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            break
    await reader.readexactly(length)
    return kind & 0xF0


@dataclass(frozen=True)
class Return:
    """How the fleet came back; times since the broker listened again, seconds."""

    vehicles: int
    back: int
    after_s: Sequence[float]
    connects_per_s: Sequence[int]
    attempts: int
    broker_cpu_s: float
    broker_cpu_peak: float

    def after(self, share: float) -> float:
        """So long until this share was back."""
        ranked = sorted(self.after_s)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else float("nan")


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


async def restart(broker: Broker, vehicles: int, down_s: float, *, lockstep: bool) -> Return:
    """Connect all, kill the broker, start it again, wait until all are back."""
    fleet = Fleet(broker.port, lockstep=lockstep)
    names = [f"v{number:05d}" for number in range(vehicles)]
    tasks = [asyncio.create_task(fleet.vehicle(name)) for name in names]
    try:
        await _all_back(fleet, vehicles)
        broker.kill()
        fleet.mark()
        await asyncio.sleep(down_s)
        await asyncio.to_thread(broker.start)
        began = time.monotonic()
        peak = await _all_back(fleet, vehicles, broker.pid)
        spent = cpu_s(broker.pid)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    seconds = Counter(int(at - began) for at in fleet.connected_s)
    return Return(
        vehicles=vehicles,
        back=len(fleet.back_s),
        after_s=[at - began for at in fleet.back_s.values()],
        connects_per_s=[seconds[s] for s in range(max(seconds, default=0) + 1)],
        attempts=sum(fleet.attempts.values()),
        broker_cpu_s=spent,
        broker_cpu_peak=peak,
    )


async def _all_back(fleet: Fleet, vehicles: int, pid: int | None = None) -> float:
    """Wait until all are back, or too long; returns the broker's highest share of a core in any second."""
    until_s = time.monotonic() + GIVE_UP_S
    peak, then, spent = 0.0, time.monotonic(), 0.0
    while len(fleet.back_s) < vehicles and time.monotonic() < until_s:
        await asyncio.sleep(0.25)
        now = time.monotonic()
        if pid is not None and now - then >= 1.0:
            used = cpu_s(pid)
            peak, then, spent = max(peak, (used - spent) / (now - then)), now, used
    return peak


def report(result: Return, down_s: float, *, lockstep: bool) -> list[str]:
    """The figures, one line each."""
    policy = "the longest wait, no jitter" if lockstep else "full jitter (edge.delivery.window.backoff_s)"
    rates = result.connects_per_s
    last_s = max(result.after_s, default=float("nan"))
    return [
        f"wait between attempts                  {policy}",
        f"broker away                            {down_s:g} s",
        f"vehicles back                          {result.back} of {result.vehicles}",
        f"back after, median / 99 % / last       {result.after(0.5):.1f} / {result.after(0.99):.1f} / {last_s:.1f} s",
        f"connections accepted per second, most  {max(rates, default=0)}",
        f"of these in the first second           {rates[0] if rates else 0}",
        f"attempts per vehicle since the kill    {result.attempts / result.vehicles:.1f}",
        f"broker's CPU until all were back       {result.broker_cpu_s:.2f} s",
        f"of this most in any second             {result.broker_cpu_peak:.0%} of a core",
    ]


def main() -> int:
    """Restart once, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fleet", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vehicles", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--down-s", type=float, default=30.0, help="seconds that the broker is away (default: 30)")
    parser.add_argument("--lockstep", action="store_true", help="no jitter, to compare")
    options = parser.parse_args()
    end_with_children()
    needed = options.vehicles + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        print(f"fleet: {needed} open files are needed and {hard} allowed; raise ulimit -n", file=sys.stderr)
        return 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))  # the broker inherits it
    try:
        with tempfile.TemporaryDirectory(prefix="wegewart-fleet-") as name:
            # What is queued for a depot that is not there is no part of this.
            broker = Broker(Path(name), extra="max_queued_messages 10")
            broker.start()
            try:
                result = asyncio.run(restart(broker, options.vehicles, options.down_s, lockstep=options.lockstep))
            finally:
                broker.kill()
    except ServerError as error:
        print(f"fleet: {error}", file=sys.stderr)
        return 1
    print("\n".join(report(result, options.down_s, lockstep=options.lockstep)))
    return 0 if result.back == result.vehicles else 1


if __name__ == "__main__":
    sys.exit(main())
