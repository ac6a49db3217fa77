"""A cache of merged pull requests for the next replay. It sends no request to GitHub.

The change of a merged pull request never alters, so its commits are the key. The files hold
source text, so they are encrypted, readable only by this user, and removed after a time. Each
machine has its own cache.
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

from ghapp.attribution.model import AgentCommit, AgentDeclaration, Struct
from ghapp.github.pull_requests import ChangeSource, PullRequest
from ghapp.ingest.carried import CarriedEvidence
from ghapp.store import ListedPull

FOLDER = "pulls"
"""Folder below the data directory."""


class _Kept(Struct, frozen=True):
    """A pull request, what it declares about agents, and their own commits."""

    pull: PullRequest
    declared: tuple[AgentDeclaration, ...] | None
    agent_commits: tuple[AgentCommit, ...] | None


_DECODER = msgspec.msgpack.Decoder(_Kept)


class KeptPulls:
    """The cache in one data directory. ``encryption_key`` is the settings' key of 32 bytes."""

    def __init__(self, data_dir: Path, encryption_key: bytes) -> None:
        self._folder = data_dir / FOLDER
        self._box = Fernet(base64.urlsafe_b64encode(encryption_key))

    def read(
        self, repository_id: int, listed: ListedPull
    ) -> tuple[PullRequest, CarriedEvidence] | None:
        """Return a pull request as it was fetched; ``None``: it is missing or unreadable."""
        path = self._path(repository_id, listed)
        try:
            kept = _DECODER.decode(zlib.decompress(self._box.decrypt(path.read_bytes())))
        except (OSError, InvalidToken, zlib.error, msgspec.DecodeError):
            return None
        return kept.pull, CarriedEvidence(
            found=(), declared=kept.declared, agent_commits=kept.agent_commits
        )

    def keep(self, listed: ListedPull, pull: PullRequest, carried: CarriedEvidence) -> None:
        """Store a pull request, if it was read whole and still matches the list."""
        known = (pull.base_sha, pull.head_sha, pull.merge_commit)
        if pull.source is ChangeSource.PARTIAL or carried.found or listed.merge_commit is None:
            return
        if known != (listed.base_sha, listed.head_sha, listed.merge_commit):
            return
        path = self._path(pull.repository_id, listed)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = _Kept(pull=pull, declared=carried.declared, agent_commits=carried.agent_commits)
        packed = self._box.encrypt(zlib.compress(msgspec.msgpack.encode(kept)))
        new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(packed)
        new.replace(path)

    def expire(self, before: datetime) -> int:
        """Remove what was stored before that time; return how many."""
        old = [
            path for path in self._folder.glob("*/*") if path.stat().st_mtime < before.timestamp()
        ]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _path(self, repository_id: int, listed: ListedPull) -> Path:
        named = f"{listed.number} {listed.base_sha} {listed.head_sha} {listed.merge_commit}"
        name = hashlib.sha256(named.encode()).hexdigest()
        return self._folder / str(repository_id) / name
