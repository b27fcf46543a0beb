# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Files that the very program which reads them on the device checks here."""

from __future__ import annotations

import configparser
import os
import re
import socket
import subprocess
import tempfile
from pathlib import Path

from workshop.firmware.findings import Missing, Report
from workshop.firmware.programs import Programs

#: systemd 254 learned these lines; an older one does without, and says so.
_NEW_LINES = re.compile(r"(?m)^(RestartSteps|RestartMaxDelaySec)=.*$")
#: gpsd says what it does not like at once, in seconds.
_RUNS_S = 0.5


class Real:
    """One run over a folder: the programs, and where findings go."""

    def __init__(self, programs: Programs, report: Report) -> None:
        self._programs = programs
        self._report = report

    def _find(self, path: Path, name: str, package: str) -> str | None:
        found = self._programs.find(name)
        if found is None:
            self._report.missing.append(Missing(path, name, f"sudo apt install {package}"))
        return found

    def _all(self, path: Path, text: str, pattern: str, to_do: str) -> int:
        """Take every line of a program's words that names a line of the file; how many there were."""
        found = list(re.finditer(pattern, text))
        for one in found:
            self._report.add(path, int(one["line"]), one["why"].strip(), to_do)
        return len(found)

    def nftables(self, path: Path) -> None:
        """`nft --check`, as a normal user within a network of its own."""
        program = self._find(path, "nft", "nftables")
        if program is None:
            return
        command = [program, "--check", "--file", str(path)]
        said = self._programs.run(*command)
        if "Operation not permitted" in said.text and (unshare := self._programs.find("unshare")) is not None:
            said = self._programs.run(unshare, "--user", "--map-root-user", "--net", *command)
        if "Operation not permitted" in said.text:
            self._report.missing.append(Missing(path, "the right to check a ruleset", "run it as root"))
        elif said.code and not self._all(path, said.text, r":(?P<line>\d+):[\d-]+: Error: (?P<why>.*)", "see man nft"):
            self._report.add(path, 0, said.text.splitlines()[0], "see man nft")

    def chrony(self, path: Path) -> None:
        """`chronyd -p` reads and prints."""
        program = self._find(path, "chronyd", "chrony")
        if program is None:
            return
        said = self._programs.run(program, "-p", "-f", str(path))
        if said.code:
            pattern = r"(?P<why>(Invalid|Could not|Missing).*) at line (?P<line>\d+)"
            if not self._all(path, said.text, pattern, "see man chrony.conf"):
                self._report.add(path, 0, said.text.splitlines()[-1], "see man chrony.conf")

    def chrony_options(self, path: Path) -> None:
        """Debian's start script: what it hands over must be options that chronyd knows."""
        options = self._shell(path, "DAEMON_OPTS")
        program = options is not None and self._find(path, "chronyd", "chrony")
        if options is not None and program:
            said = self._programs.run(program, *options, "-p", "-f", "/dev/null")
            if said.code:
                self._report.add(
                    path, 0, f"chronyd {' '.join(options)}: {said.text.splitlines()[0]}", "see man chronyd"
                )

    def gpsd(self, path: Path) -> None:
        """Start gpsd with the options, on a pseudo-terminal where a receiver is silent; it must still run then."""
        options = self._shell(path, "GPSD_OPTIONS")
        program = options is not None and self._find(path, "gpsd", "gpsd")
        usb = self._shell(path, "USBAUTO")
        if usb is not None and usb not in (["true"], ["false"]):
            self._report.add(path, 0, f"USBAUTO is {' '.join(usb)!r}", 'write USBAUTO="true"')
        if options is None or not program:
            return
        master, slave = os.openpty()
        try:
            with tempfile.TemporaryDirectory() as folder:
                place = ["-F", f"{folder}/control", "-S", str(_free_port()), os.ttyname(slave)]
                command = [program, "-N", *options, *place]
                went = subprocess.Popen(  # noqa: S603 - a list of ours, no shell
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
                )
                try:
                    out, _ = went.communicate(timeout=_RUNS_S)
                except subprocess.TimeoutExpired:
                    went.kill()
                    went.communicate()
                else:
                    why = next(iter(out.strip().splitlines()), f"exit code {went.returncode}")
                    self._report.add(path, 0, f"gpsd {' '.join(options)} does not run: {why}", "see man gpsd")
        finally:
            os.close(master)
            os.close(slave)

    def _shell(self, path: Path, name: str) -> list[str] | None:
        said = self._programs.run("/bin/sh", "-euc", f'. "$1"; printf "%s\\n" ${name}', "sh", str(path))
        if said.code:
            self._report.add(path, 0, f"not what a shell can read: {said.text}", f'write {name}="..."')
            return None
        return said.out.split()

    def units(self, folder: Path, paths: list[Path], project: list[Path]) -> None:
        """`systemd-analyze verify` of all units of a board together, with the project's own and with their drop-ins."""
        program = self._find(folder, "systemd-analyze", "systemd")
        if program is None:
            return
        version = re.search(r"systemd (\d+)", self._programs.run(program, "--version").out)
        old = version is not None and int(version[1]) < 254
        origin: dict[str, Path] = {}
        with tempfile.TemporaryDirectory() as made:
            for path in [*project, *paths]:
                name = str(path.relative_to(folder)) if path in paths else path.name
                copy = Path(made, name)
                copy.parent.mkdir(exist_ok=True)
                text = path.read_text(encoding="utf-8")
                # The programs are on the device, not here; the numbers of lines stay.
                text = re.sub(r"(?m)^(Exec\w+=)[-+!@]*/(opt|usr/(lib/wegewart|sbin/nvpmodel))\S*", r"\1/bin/true", text)
                copy.write_text(_NEW_LINES.sub("", text) if old else text, encoding="utf-8")
                origin[str(copy)] = path
            units = [place for place in origin if not place.endswith(".conf")]
            said = self._programs.run(program, "verify", "--man=no", "--recursive-errors=no", *units)
            for line in said.text.splitlines():
                self._unit_line(line, made, origin, paths)

    def _unit_line(self, line: str, made: str, origin: dict[str, Path], paths: list[Path]) -> None:
        placed = re.match(rf"({re.escape(made)}\S+?):(?:(\d+):)? (.*)", line)
        named = re.match(r"(wegewart\S+|local-fs\.target): (.*)", line)
        if placed is not None and placed[1] in origin:
            self._report.add(origin[placed[1]], int(placed[2] or 0), placed[3], "see man systemd.directives")
        elif named is not None:
            path = next((one for one in paths if one.name == named[1]), None)
            if path is not None:
                self._report.add(path, 0, named[2], "see man systemd.directives")

    def keyfile(self, path: Path) -> None:
        """Nmcli reads the profile and writes it again: what it has dropped it did not understand."""
        program = self._find(path, "nmcli", "network-manager")
        if program is None:
            return
        text = path.read_text(encoding="utf-8")
        said = self._programs.run(program, "--offline", "connection", "modify", text=text)
        if said.code:
            self._report.add(path, 0, said.err.strip(), "see man nm-settings-keyfile")
            return
        back = _ini(said.out)
        section = ""
        for number, line in enumerate(text.splitlines(), 1):
            heading = re.fullmatch(r"\[([\w.-]+)\]", line)
            section = heading[1] if heading else section
            key, equals, value = line.partition("=")
            default = (section, key, value) in _DEFAULTS
            if equals and not line.startswith("#") and not default and back.get(section, {}).get(key) != value:
                why = f"NetworkManager does not take {line!r} in [{section}]"
                self._report.add(path, number, why, "see man nm-settings-keyfile")

    def network_manager(self, path: Path) -> None:
        """`NetworkManager --print-config` warns of keys that it does not know."""
        program = self._find(path, "NetworkManager", "network-manager")
        if program is None:
            return
        said = self._programs.run(program, "--print-config", f"--config={path}", "--config-dir=/nonexistent")
        if said.code:
            self._report.add(path, 0, said.text.splitlines()[0], "see man NetworkManager.conf")
        lines = path.read_text(encoding="utf-8").splitlines()
        for key, section in re.findall(r"WARNING: unknown key '([^']+)' in section \[([^]]+)\]", said.out):
            number = next((at for at, line in enumerate(lines, 1) if line.startswith(key)), 0)
            self._report.add(path, number, f"unknown key {key!r} in [{section}]", "see man NetworkManager.conf")

    def sshd(self, path: Path) -> None:
        """`sshd -t` with a key made for it."""
        program, keygen = self._find(path, "sshd", "openssh-server"), self._find(path, "ssh-keygen", "openssh-client")
        if program is None or keygen is None:
            return
        with tempfile.TemporaryDirectory() as folder:
            key = f"{folder}/key"
            self._programs.run(keygen, "-q", "-t", "ed25519", "-N", "", "-f", key)
            said = self._programs.run(program, "-t", "-f", str(path), "-h", key)
        self._all(
            path,
            said.text,
            r":? line (?P<line>\d+): (?P<why>(Bad|Directive|unsupp|keyword|[a-z]).*)",
            "see man sshd_config",
        )

    def apt(self, path: Path) -> None:
        """`apt-config dump` reads it."""
        program = self._find(path, "apt-config", "apt")
        if program is None:
            return
        said = self._programs.run(program, f"--config-file={path}", "dump", extra={"APT_CONFIG": "/dev/null"})
        if said.code:
            pattern = r"(?P<why>Syntax error) \S+?:(?P<line>\d+):"
            if not self._all(path, said.err, pattern, "look for a missing ; or quote in the line before"):
                self._report.add(path, 0, said.err.strip(), "see man apt.conf")

    def udev(self, path: Path) -> None:
        """`udevadm verify`, from systemd 254 on; the shape is checked in any case."""
        program = self._programs.find("udevadm")
        if program is None or int(self._programs.run(program, "--version").out.strip() or 0) < 254:
            return
        said = self._programs.run(program, "verify", "--no-summary", str(path))
        self._all(path, said.text, r":(?P<line>\d+):? (?P<why>.*)", "see man udev")

    def script(self, path: Path, first: str) -> None:
        """Shell by shellcheck, Python by its own compiler."""
        if "python" in first:
            try:
                compile(path.read_bytes(), str(path), "exec")
            except SyntaxError as error:
                self._report.add(path, error.lineno or 0, error.msg, "mend it, then run its tests")
            return
        program = self._find(path, "shellcheck", "shellcheck")
        if program is not None:
            said = self._programs.run(program, "--format=gcc", str(path))
            self._all(path, said.out, r":(?P<line>\d+):\d+: (?P<why>.*)", "see the number at shellcheck.net/wiki")

    def fstab(self, path: Path) -> None:
        """`findmnt --verify`; what this computer does not have is not its fault."""
        program = self._find(path, "findmnt", "util-linux")
        if program is not None:
            said = self._programs.run(program, "--verify", "--tab-file", str(path))
            self._all(path, said.text, r"(?P<why>parse error) at line (?P<line>\d+)", "see man fstab")


#: What nmcli leaves out when it writes, because it is so anyway.
_DEFAULTS = {("connection", "autoconnect", "true"), ("ipv6", "method", "auto")}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _ini(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}
