# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What cloud-init reads on the first boot (data source NoCloud): user-data, meta-data, network-config. Pure.

They are written as JSON, which every YAML reader takes: no name, quote or line break can become anything but a value.
"""

from __future__ import annotations

import json
import re
from typing import Any

from workshop.flash.site import Ethernet, Lte, Site, Wifi
from workshop.flash.words import refuse

#: Where the boot partition lies on a running device.
BOOT = "/boot/firmware"
LTE_FILE = "/etc/NetworkManager/system-connections/wegewart-lte.nmconnection"
#: Characters that YAML takes for line breaks, or does not allow, where JSON allows them.
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def yaml(value: Any) -> str:
    """Any JSON value as text that a YAML reader gives back exactly."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def user_data(
    site: Site,
    vehicle: str,
    *,
    firstboot: list[str],
    lte: str | None,
) -> str:
    """Host name, user, mobile profile, and the start of `firstboot`. `lte`: text of its profile.

    Packages are not cloud-init's: firstboot installs them when it has made room, and tries again without a network.
    """
    data: dict[str, Any] = {
        "hostname": vehicle,
        "manage_etc_hosts": True,
        "timezone": site.timezone,
        "ssh_pwauth": False,
        "disable_root": True,
        "users": [
            {
                "name": site.user,
                "groups": ["adm", "dialout", "sudo", "video"],
                "shell": "/bin/bash",
                "lock_passwd": True,
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "ssh_authorized_keys": site.ssh_keys,
            }
        ],
        # The root stays as small as the image has it: firstboot grows it, and makes the data partition behind it.
        "growpart": {"mode": "off"},
        "resize_rootfs": False,
    }
    if lte is not None:
        data["write_files"] = [{"path": LTE_FILE, "owner": "root:root", "permissions": "0600", "content": lte}]
    # Raspberry Pi OS comes with SSH switched off.
    commands = [["systemctl", "enable", "--now", "ssh"]]
    if lte is not None:
        commands.append(["nmcli", "connection", "reload"])
    mounting = []
    if site.board == "jetson_orin_nano":
        mounting = [["mkdir", "-p", BOOT], ["mount", f"LABEL={CIDATA}", BOOT]]
    data["runcmd"] = [*commands, *mounting, firstboot]
    # Of runcmd cloud-init notes that it was run before it runs it: after a cut in it, this is what begins again.
    later = ("systemd-run", "--no-block", "--collect", "--unit=wegewart-begin", "--property=After=cloud-final.service")
    data["bootcmd"] = [*mounting, [*later, *firstboot]]
    return "#cloud-config\n" + yaml(data)


#: The volume name by which cloud-init finds its files on a board whose boot partition is not known to it.
CIDATA = "CIDATA"


def meta_data(vehicle: str, instance_id: str) -> str:
    """A new instance id: cloud-init sets up everything again."""
    return yaml({"instance-id": instance_id, "local-hostname": vehicle, "dsmode": "local"})


def network_config(site: Site, wifi_key: str | None) -> str:
    """The cable and the workshop's Wi-Fi. Both optional: a boot must not wait for them on the road."""
    network: dict[str, Any] = {"version": 2, "ethernets": _ethernets(site)}
    if site.wifi is not None:
        network["wifis"] = {"wlan0": _wifi(site.wifi, wifi_key)}
    return yaml({"network": network})


def _ethernets(site: Site) -> dict[str, Any]:
    wired = _wired(site.ethernet)
    # The Jetson's port is named by its place (enP8p1s0).
    return {"eth0": wired} if site.board == "raspberry_pi" else {"wired": {"match": {"name": "en*"}, **wired}}


def _wired(ethernet: Ethernet) -> dict[str, Any]:
    if ethernet.address is None:
        return {"dhcp4": True, "optional": True}
    return {"dhcp4": False, "addresses": [ethernet.address], "optional": True}


def _wifi(wifi: Wifi, key: str | None) -> dict[str, Any]:
    point: dict[str, Any] = {"hidden": True} if wifi.hidden else {}
    if key is not None:
        point["password"] = key
    return {
        "dhcp4": True,
        "optional": True,
        "regulatory-domain": wifi.country,
        "access-points": {wifi.ssid: point},
    }


def lte_profile(lte: Lte, *, password: str | None, pin: str | None, uuid: str) -> str:
    """A NetworkManager keyfile.

    Raises:
        FlashError: the PIN is none.
    """
    if pin is not None and not re.fullmatch(r"[0-9]{4,8}", pin):
        refuse(f"{lte.pin_file}: eine PIN hat 4 bis 8 Ziffern", f"{lte.pin_file}: a PIN has 4 to 8 digits")
    gsm = {
        "apn": lte.apn,
        "username": lte.user,
        "password": password,
        "pin": pin,
        "home-only": None if lte.roaming else "true",
    }
    lines = [
        "[connection]",
        "id=wegewart-lte",
        f"uuid={uuid}",
        "type=gsm",
        "metered=1",
        # 0: tries for ever. A tunnel must not end it.
        "autoconnect-retries=0",
        "",
        "[gsm]",
        *(f"{key}={_keyfile(value)}" for key, value in gsm.items() if value is not None),
        "",
        "[ipv4]",
        "method=auto",
        # Behind the cable and Wi-Fi.
        "route-metric=1000",
        "",
        "[ipv6]",
        "method=auto",
        "route-metric=1000",
        "",
    ]
    return "\n".join(lines)


def _keyfile(value: str) -> str:
    """A value as GLib's key files want it: backslashes doubled, blanks at its ends written out."""
    escaped = value.replace("\\", "\\\\").replace("\t", "\\t")
    begin = len(escaped) - len(escaped.lstrip(" "))
    return "\\s" * begin + escaped[begin:]
