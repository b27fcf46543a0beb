# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Secret keys in files `ROLE-ID.key` (Ed25519, PKCS 8), ID: the first eight digits of the key's TUF id.

The name tells whose key it is, so a passphrase is asked for only where the key is wanted. A key is never printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.exceptions import Error as KeyProblem
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from workshop.errors import WorkshopError
from workshop.files import write

Role = Literal["root", "targets", "snapshot", "timestamp"]
#: Their keys lie in a safe, encrypted; the others belong to the server that keeps the repository fresh.
OFFLINE: tuple[Role, ...] = ("root", "targets")
ONLINE: tuple[Role, ...] = ("snapshot", "timestamp")
#: Says the passphrase of a key file.
Ask = Callable[[Path], bytes]
SHORTEST = 12


class Keys:
    """The key files in some folders (media that are plugged in at the moment)."""

    def __init__(self, folders: Sequence[Path], ask: Ask) -> None:
        self._folders = folders
        self._ask = ask
        self._opened: dict[str, CryptoSigner] = {}

    @property
    def home(self) -> Path:
        """The folder for new keys.

        Raises:
            WorkshopError: no folder was named.
        """
        if not self._folders:
            raise WorkshopError("name the folder of the keys with --keys")
        return self._folders[0]

    @property
    def root(self) -> Path | None:
        """The first root.json, where it lies beside the keys."""
        return next((path for folder in self._folders if (path := folder / "root.json").is_file()), None)

    def path(self, keyid: str) -> Path | None:
        """The file of a key, where it is at hand."""
        found = (path for folder in self._folders for path in sorted(folder.glob(f"*-{keyid[:8]}.key")))
        return next(found, None)

    def signers(self, wanted: Iterable[Key]) -> list[CryptoSigner]:
        """Those that are at hand, opened.

        Raises:
            WorkshopError: wrong passphrase, or not the key that it is named after.
        """
        found = []
        for key in wanted:
            if key.keyid not in self._opened:
                path = self.path(key.keyid)
                if path is None:
                    continue
                self._opened[key.keyid] = self._open(path, key)
            found.append(self._opened[key.keyid])
        return found

    def make(self, role: Role) -> Key:
        """A new key in a file of the first folder; returns its public half.

        Raises:
            WorkshopError: the passphrase is too short.
            OSError: it cannot be written.
        """
        private = Ed25519PrivateKey.generate()
        public = SSlibKey.from_crypto(private.public_key())
        path = self.home / f"{role}-{public.keyid[:8]}.key"
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if role in OFFLINE:
            passphrase = self._ask(path)
            if len(passphrase) < SHORTEST:
                raise WorkshopError(f"{path.name}: a passphrase of at least {SHORTEST} characters is wanted")
            encryption = serialization.BestAvailableEncryption(passphrase)
        content = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        write(path, content, secret=True)
        self._opened[public.keyid] = CryptoSigner(private, public)
        return public

    def _open(self, path: Path, key: Key) -> CryptoSigner:
        content = path.read_bytes()
        passphrase = self._ask(path) if b"ENCRYPTED" in content else None
        try:
            private = serialization.load_pem_private_key(content, passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            why = "wrong passphrase (or the file is damaged)" if passphrase is not None else "is no secret key (PEM)"
            raise WorkshopError(f"{path}: {why}") from None
        if not isinstance(private, Ed25519PrivateKey) or not isinstance(key, SSlibKey):
            raise WorkshopError(f"{path}: an Ed25519 key is wanted")
        try:
            return CryptoSigner(private, key)
        except (ValueError, KeyProblem):
            raise WorkshopError(f"{path}: is another key than its name says; take it from the backup") from None
