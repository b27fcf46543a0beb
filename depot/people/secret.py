# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Passwords, cookies and tokens: how they are made, and what of them is kept.

A person's password is kept as argon2id. Cookies and tokens are 256 random bits, so a plain SHA-256 keeps them: nobody
can try them all, and each request would be slow with more.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from depot.people.errors import PeopleError

MIN_PASSWORD, MAX_PASSWORD = 12, 1000
TOKEN_PREFIX = "wgw_"  # noqa: S105 - lets scanners of code find a token that leaked

_HASHER = PasswordHasher()
#: Each check takes 64 MiB; so many at once, the others wait.
_AT_ONCE = threading.BoundedSemaphore(2)


@functools.cache
def _nobody() -> str:
    """What is checked where there is no such user, so that the answer takes as long. Made late: it takes a second."""
    return _HASHER.hash(secrets.token_hex())


def check_new_password(password: str, *, name: str) -> None:
    """Length is what counts, so little else is asked. Raises PeopleError."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise PeopleError(f"the password needs {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    if len(set(password)) < 4 or password.casefold() == name.casefold():
        raise PeopleError("this password is too easy to guess", status=409)


def hash_password(password: str) -> str:
    """What is kept of a password."""
    with _AT_ONCE:
        return _HASHER.hash(_same(password))


def check_password(password: str, kept: str | None) -> bool:
    """Whether it is the one. Takes as long where there is none (`kept` is None)."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(kept or _nobody(), _same(password)) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_weaker(kept: str) -> bool:
    """Whether a kept password was hashed with less work than today's."""
    return _HASHER.check_needs_rehash(kept)


def new_secret() -> str:
    """A cookie's or token's content: 256 bits as 43 characters."""
    return secrets.token_urlsafe(32)


def new_password() -> str:
    """A password for the first login: 99 bits in four groups that can be read out."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


def key_of(secret: str) -> str:
    """What is kept of a cookie or token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_of(secret: str) -> str:
    """What the page must send along with each change: only who may read our answers knows it."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Compared in a time that tells nothing."""
    return hmac.compare_digest(one.encode(), other.encode())


def _same(password: str) -> str:
    """The same letters in another writing (an umlaut in two parts) are the same password."""
    return unicodedata.normalize("NFKC", password)
