# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The Update Framework's client over any source, with our clock, a store that outlives power cuts, and plain words.

What is believed is python-tuf's to say. `trust` holds its files: `root.json`, `timestamp.json`, `snapshot.json`,
`targets.json` and every root in `root_history/`. Each moves forward as soon as it has been verified, so a later part
that is refused leaves a store with which the honest repository still works.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Timestamp
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from edge.errors import StoreError
from edge.update.trusted.clock import BUILT, issued, judge_by
from edge.update.trusted.disk import write_durably
from edge.update.trusted.refusal import Reason, UntrustedError

#: Reads a metadata file of at most so many bytes. Raises DownloadHTTPError 404 where it is not there.
Read = Callable[[str, int], bytes]

#: Stands in file names.
_DIGEST = re.compile(r"[0-9a-f]{64,128}")
_ADVICE: dict[Reason, str] = {
    "rollback": "it is older than what was believed before; take the newest",
    "freeze": "nobody has vouched for it lately; take a newer one, or set the clock right",
    "mix_and_match": "its parts do not belong together; copy it anew",
    "endless": "a file is longer than it may be; copy it anew",
    "signature": "not signed by enough of the keys that are trusted; ask who made it",
    "expired": "the signatures are out of date; ask for renewed ones, or set the clock right",
    "truncated": "a file was cut short; copy it anew",
    "missing": "a file is not there; copy it anew",
    "bad_metadata": "a file is damaged or no metadata; copy it anew",
}


class _Fetcher(FetcherInterface):
    """Hands python-tuf what a source reads, and remembers what came last: a refusal is about that."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.name = ""
        self.content = b""

    def download_bytes(self, url: str, max_length: int) -> bytes:
        self.name, self.content = url.removeprefix("/"), b""
        self.content = self._read(self.name, max_length)
        if len(self.content) > max_length:
            raise DownloadLengthMismatchError(f"longer than {max_length} bytes")
        return self.content

    def _fetch(self, url: str) -> Iterator[bytes]:
        raise DownloadError(f"{url}: metadata only")


class Client(Updater):
    """One look at a repository or bundle; use it once.

    The three overridden methods are python-tuf's inner ones: it offers no other way to the time that it judges by and
    to durable files. Tests hold them to what they are for.
    """

    def __init__(
        self,
        read: Read,
        *,
        where: str,
        trust: Path,
        now: datetime | None,
        root: bytes | None,
        built: datetime = BUILT,
    ) -> None:
        """Load what is trusted; reads nothing of the source.

        Args:
            read: the source's metadata.
            where: the source, for messages.
            trust: the store; made where it is not there.
            now: the time where somebody trusted told it.
            root: first root of trust, used only where `trust` holds none that can be read.
            built: see `clock`.

        Raises:
            UntrustedError: there is no root of trust.
            StoreError: `trust` cannot be read or written.
        """
        self.where = where
        self._now, self._built = now, built
        self.judged = judge_by(now, None, built)
        self._fetched = _Fetcher(read)
        with self._in_plain_words():
            trust.mkdir(parents=True, exist_ok=True)
            bootstrap = _held_root(trust) or root
            if bootstrap is None:
                raise UntrustedError("missing", f"{trust}: no root of trust there; provision this computer")
            super().__init__(str(trust), "", fetcher=self._fetched, config=UpdaterConfig(), bootstrap=bootstrap)
            self._judge(None)

    def refresh(self) -> None:
        """Verify root, timestamp, snapshot and targets, in this order.

        Raises:
            UntrustedError: refused.
            StoreError: `trust` cannot be written.
        """
        with self._in_plain_words():
            super().refresh()

    def target(self, name: str) -> TargetFile:
        """What was signed about a target. Raises as `refresh` does; `missing` where nobody signed such a target."""
        with self._in_plain_words():
            found = self.get_targetinfo(name)
        if found is None:
            raise UntrustedError("missing", f"{self.where}: has no {name!r}; take the bundle or release that has it")
        if not all(_DIGEST.fullmatch(digest) for digest in found.hashes.values()):
            raise UntrustedError("bad_metadata", f"{self.where}: {name!r}: hashes that are none; ask who made it")
        return found

    def place(self, target: TargetFile) -> str:
        """Where a target lies below `targets/`."""
        return target.get_prefixed_paths()[0] if self._trusted_set.root.consistent_snapshot else target.path

    def believed(self) -> dict[str, bytes]:
        """All metadata that is believed, by its name in a repository; the timestamp last."""
        trust, consistent = Path(self._dir), self._trusted_set.root.consistent_snapshot
        files = {path.name: path.read_bytes() for path in (trust / "root_history").glob("*.root.json")}
        for role, signed in self._trusted_set._trusted_set.items():  # noqa: SLF001
            if role not in (Root.type, Timestamp.type):
                name = f"{quote(role, '')}.json"
                files[f"{signed.version}.{name}" if consistent else name] = (trust / name).read_bytes()
        files["timestamp.json"] = (trust / "timestamp.json").read_bytes()
        return files

    def _load_timestamp(self) -> None:
        self._judge(self._stored_timestamp())
        super()._load_timestamp()
        self._judge(self._trusted_set.timestamp)

    def _persist_file(self, filename: str, data: bytes) -> None:
        write_durably(Path(filename), data)

    def _update_root_symlink(self) -> None:
        """A file of its own: between removing a link and making it anew a power cut would leave no root."""
        newest = Path(self._dir) / "root_history" / f"{self._trusted_set.root.version}.root.json"
        write_durably(Path(self._dir) / "root.json", newest.read_bytes())

    def _stored_timestamp(self) -> Timestamp | None:
        """The last one believed, if the newest root still vouches for its key."""
        try:
            stored = Metadata[Timestamp].from_bytes(self._load_local_metadata(Timestamp.type))
            self._trusted_set.root.verify_delegate(Timestamp.type, stored.signed_bytes, stored.signatures)
        except (OSError, RepositoryError):
            return None
        return stored.signed if isinstance(stored.signed, Timestamp) else None

    def _judge(self, timestamp: Timestamp | None) -> None:
        self.judged = judge_by(self._now, None if timestamp is None else issued(timestamp), self._built)
        self._trusted_set.reference_time = self.judged.time

    @contextlib.contextmanager
    def _in_plain_words(self) -> Iterator[None]:
        try:
            yield
        except (RepositoryError, DownloadError, ValueError, TypeError, LookupError, RecursionError) as error:
            reason = self._reason(error)
            detail = " ".join(str(error).split())[:160]
            judged = f" (judged by {self.judged})" if reason in ("freeze", "expired") else ""
            named = f" {self._fetched.name[:100]!r}" if self._fetched.name else " root of trust"
            raise UntrustedError(
                reason, f"{self.where}:{named} refused, {reason}: {detail}{judged}: {_ADVICE[reason]}"
            ) from error
        except OSError as error:
            raise StoreError(
                f"{error.filename}: {error.strerror}: what is trusted cannot be kept; free space"
            ) from error

    def _reason(self, error: Exception) -> Reason:
        if isinstance(error, ExpiredMetadataError):
            return self._reason_of_expiry()
        if isinstance(error, UnsignedMetadataError):
            return "signature"
        if isinstance(error, BadVersionNumberError):
            return self._reason_of_version()
        if isinstance(error, LengthOrHashMismatchError):
            return self._reason_of_content()
        if isinstance(error, DownloadHTTPError):
            return "missing"
        if isinstance(error, DownloadLengthMismatchError):
            return "endless"
        return "bad_metadata"

    def _reason_of_expiry(self) -> Reason:
        """Timestamp and snapshot are what somebody vouches for often; root and targets rest in a safe."""
        parts = self._trusted_set
        if not parts.root.is_expired(self.judged.time):
            for role in (Timestamp.type, Snapshot.type):
                if role in parts and parts[role].is_expired(self.judged.time):
                    return "freeze"
        return "expired"

    def _reason_of_version(self) -> Reason:
        role = self._fetched.name.removesuffix(".json").rpartition(".")[2]
        if role in (Root.type, Timestamp.type):
            return "rollback"
        if role == Snapshot.type:
            named = self._trusted_set.timestamp.snapshot_meta.version
            came = Metadata[Snapshot].from_bytes(self._fetched.content).signed.version
            return "rollback" if came == named else "mix_and_match"
        return "mix_and_match"

    def _reason_of_content(self) -> Reason:
        """Not the bytes that the role above named: whole metadata from elsewhere, or a damaged file."""
        parts, role = self._trusted_set, self._fetched.name.removesuffix(".json").rpartition(".")[2]
        known = parts.timestamp.snapshot_meta if role == Snapshot.type else parts.snapshot.meta.get(f"{role}.json")
        with contextlib.suppress(RepositoryError):
            Metadata.from_bytes(self._fetched.content)
            return "mix_and_match"
        short = known is not None and known.length is not None and len(self._fetched.content) < known.length
        return "truncated" if short else "bad_metadata"


def _held_root(trust: Path) -> bytes | None:
    """The newest root that was believed, if it can still be read."""
    try:
        content = (trust / "root.json").read_bytes()
        held = Metadata[Root].from_bytes(content)
        if not isinstance(held.signed, Root):
            return None
        held.signed.verify_delegate(Root.type, held.signed_bytes, held.signatures)
    except (FileNotFoundError, RepositoryError):
        return None
    return content
