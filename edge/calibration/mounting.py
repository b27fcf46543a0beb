# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera whose lens is known, put at its place on the vehicle."""

from __future__ import annotations

from edge.geometry import Calibration
from edge.lens import Intrinsics


def mounted(
    intrinsics: Intrinsics,
    name: str,
    *,
    angles_deg: tuple[float, float, float],
    errors_deg: tuple[float, float, float],
    height_m: tuple[float, float],
    place_m: tuple[float, float],
    pitch_error_deg: float = 0.3,
) -> Calibration:
    """A lens at its place; angles are pitch, roll, yaw; the height comes with its error."""
    lens = intrinsics.lens
    return Calibration(
        id=name,
        width=intrinsics.width,
        height=intrinsics.height,
        fx=intrinsics.fx,
        fy=intrinsics.fy,
        cx=intrinsics.cx,
        cy=intrinsics.cy,
        height_m=round(height_m[0], 4),
        pitch_deg=round(angles_deg[0], 4),
        roll_deg=round(angles_deg[1], 4),
        yaw_deg=round(angles_deg[2], 4),
        forward_m=round(place_m[0], 4),
        left_m=round(place_m[1], 4),
        pitch_error_deg=round(pitch_error_deg, 4),
        k1=lens.k1,
        k2=lens.k2,
        p1=lens.p1,
        p2=lens.p2,
        k3=lens.k3,
        mount_pitch_error_deg=round(errors_deg[0], 4),
        mount_roll_error_deg=round(errors_deg[1], 4),
        mount_yaw_error_deg=round(errors_deg[2], 4),
        height_error_m=round(height_m[1], 4),
        focal_error_share=intrinsics.focal_error_share,
        reprojection_px=intrinsics.reprojection_px,
    )
