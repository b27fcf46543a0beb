# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What scripts/flash tells cloud-init to do at every boot, under the real systemd: it waits for cloud-init's end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from tests.servers import wait_until
from tests.system.container import container
from tests.workshop.flash import making
from workshop.flash.cloud import user_data
from workshop.flash.site import load_site

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="systemd"),
]


def test_at_every_boot_it_is_begun_again_when_cloud_init_has_ended(tmp_path: Path) -> None:
    # Red without the property After=.
    text = user_data(load_site(making.site(tmp_path)), "wagen-7", firstboot=["/opt/firstboot"], lte=None)
    (begin,) = yaml.safe_load(text)["bootcmd"]
    with container(tmp_path / "computer") as made:
        # With all that cloud-init's own units say of when they run.
        made.put("/opt/firstboot", "#!/bin/sh\necho begun $(systemctl is-active cloud-final)\n").chmod(0o755)
        made.put("/opt/bootcmd", f"#!/bin/sh\nexec {' '.join(begin)}\n").chmod(0o755)
        made.put(
            "/etc/systemd/system/cloud-init.service",
            "[Unit]\nDefaultDependencies=no\nAfter=systemd-remount-fs.service\nBefore=sysinit.target\n"
            "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/opt/bootcmd\n[Install]\nWantedBy=multi-user.target\n",
        )
        made.put(
            "/etc/systemd/system/cloud-final.service",
            "[Unit]\nAfter=cloud-init.service network-online.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
            "ExecStart=/bin/sleep 2\n[Install]\nWantedBy=multi-user.target\n",
        )
        for unit in ("cloud-init.service", "cloud-final.service"):
            made.enable(unit)
        made.boot()
        wait_until(lambda: made.journal("wegewart-begin.service"), what="the beginning")
        made.run("systemctl", "reboot")
        made.wait_reboot(60)
        said = made.journal("wegewart-begin.service")
        wait_until(lambda: said or made.journal("wegewart-begin.service"), what="the beginning after a boot")
        assert set(made.journal("wegewart-begin.service")) == {"begun active"}
