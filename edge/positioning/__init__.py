# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle is: sources of fixes and odometry, and the estimate of the pose at a frame's time."""
