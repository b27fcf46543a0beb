# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How the road feels: from the body's vertical acceleration to sections and shocks.

The rule "wegewart-roughness-1":

1. The vertical acceleration is taken at 60 samples a second or more (better 100), and filtered to 0.5 to 30 Hz
   (Butterworth, second order at each end): gravity, slopes and braking fall out, the body's bounce (1 to 2 Hz) and the
   wheels' own motion (10 to 15 Hz) stay.
2. Each sample is brought to 50 km/h: times (50 km/h / speed)^0.5.
3. The RMS over the way (not over time) of ten metres is the section's figure. A section that was interrupted, by a gap,
   by less than 15 km/h, by a sensor that is stuck or lies on its side, has none.
4. A blow is a peak of the acceleration between 4 and 30 Hz above 1.5 m/s2 and above 4.5 times the RMS of the two
   seconds before; 3.5 times is enough where a second blow follows a wheelbase later. Both axles' blows are one shock.
5. A shock within the path of a wheel over a pothole that the camera saw confirms it. Any other is told as felt and not
   seen: manholes, joints and speed bumps shake a vehicle too, so a shock is never a defect on its own.

The figure depends on the vehicle, its load and tyres: compare a vehicle with itself. It is no evenness index (IRI,
ZEB).
"""
