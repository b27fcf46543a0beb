# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A test drive that anyone can make: a street and a tunnel, drawn from a seed, with the truth about every defect.

    simulate(Path("drive"), seed=7, km=1.0)

The folder: `frames/NNNNNN.jpg`; `frames.csv` (frame, t_s); `track.csv` (t_s, lat, lon, heading_deg, speed_mps, error_m,
utc; no row in the tunnel); `odometry.csv` (t_s, distance_m, yaw_rate_dps, clockwise); `calibration.toml` (the fields of
`edge.geometry.Calibration`); `instances.json` (COCO boxes on the road); `truth.json` (see `edge.simulator.truth`),
written last. `t_s` counts from the drive's start in all of them.

It measures geometry and de-duplication and is the demonstration's drive. It is no substitute for real pictures
wherever a detection score is claimed. Roads, plates and people are made up; coordinates lie around Duisburg.
"""

from edge.simulator.drive import Again, DriveSummary, default_camera, simulate
from edge.simulator.sensors import Day

__all__ = ["Again", "Day", "DriveSummary", "default_camera", "simulate"]
