"""The chain of a repository's records: each names the one before by digest. It signs nothing."""

import hashlib
from typing import Annotated

import msgspec

from ghapp.attribution.model import Struct


class ChainLink(Struct, frozen=True):
    """What the chain covers of one record."""

    created_at: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    """Microseconds since 1970."""
    digest: str
    """``sha256:`` and the digest of the document's bytes."""
    number: int
    """Among the audits of this pull request, from 1."""
    position: int
    """Among the audits of this repository, from 1."""
    previous: str | None
    """`chain` of the repository's record before this one; ``None``: the first."""
    pull_request: int
    repository_id: int

    @property
    def chain(self) -> str:
        """``sha256:`` and the digest over this link's canonical JSON: its members, sorted."""
        return digest_of(msgspec.json.encode(self, order="sorted"))


def digest_of(content: bytes) -> str:
    """Return ``sha256:`` and the digest of the content in hexadecimal."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
