# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Files for which no program has a check that can be run off the device: their shape, and the keys that exist.

The keys are those of the manual pages of systemd 252, NetworkManager 1.42, unattended-upgrades 2.9 and rpi-swap.
"""

from __future__ import annotations

import re
from pathlib import Path

from workshop.firmware.findings import Report, nearest


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: File's folder or name -> section -> keys.
INI: dict[str, dict[str, frozenset[str]]] = {
    "journald.conf.d": {
        "Journal": _keys(
            "Storage Compress Seal SplitMode SyncIntervalSec RateLimitIntervalSec RateLimitBurst "
            "SystemMaxUse SystemKeepFree SystemMaxFileSize SystemMaxFiles RuntimeMaxUse RuntimeKeepFree "
            "RuntimeMaxFileSize RuntimeMaxFiles MaxRetentionSec MaxFileSec ForwardToSyslog ForwardToKMsg "
            "ForwardToConsole ForwardToWall TTYPath MaxLevelStore MaxLevelSyslog MaxLevelKMsg "
            "MaxLevelConsole MaxLevelWall LineMax ReadKMsg Audit"
        )
    },
    "logind.conf.d": {
        "Login": _keys(
            "KillUserProcesses KillOnlyUsers KillExcludeUsers IdleAction IdleActionSec HandlePowerKey "
            "HandlePowerKeyLongPress HandleSuspendKey HandleHibernateKey HandleLidSwitch HandleRebootKey "
            "PowerKeyIgnoreInhibited InhibitDelayMaxSec RemoveIPC NAutoVTs ReserveVT UserStopDelaySec"
        )
    },
    "system.conf.d": {
        "Manager": _keys(
            "RuntimeWatchdogSec RuntimeWatchdogPreSec RebootWatchdogSec ShutdownWatchdogSec KExecWatchdogSec "
            "WatchdogDevice DefaultTimeoutStartSec DefaultTimeoutStopSec DefaultLimitCORE CrashReboot "
            "LogLevel LogTarget"
        )
    },
    "systemd/network": {
        "Match": frozenset(["Name", "MACAddress", "Type", "Driver", "Path"]),
        "CAN": _keys(
            "BitRate SamplePoint DataBitRate DataSamplePoint FDMode FDNonISO RestartSec Termination "
            "TripleSampling BusErrorReporting ListenOnly Loopback OneShot PresumeAck ClassicDataLengthCode"
        ),
    },
    "rpi/swap.conf.d": {
        "Main": frozenset({"Mechanism"}),
        "File": frozenset({"Path", "RamMultiplier", "MaxSizeMiB", "MaxDiskPercent", "FixedSizeMiB"}),
        "Zram": _keys("RamMultiplier MaxSizeMiB FixedSizeMiB WritebackTrigger WritebackPeriodicInterval"),
    },
}

UPGRADE_KEYS = _keys(
    "Origins-Pattern Allowed-Origins Package-Blacklist Package-Whitelist AutoFixInterruptedDpkg "
    "MinimalSteps InstallOnShutdown Mail MailReport Remove-Unused-Kernel-Packages Remove-New-Unused- "
    "Dependencies Remove-Unused-Dependencies Automatic-Reboot Automatic-Reboot-Time Automatic- "
    "Reboot-WithUsers SyslogEnable SyslogFacility OnlyOnACPower Skip-Updates-On-Metered-Connections "
    "Verbose Debug DevRelease"
)

_UDEV_PART = r'[A-Z]+(\{[^}]+\})?(==|!=|\+=|-=|:=|=)"[^"]*"'
_UDEV_KEYS = _keys(
    "ACTION DEVPATH KERNEL KERNELS NAME SYMLINK SUBSYSTEM SUBSYSTEMS DRIVER DRIVERS ATTR ATTRS "
    "SYSCTL ENV TAG TAGS TEST PROGRAM RESULT OWNER GROUP MODE SECLABEL RUN LABEL GOTO IMPORT OPTIONS "
    "CONST"
)


def ini(path: Path, text: str, report: Report) -> None:
    """A file of sections and keys; which ones follows from its folder."""
    known = next((sections for name, sections in INI.items() if name in path.as_posix()), {})
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(("#", ";")):
            continue
        heading = re.fullmatch(r"\[(\w+)\]", line)
        key, equals, _ = line.partition("=")
        if heading is not None:
            section = heading[1]
            if section not in known:
                report.add(path, number, f"section [{section}] is not known", nearest(section, known))
        elif not equals:
            report.add(path, number, "not of the form Key=value", "write it so, or put a # before it")
        elif section in known and key.strip() not in known[section]:
            report.add(path, number, f"{key.strip()!r} is not known in [{section}]", nearest(key, known[section]))


def udev(path: Path, text: str, report: Report) -> None:
    """One rule a line, each part key, operator, quoted value."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if not re.fullmatch(rf"{_UDEV_PART}(,\s*{_UDEV_PART})*", line):
            report.add(path, number, 'not a list of KEY=="value" parts', "look for a missing quote, comma or second =")
            continue
        for key in re.findall(r"(?:^|,\s*)([A-Z]+)(?:\{[^}]+\})?[=!+:-]", line):
            if key not in _UDEV_KEYS:
                report.add(path, number, f"udev has no key {key!r}", nearest(key, _UDEV_KEYS))


def preset(path: Path, text: str, report: Report) -> None:
    """What is switched on or off."""
    for number, line in _lines(text):
        if not re.fullmatch(r"(enable|disable|ignore) [\w@.:*-]+", line):
            report.add(path, number, f"{line!r} is no preset", "write: enable UNIT, or: disable UNIT")


def packages(path: Path, text: str, report: Report) -> None:
    """Debian packages, one a line."""
    for number, line in _lines(text):
        if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", line):
            report.add(path, number, f"{line!r} is no name of a package", "write one a line, comments behind a #")


def cmdline(path: Path, text: str, report: Report) -> None:
    """Words for the kernel."""
    known = ("cgroup_enable", "cgroup_memory", "fsck.repair", "init", "systemd.volatile", "quiet", "panic", "watchdog")
    for number, line in _lines(text):
        for word in line.split():
            key = word.partition("=")[0]
            if not re.fullmatch(r"[a-z][a-z0-9_.-]*(=\S+)?", word) or key not in known:
                report.add(path, number, f"{word!r} is no word that we give the kernel", nearest(key, known))


def fstab(path: Path, text: str, report: Report) -> None:
    """Six fields; what lies on the data partition is mounted at its own place."""
    options = sorted(
        _keys(
            "noatime nodev nosuid noexec nofail errors=remount-ro bind ro rw defaults commit=5 "
            "x-systemd.device-timeout=30s"
        )
    )
    for number, line in _lines(text):
        fields = line.split()
        if len(fields) != 6:
            report.add(path, number, f"{len(fields)} fields, not 6", "write: what, where, type, options, 0, 0 or 2")
            continue
        if "bind" in fields[3].split(",") and fields[0] != f"/data{fields[1]}":
            report.add(path, number, f"{fields[0]} is not the data partition's {fields[1]}", f"write /data{fields[1]}")
        for option in fields[3].split(","):
            if option not in options:
                report.add(path, number, f"mount option {option!r} is not known", nearest(option, options))


def upgrades(path: Path, text: str, report: Report) -> None:
    """Apt takes any key, unattended-upgrade passes over what it does not know."""
    for number, line in enumerate(text.splitlines(), 1):
        for key in re.findall(r"^Unattended-Upgrade::([\w-]+)", line):
            if key not in UPGRADE_KEYS:
                report.add(path, number, f"unattended-upgrade has no key {key!r}", nearest(key, UPGRADE_KEYS))


def _lines(text: str) -> list[tuple[int, str]]:
    numbered = enumerate(text.splitlines(), 1)
    return [(number, line) for number, line in numbered if line.strip() and not line.startswith("#")]
