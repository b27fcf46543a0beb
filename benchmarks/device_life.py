# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How long a device takes from power on to work, from an update to its confirmation, and back from a bad one.

By SSH: from `scripts/update-vehicle HOST` (its Python is there) until it says that the release runs and is healthy.

    sudo python -m benchmarks.device_life

In a container with its own systemd, as tests/life_of_a_device: real releases, daemon, broker. `window_s` of the trial,
how long a release must be well, is 5 s here and part of the figures; delivered are 600 s. Needs root and the package
index. The last line is JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path

from edge.simulator import simulate
from tests.life_of_a_device.life import Life, begun
from tests.life_of_a_device.test_life import CRASH


def main() -> None:
    """Print seconds by chapter and bytes by stick."""
    if os.geteuid() != 0:
        sys.exit("device_life: a container with its own systemd needs root")
    with tempfile.TemporaryDirectory(prefix="wegewart-life-") as name:
        drive = Path(name) / "small"
        simulate(drive, seed=3, km=0.08, scene="street")
        # What the workshop's programs say would hide the figures.
        with contextlib.redirect_stdout(io.StringIO()), begun(Path(name), drive) as life:
            sizes = _live(life)
    for what, seconds in life.seconds.items():
        print(f"{what}: {seconds:.0f} s")
    for what, size in sizes.items():
        print(f"{what}: {size / 1e6:.2f} MB")
    print(json.dumps({"seconds": {key: round(value, 1) for key, value in life.seconds.items()}, "bytes": sizes}))


def _live(life: Life) -> dict[str, int]:
    """Live through it; the sizes of what travelled."""
    desk, first = life.desk, life.first
    with life.timed("power on to at work, two boots"):
        life.is_born()
    model = desk.release(desk.model("2026.11.1"), app_of=first)
    life.vehicle.wait_parked()
    with life.timed("model from a stick, until the depot knows that it is confirmed"):
        life.takes_from_a_stick(model, base=first)
    desk.change("edge/__init__.py", '__version__ = "0.1.0"', '__version__ = "0.1.1"')
    app = desk.release(desk.model("2026.11.2"))
    life.vehicle.wait_parked()
    with life.timed("software from a stick, until the depot knows that it is confirmed"):
        life.takes_from_a_stick(app, base=model)
    sent = desk.release(desk.model("2026.11.3"), app_of=app)
    life.seconds["model by SSH, until it is healthy"] = life.takes_over_ssh(sent, base=app)
    desk.change("edge/__init__.py", '__version__ = "0.1.1"', '__version__ = "0.1.2"')
    same = desk.release(desk.folder / "models" / "2026.11.3")
    life.seconds["software by SSH, until it is healthy"] = life.takes_over_ssh(same, base=sent)
    desk.change("edge/cli_drive.py", *CRASH)
    bad = desk.release(desk.street)
    life.vehicle.wait_parked()
    with life.timed("software that crashes at start, until the last good one is at work again"):
        life.refuses(bad, same)
    return {
        "first release": desk.stick_bytes(first),
        "model alone": desk.stick_bytes(model),
        "software and model": desk.stick_bytes(app),
        "model alone, by SSH": desk.stick_bytes(sent),
        "software alone, by SSH": desk.stick_bytes(same),
    }


if __name__ == "__main__":
    main()
