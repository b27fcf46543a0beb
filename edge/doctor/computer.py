# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle's computer: disk, outbox, heat, supply, service; and its broker."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.config import VehicleConfig
from edge.delivery.uplink import check_broker
from edge.doctor.finding import Finding, Grade, Words
from edge.errors import WegewartError
from edge.life.board import Board
from edge.uplinks import broker_settings

DISK = Words("Speicher", "disk")
WEAR = Words("Abnutzung des Speichers", "disk wear")
HEAT = Words("Temperatur", "temperature")
SUPPLY = Words("Stromversorgung", "supply")
BROKER = Words("Betriebshof", "broker")
SERVICE = Words("Dienst", "service")
UNIT = "wegewart-edge.service"

_MB = 1 << 20
#: One record is some kilobytes; a card that takes longer than this for one is worn out.
_SLOW_S = 0.5
_WARM_C = 70.0
_SYSTEMCTL = ("systemctl", "is-active", UNIT)


def check_disk(config: VehicleConfig, *, sys: Path = Path("/sys")) -> Iterator[Finding]:
    """Room, whether and how fast it takes a record for good, and what the card says of its age."""
    folder = config.delivery.data
    try:
        about = os.statvfs(folder)
        took_s = _write(folder)
    except OSError as error:
        why = f"{folder}: {error.strerror or error}"
        yield Finding(
            DISK, "bad", Words(why, why), Words("Ordner und Besitzer wegewart prüfen", "check the folder and its owner")
        )
        return
    free_mb = about.f_bavail * about.f_frsize / _MB
    figures = {"free_mb": round(free_mb), "sync_ms": round(1000 * took_s, 1)}
    told = Words(
        f"{free_mb:.0f} MB frei, {1000 * took_s:.0f} ms je Satz",
        f"{free_mb:.0f} MB free, {1000 * took_s:.0f} ms a record",
    )
    if free_mb < config.delivery.free_mb:
        yield Finding(DISK, "bad", told, Words("Platz schaffen: df -h", "make room: df -h"), figures)
    elif took_s > _SLOW_S:
        yield Finding(DISK, "warn", told, Words("Karte tauschen", "replace the card"), figures)
    else:
        yield Finding(DISK, "ok", told, figures=figures)
    yield from wear(sys)


def _write(folder: Path) -> float:
    """Seconds until 4 KiB are on the disk for good."""
    began_s = time.perf_counter()
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
        file.write(bytes(4096))
        file.flush()
        os.fsync(file.fileno())
    return time.perf_counter() - began_s


def wear(sys: Path) -> Iterator[Finding]:
    """For eMMC only: `life_time` in tenths of the life expected (JEDEC 5.0), `pre_eol_info` 2 and 3 are warnings."""
    for device in sorted(sys.glob("block/mmcblk*/device")):
        try:
            lives = [int(text, 16) for text in (device / "life_time").read_text().split()]
            end = int((device / "pre_eol_info").read_text(), 16)
        except (OSError, ValueError):
            continue  # an SD card does not say
        used = max(lives, default=0)
        if not used:
            continue
        percent = 10 * used
        told = Words(f"{device.parent.name}: {percent} % verbraucht", f"{device.parent.name}: {percent} % used up")
        grade: Grade = "bad" if end >= 3 or used > 10 else "warn" if end == 2 or used >= 9 else "ok"
        advice = Words("", "") if grade == "ok" else Words("Speicher tauschen", "replace it")
        yield Finding(WEAR, grade, told, advice, {"life_used_percent": percent})


def check_board(config: VehicleConfig, board: Board) -> Iterator[Finding]:
    """Heat and supply, as far as the board tells."""
    state = board.look()
    hottest = state.hottest_c
    if hottest is not None:
        told = Words(f"{hottest:.0f} °C", f"{hottest:.0f} °C")
        figures = {"temperature_c": round(hottest, 1)}
        if hottest >= config.heat.limit_c:
            yield Finding(HEAT, "bad", told, Words("Kühlung, Einbauort", "cooling, place of fitting"), figures)
        elif hottest >= _WARM_C:
            yield Finding(HEAT, "warn", told, Words("Kühlung prüfen", "check the cooling"), figures)
        else:
            yield Finding(HEAT, "ok", told, figures=figures)
    if state.under_voltage:
        yield Finding(
            SUPPLY,
            "bad",
            Words("Unterspannung", "under-voltage"),
            Words("Netzteil 5 V/5 A, kurzes Kabel", "5 V/5 A supply, short cable"),
        )
    elif state.slowed_by:
        by = ", ".join(state.slowed_by)
        yield Finding(SUPPLY, "warn", Words(f"gedrosselt: {by}", f"slowed: {by}"), Words("Kühlung", "cooling"))
    else:
        yield Finding(SUPPLY, "ok", Words("keine Unterspannung gemeldet", "no under-voltage reported"))


def check_login(config: VehicleConfig) -> Iterator[Finding]:
    """Whether the broker lets this vehicle in."""
    settings = broker_settings(config)
    try:
        check_broker(settings)
    except WegewartError as error:
        yield Finding(
            BROKER,
            "bad",
            Words(str(error), str(error)),
            Words("Netz, Adresse, Kennwort oder Zertifikat prüfen", "check network, address, password or certificate"),
        )
        return
    yield Finding(BROKER, "ok", Words(f"{settings.address}: angemeldet", f"{settings.address}: logged in"))


def ask_systemd() -> str | None:
    """`active`, `failed`, ...; None without systemd."""
    try:
        done = subprocess.run(_SYSTEMCTL, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603 - fixed
    except (OSError, subprocess.TimeoutExpired):
        return None
    state = done.stdout.strip()
    return state if re.fullmatch("[a-z]+", state) else None


def check_service(ask: Callable[[], str | None] = ask_systemd) -> Iterator[Finding]:
    """Whether the daemon runs."""
    state = ask()
    if state in ("active", "activating", "reloading"):
        yield Finding(SERVICE, "ok", Words(f"läuft ({state})", f"runs ({state})"))
    elif state == "failed":
        yield Finding(
            SERVICE,
            "bad",
            Words("ist gescheitert", "has failed"),
            Words("letzte Zeile: journalctl -u wegewart-edge -n 20", "last line: journalctl -u wegewart-edge -n 20"),
        )
    else:
        yield Finding(SERVICE, "skip", Words("läuft nicht", "does not run"))
