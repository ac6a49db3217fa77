"""The text that ties a check run to its pull request: written and read. It asks GitHub nothing."""

import re
from typing import NamedTuple

# 700001:17:5bd1a0f0c3ce35a4ad8a2b8b0e5d2f1a9f6c7d3e
_FORM = re.compile(r"([0-9]{1,19}):([0-9]{1,10}):([0-9a-f]{40}|[0-9a-f]{64})")


class ExternalId(NamedTuple):
    """What a check run of ours is about: ``repository id:pull request:head sha``.

    GitHub's events name no pull request that comes from a fork, so the run names it itself.
    """

    repository_id: int
    number: int
    head_sha: str

    @property
    def text(self) -> str:
        """Return the text that GitHub stores as the run's ``external_id``."""
        return f"{self.repository_id}:{self.number}:{self.head_sha}"

    @classmethod
    def from_text(cls, text: str | None) -> "ExternalId | None":
        """Read that text; ``None``: this app did not write it."""
        found = _FORM.fullmatch(text or "")
        if found is None:
            return None
        return cls(int(found[1]), int(found[2]), found[3])
