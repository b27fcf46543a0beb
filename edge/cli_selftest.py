# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-edge selftest`: what the updater asks of new software before it is switched to."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("selftest", help="judge stored pictures with known answers; opens no camera")
    parser.add_argument("--models", type=Path, metavar="DIR", help="folder of model packages (default: as delivered)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the vehicle's configuration, read too")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.set_defaults(command=_selftest)


def _selftest(options: argparse.Namespace) -> int:
    from edge.assembly import MODELS  # noqa: PLC0415 - numpy is slow to import, --help should not be
    from edge.errors import WegewartError  # noqa: PLC0415
    from edge.selftest import selftest  # noqa: PLC0415

    try:
        judged = selftest(options.models or MODELS, options.config)
    except WegewartError as error:
        if not options.json:
            raise
        print(json.dumps({"ok": False, "reason": str(error)}))
        return error.exit_code
    if options.json:
        models = [{"name": one.name, "version": one.version, "pictures": one.pictures} for one in judged]
        print(json.dumps({"ok": True, "models": models}))
    else:
        for one in judged:
            print(f"{one.name} {one.version}: {one.pictures} pictures judged rightly in {one.took_s:.1f} s")
    return 0
