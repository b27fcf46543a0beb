# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A certificate authority for one test, by openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.servers import need


def certificates(folder: Path, names: Mapping[str, str]) -> Path:
    """`ca.pem`, and for each file name and common name in `names` a `NAME.pem` with its `NAME.key`."""
    openssl = need("openssl")
    folder.mkdir(parents=True, exist_ok=True)

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], check=True, capture_output=True, cwd=folder)

    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout")
    run(*new, "ca.key", "-x509", "-out", "ca.pem", "-subj", "/CN=test CA", "-days", "2")
    (folder / "ext").write_text("subjectAltName = DNS:localhost, IP:127.0.0.1\n")
    for name, subject in names.items():
        run(*new, f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}")
        signed = ("x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext")
        run(*signed, "-in", f"{name}.csr", "-out", f"{name}.pem", "-days", "2")
    return folder
