# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`scripts/check-firmware-config [DIR]`: every file that is put on a device, read by the program that reads it there.

Liest jede Datei, die auf ein Gerät kommt, mit dem Programm, das sie dort liest. Ohne DIR: firmware_config/.

Exit codes: 0 all good, 1 something is to be mended (one line each: file, line, why, what to do), 3 nothing found, but a
program is missing that could have found something; with CI=true that counts as 1.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from workshop.firmware import config_txt, own
from workshop.firmware.findings import Report
from workshop.firmware.programs import Programs, RealPrograms
from workshop.firmware.real import Real

PROJECT = Path(__file__).resolve().parents[2]
#: Text that no program reads as it lies there.
#: os_update/ is the layout of another system with tests of its own; only its scripts are read here.
_PASSED_OVER = ("*.md", "*/.gitignore", "*__pycache__*", "*.license")


def check(folder: Path, programs: Programs, *, units: Path = PROJECT / "systemd") -> Report:
    """Check a folder with boards, or one board's. `units`: the project's own, which belong to every board.

    Raises:
        OSError: the folder cannot be read.
    """
    report = Report()
    boards = [folder] if _is_board(folder) else [one for one in sorted(folder.iterdir()) if _is_board(one)]
    for board in boards:
        _board(board, Real(programs, report), report, units)
    others = [
        one for one in sorted(folder.rglob("*")) if one.is_file() and not any(one.is_relative_to(b) for b in boards)
    ]
    for path in others:
        _script(path, Real(programs, report))
    if not boards:
        report.add(folder, 0, "no board in it (a folder with etc/ or boot/)", "name firmware_config/ or a board in it")
    return report


def _is_board(folder: Path) -> bool:
    return (folder / "etc").is_dir() or (folder / "boot").is_dir()


def _board(board: Path, real: Real, report: Report, units: Path) -> None:
    unit_files: list[Path] = []
    for path in sorted(board.rglob("*")):
        place = path.relative_to(board).as_posix()
        if not path.is_file() or any(fnmatch.fnmatch(place, one) for one in _PASSED_OVER):
            continue
        if place.startswith("etc/systemd/system/"):
            unit_files.append(path)
        elif not _script(path, real) and place.split("/")[0] in ("etc", "usr", "boot", "packages"):
            _file(path, place, real, report)
    if unit_files:
        project = [one for one in sorted(units.glob("wegewart-*.*")) if "depot" not in one.name]
        real.units(board / "etc/systemd/system", unit_files, project)


def _script(path: Path, real: Real) -> bool:
    with path.open("rb") as file:
        first = file.readline().decode("utf-8", "replace")
    is_script = first.startswith("#!") and ("python" in first or first.rstrip().endswith(("/sh", "/bash")))
    if is_script:
        real.script(path, first)
    return is_script


def _file(path: Path, place: str, real: Real, report: Report) -> None:
    """By its place on the device; a file that nothing checks is a finding."""
    text = path.read_text(encoding="utf-8")
    match place.split("/"):
        case ["boot", "firmware", "config.txt"]:
            report.findings += config_txt.check(path, text)
        case ["boot", "firmware", "cmdline_add.txt"]:
            own.cmdline(path, text, report)
        case ["packages"]:
            own.packages(path, text, report)
        case ["etc", "nftables.conf"]:
            real.nftables(path)
        case ["etc", "chrony", "chrony.conf"]:
            real.chrony(path)
        case ["etc", "default", "chrony"]:
            real.chrony_options(path)
        case ["etc", "default", "gpsd"]:
            real.gpsd(path)
        case ["etc", "udev", "rules.d", _]:
            own.udev(path, text, report)
            real.udev(path)
        case ["etc", "NetworkManager", "conf.d", _]:
            real.network_manager(path)
        case [*_, name] if name.endswith(".nmconnection"):
            real.keyfile(path)
        case ["etc", "ssh", "sshd_config.d", _]:
            real.sshd(path)
        case ["etc", "apt", "apt.conf.d", _]:
            real.apt(path)
            own.upgrades(path, text, report)
        case ["etc", "systemd", "system-preset", _]:
            own.preset(path, text, report)
        case [*_, name] if name.endswith(".fstab"):
            real.fstab(path)
            own.fstab(path, text, report)
        case _ if any(f"{name}/" in place for name in own.INI):
            own.ini(path, text, report)
        case _:
            report.add(path, 0, "nothing checks this kind of file", "add its check in workshop/firmware/check.py")


def main(arguments: Sequence[str] | None = None, *, programs: Programs | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/check-firmware-config",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", type=Path, default=PROJECT / "firmware_config", metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        report = check(options.folder, programs or RealPrograms())
    except (OSError, UnicodeDecodeError) as error:
        print(f"check-firmware-config: {error}", file=sys.stderr)
        return 1
    for line in [*sorted(set(report.findings)), *sorted(set(report.missing))]:
        print(line)
    if report.findings or (report.missing and os.environ.get("CI", "").lower() == "true"):
        return 1
    return 3 if report.missing else 0


if __name__ == "__main__":
    sys.exit(main())
