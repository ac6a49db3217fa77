"""Sentences beside a share that say how much evidence there is. It looks nothing up."""

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


def of_authors(pulls: int, without: int, *, is_all: bool = True) -> str:
    """Return the sentence beside the share of several pull requests.

    ``without`` counts those whose author's machine did not report. ``is_all`` is false if the
    caller looked only at the latest pull requests.

    >>> of_authors(10, 1)
    "For 1 of 10 pull requests the author's machine did not report, so agent use is unknown there."
    """
    many = f"{'' if is_all else 'the last '}{pulls} pull requests"
    if not without:
        return f"The author's machine reported for {'all ' if is_all else ''}{many}."
    return (
        f"For {without} of {many} the author's machine did not report, "
        "so agent use is unknown there."
    )


def erased(edits: int, day: str) -> str:
    """Return the sentence beside an audit whose evidence was erased, last on ``day``."""
    noun = "edit" if edits == 1 else "edits"
    return (
        f"Evidence for this window has since been erased ({edits} {noun}, last on {day}). "
        "The audit stays as it is, but cannot be fully reproduced."
    )
