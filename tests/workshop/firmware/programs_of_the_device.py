# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The device's own programs as modules: they have no .py at their end, and lie where the device has them."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from unittest import mock

FIRMWARE = Path(__file__).parents[3] / "firmware_config"
PI = FIRMWARE / "raspberry_pi"


def load(path: Path) -> ModuleType:
    """Import a program; nothing is left beside it."""
    name = f"device_{path.name.replace('-', '_')}"
    loader = SourceFileLoader(name, str(path))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there
    with mock.patch.object(sys, "dont_write_bytecode", new=True):
        loader.exec_module(module)
    return module
