# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""TOML files to frozen, checked structs, the same way for vehicle, depot and calibration files.

A settings type is a `msgspec.Struct` with `forbid_unknown_fields`; description and bounds of a key stand in
its `Annotated[..., Meta(...)]`. Knows nobody in the project.
"""

from settings.explain import explain
from settings.toml_file import SettingsError, load, parse, read_tables

__all__ = ["SettingsError", "explain", "load", "parse", "read_tables"]
