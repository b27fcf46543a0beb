# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole life of a device: flashed, started, updated, spoilt and healed by itself, stolen.

Real: scripts/provision, scripts/release and scripts/flash, firstboot, systemd with the delivered units, python-tuf,
wheels from the index, Mosquitto with certificates and the delivered access list, ONNX Runtime. Played: cloud-init (its
last command is given), Debian's packages (none is missing), the camera and its drive, the depot that listens.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.life_of_a_device.life import begun
from tests.workshop.release.test_building import index_answers

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="systemd is a matter of Linux"),
    pytest.mark.timeout(1800),
    # paho leaves the socket of a failed handshake to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: Versions of the software that pass their self-test and are no good: what stands there, and what comes instead.
CRASH = ("    config = load_config(options.config)\n    keep(", "    raise RuntimeError\n    keep(")
#: Nothing is looked at, and a first frame is waited for in vain.
IDLE = ("        self.by_distance = pose.speed_mps is not None\n", "        return False\n")

#: On top of that: it says READY, to systemd too, and sends its heartbeats.
CLAIMS = (
    ("edge/pulse.py", "ready=self._looked > 0,", "ready=True,"),
    (
        "edge/daemon.py",
        "            if looked:\n                # Also",
        '            liveness.ready("blind")\n            if looked:\n                # Also',
    ),
)


def test_the_whole_life_of_a_device(tmp_path: Path, small_drive: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a container with its own systemd needs root")
    index_answers(tmp_path)
    with begun(tmp_path, small_drive) as life:
        life.is_born()
        life.is_fit()

        model = life.desk.release(life.desk.model("2026.11.1"), app_of=life.first)
        life.takes_over_ssh(model, base=life.first)

        life.desk.change("edge/__init__.py", '__version__ = "0.1.0"', '__version__ = "0.1.1"')
        app = life.desk.release(life.desk.model("2026.11.2"))
        life.takes_from_the_depot(app)

        blind = life.desk.release(life.desk.model("2026.11.3", thresholds=0.99), app_of=app)
        assert "was not found" in life.refuses(blind, app)

        life.desk.change("edge/cli_drive.py", *CRASH)
        assert "it ended 3 times" in life.goes_back(life.desk.release(life.desk.street), app)
        life.desk.undo()

        life.desk.change("edge/sampling/sampler.py", *IDLE)
        life.vehicle.configure("start_s", 15)
        assert "did not look at a first frame" in life.refuses(life.desk.release(life.desk.street), app)

        for name, old, new in CLAIMS:
            life.desk.change(name, old, new)
        blind = life.desk.release(life.desk.street)
        assert "m and it looked at nothing" in life.gives_back_on_the_road(blind, app)

        life.is_stolen()
