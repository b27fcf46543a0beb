# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Lets new software judge stored pictures with known answers, without the rights, time and memory to do harm."""

from __future__ import annotations

import json
import os
import pwd
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from edge.update.refusal import RefusedError

USER = "wegewart"


@dataclass(frozen=True)
class SelfTest:
    """`config`: the vehicle's file, which the new software must be able to read.

    `limit_s`: by the clock; a Raspberry Pi 4 needs about a minute. `most_bytes`: of memory that it writes to.
    """

    config: Path
    limit_s: float = 600.0
    most_bytes: int = 1536 * 2**20

    def __call__(self, release: Path) -> None:
        """Run `wegewart-edge selftest` of the release in this folder.

        Raises:
            RefusedError: it misses something, fails, or takes too long.
        """
        command = [str(release / "bin" / "wegewart-edge"), "selftest", "--models", str(release / "models"), "--json"]
        if self.config.exists():
            command += ["--config", str(self.config)]
        try:
            done = subprocess.run(  # noqa: S603 - verified and built by us
                command,
                capture_output=True,
                timeout=self.limit_s,
                check=False,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=self._confine,
                **_somebody(),
            )
        except subprocess.TimeoutExpired:
            raise RefusedError(f"selftest: took longer than {self.limit_s:.0f} s", for_good=True) from None
        except OSError as error:
            raise RefusedError(f"selftest: {release}: the program does not start: {error.strerror}") from None
        if done.returncode:
            raise RefusedError(f"selftest: {_reason(done)}", for_good=True)

    def _confine(self) -> None:
        cpu_s = int(self.limit_s) * 4
        for kind, most in (
            (resource.RLIMIT_DATA, self.most_bytes),
            (resource.RLIMIT_CPU, cpu_s),
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.getrlimit(kind)[1]
            value = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (value, value))
        os.nice(5)


class _Somebody(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _somebody() -> _Somebody:
    """Root lets the daemon's user run it; others themselves."""
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    try:
        said = json.loads(done.stdout.splitlines()[-1])
        return str(said["reason"])
    except (IndexError, ValueError, KeyError, TypeError):
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        how = f"ended by signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
        return f"{how}: {lines[-1] if lines else 'said nothing'}"
