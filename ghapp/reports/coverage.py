"""Sentences beside a share that say how much evidence there is. It looks nothing up."""

from collections.abc import Iterator
from typing import Protocol

from ghapp.reports.words import counted

OF_AUTHOR = {
    "evidence": "The author's machine sent evidence for this window.",
    "reporting": "The author's machine reported; it had nothing from this repository to send.",
    "unnamed": (
        "Some evidence for this window names no developer, so part of it may be the author's."
    ),
    "nothing": (
        "The author's machine did not report in this window, so agent use is unknown, not zero."
    ),
}
"""What we know about a pull request's author (`ghapp.store.AuthorCoverage`) → one sentence."""


def of_author(known: str) -> str:
    """Return the sentence beside one pull request's share."""
    return OF_AUTHOR[known]


class HeardCounts(Protocol):
    """Of some pull requests: how many have a silent author, no evidence, or both."""

    @property
    def pulls(self) -> int:
        """How many in all."""

    @property
    def without(self) -> int:
        """Those whose author's machine did not report."""

    @property
    def no_evidence(self) -> int:
        """Those without evidence of anybody."""

    @property
    def neither(self) -> int:
        """Those that are both."""

    @property
    def is_all(self) -> bool:
        """``False``: these are only the latest."""


def of_authors(heard: HeardCounts) -> str:
    """Return the sentences beside the share of several pull requests.

    They say how the two unknowns meet: an author's silence, and no evidence of anybody.
    """
    many = f"{'' if heard.is_all else 'the last '}{counted(heard.pulls, 'pull request')}"
    if not heard.without:
        first = f"The author's machine reported for {'all ' if heard.is_all else ''}{many}."
    else:
        first = (
            f"For {heard.without} of {many} the author's machine did not report, "
            "so agent use is unknown there."
        )
    return " ".join((first, *_reconciled(heard)))


def _reconciled(heard: HeardCounts) -> Iterator[str]:
    """Yield which pull requests without evidence and with a silent author are the same ones."""
    others = heard.without - heard.neither
    if others:
        yield f"{others} of these {_has(others)} evidence of other people all the same."
    told = heard.no_evidence - heard.neither
    if told:
        yield (
            f"{counted(told, 'pull request')} without evidence {_has(told)} an author whose "
            "machine did report: it had nothing to send."
        )


def _has(number: int) -> str:
    return "has" if number == 1 else "have"


def erased(edits: int, day: str) -> str:
    """Return the sentence beside an audit whose evidence was erased, last on ``day``."""
    noun = "edit" if edits == 1 else "edits"
    return (
        f"Evidence for this window has since been erased ({edits} {noun}, last on {day}). "
        "The audit stays as it is, but cannot be fully reproduced."
    )
