"""The text that ties a check run to its pull request, both ways. It asks GitHub nothing."""

import re
from typing import NamedTuple

_FORM = re.compile(r"([0-9]{1,19}):([0-9]{1,10}):([0-9a-f]{40}|[0-9a-f]{64})")


class ExternalId(NamedTuple):
    """What a check run of ours is about: ``repository id:pull request:head sha``.

    For a fork's pull request GitHub's events name no pull request, so the run carries it.
    """

    repository_id: int
    number: int
    head_sha: str

    @property
    def text(self) -> str:
        """Return the form that GitHub keeps as the run's ``external_id``."""
        return f"{self.repository_id}:{self.number}:{self.head_sha}"

    @classmethod
    def from_text(cls, text: str | None) -> "ExternalId | None":
        """Read the form back; ``None``: not written by this app."""
        found = _FORM.fullmatch(text or "")
        if found is None:
            return None
        return cls(int(found[1]), int(found[2]), found[3])
