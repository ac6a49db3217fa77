"""Merged pull requests that were fetched once, kept for the next replay. It asks GitHub nothing.

A merged pull request's change never alters, so it is kept under what names it for good: its
commits. It holds source text, so it is encrypted, readable by this user only, and forgotten
after a time. Each machine keeps its own.
"""

import base64
import hashlib
import os
import secrets
import zlib
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from ghapp.attribution.model import Struct
from ghapp.github.pull_requests import ChangeSource, PullRequest
from ghapp.ingest.carried import CarriedEvidence
from ghapp.store import ListedPull

FOLDER = "pulls"
"""Below the data directory."""


class _Kept(Struct, frozen=True):
    """A pull request, and what its commits say of agents."""

    pull: PullRequest
    trailers: dict[str, int] | None


_DECODER = msgspec.msgpack.Decoder(_Kept)


class KeptPulls:
    """The pull requests of one data directory. ``encryption_key`` are the settings' 32 bytes."""

    def __init__(self, data_dir: Path, encryption_key: bytes) -> None:
        self._folder = data_dir / FOLDER
        self._box = Fernet(base64.urlsafe_b64encode(encryption_key))

    def read(
        self, repository_id: int, found: ListedPull
    ) -> tuple[PullRequest, CarriedEvidence] | None:
        """Return a pull request as it was fetched; ``None``: it is not kept, or not readable."""
        path = self._path(repository_id, found)
        try:
            kept = _DECODER.decode(zlib.decompress(self._box.decrypt(path.read_bytes())))
        except (OSError, InvalidToken, zlib.error, msgspec.DecodeError):
            return None
        return kept.pull, CarriedEvidence(found=(), trailers=kept.trailers)

    def keep(self, found: ListedPull, pull: PullRequest, carried: CarriedEvidence) -> None:
        """Keep a pull request that was read whole, and that is still what the list said."""
        known = (pull.base_sha, pull.head_sha, pull.merge_commit)
        if pull.source is ChangeSource.PARTIAL or carried.found or found.merge_commit is None:
            return
        if known != (found.base_sha, found.head_sha, found.merge_commit):
            return
        path = self._path(pull.repository_id, found)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = _Kept(pull=pull, trailers=carried.trailers)
        packed = self._box.encrypt(zlib.compress(msgspec.msgpack.encode(kept)))
        new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(packed)
        new.replace(path)

    def expire(self, before: datetime) -> int:
        """Forget what was kept before that instant; return how many."""
        old = [
            path for path in self._folder.glob("*/*") if path.stat().st_mtime < before.timestamp()
        ]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _path(self, repository_id: int, found: ListedPull) -> Path:
        named = f"{found.number} {found.base_sha} {found.head_sha} {found.merge_commit}"
        name = hashlib.sha256(named.encode()).hexdigest()
        return self._folder / str(repository_id) / name
