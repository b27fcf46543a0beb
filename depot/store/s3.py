# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures in an S3-compatible store, named as in the folder: `ab/abcd….jpg`.

Such a store answers once it holds the object, all of it or none. What is read is checked against its name.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterator
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from depot.errors import ConfigError, StoreError
from depot.secret_file import first_line
from depot.store.picture_config import S3Config

#: Asked again after 0.2, 0.4, 0.8 ... seconds: every call here may be made twice.
_RETRIES = urllib3.Retry(total=4, backoff_factor=0.2, status_forcelist=[429, 500, 502, 503, 504], allowed_methods=None)
_TIMEOUT = urllib3.Timeout(connect=5, read=30)


class PictureBucket:
    """A bucket of pictures; see `depot.services.Pictures`. Every method may be called from any thread."""

    def __init__(self, s3: S3Config) -> None:
        """Prepare the connection; nothing is asked yet.

        Raises:
            ConfigError: the address or the secret's file is none.
        """
        if s3.endpoint is None or not s3.bucket:
            raise ConfigError("pictures.s3: endpoint and bucket are needed")
        parts = urlsplit(s3.endpoint)
        if parts.path.strip("/") or parts.query:
            raise ConfigError(f"pictures.s3.endpoint: {s3.endpoint} has a path; use pictures.s3.bucket and .prefix")
        secret = (
            None if s3.secret_key_file is None else first_line(s3.secret_key_file, key="pictures.s3.secret_key_file")
        )
        self._bucket, self._prefix = s3.bucket, s3.prefix
        self._name = f"pictures in {s3.endpoint}/{s3.bucket}"
        try:
            self._client = Minio(
                parts.netloc, access_key=s3.access_key, secret_key=secret, secure=parts.scheme == "https",
                region=s3.region, http_client=urllib3.PoolManager(timeout=_TIMEOUT, retries=_RETRIES, maxsize=16),
            )  # fmt: skip
        except ValueError as error:
            raise ConfigError(f"pictures.s3.endpoint: {s3.endpoint}: {error}") from None

    def read(self, sha256: str) -> bytes | None:
        """The picture's bytes; None where there is none. Raises StoreError (no answer, or damaged)."""
        with self._errors():
            try:
                response = self._client.get_object(self._bucket, self._key(sha256))
            except S3Error as error:
                if error.code == "NoSuchKey":
                    return None
                raise
            try:
                content = response.read()
            finally:
                response.close()
                response.release_conn()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreError(f"{self._name}: {sha256} is damaged there")
        return content

    def keep(self, sha256: str, content: bytes) -> None:
        """Write a picture; one of that size is left as it is. Raises StoreError: the store may not hold it."""
        with self._errors():
            if self._size(sha256) != len(content):
                self._client.put_object(
                    self._bucket, self._key(sha256), io.BytesIO(content), len(content), content_type="image/jpeg"
                )

    def remove(self, sha256: str) -> None:
        """Take a picture away, if it is there. Raises StoreError."""
        with self._errors():
            self._client.remove_object(self._bucket, self._key(sha256))

    def _size(self, sha256: str) -> int | None:
        try:
            return self._client.stat_object(self._bucket, self._key(sha256)).size
        except S3Error as error:
            if error.code == "NoSuchKey":
                return None
            raise

    def _key(self, sha256: str) -> str:
        return f"{self._prefix}{sha256[:2]}/{sha256}.jpg"

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (MinioException, HTTPError) as error:
            raise StoreError(f"{self._name}: {' '.join(str(error).split())[:300]}") from error
