"""What stands beside a share, so that a low number is never mistaken for a fact. It asks nobody."""

OF_AUTHOR = {
    "evidence": "The author's machine sent evidence of this window.",
    "reporting": "The author's machine reports; it had nothing of this repository to send.",
    "unnamed": "Evidence of this window names no developer, so some of it may be the author's.",
    "nothing": (
        "No machine of the author reported in this window: "
        "what an agent wrote there is unknown, not zero."
    ),
}
"""What is known of a pull request's author (`ghapp.store.AuthorCoverage`) → one sentence."""


def of_author(known: str) -> str:
    """Return the sentence that stands beside the share."""
    return OF_AUTHOR[known]


def of_authors(pulls: int, without: int, *, is_all: bool = True) -> str:
    """Return the sentence beside the share of several pull requests.

    ``without`` of them have an author of whom nothing was heard; ``is_all`` is false where
    only the latest were looked at.

    >>> of_authors(10, 1)
    'Of 1 of 10 pull requests no machine of the author reported: there it is unknown, not zero.'
    """
    many = f"{'' if is_all else 'the last '}{pulls} pull requests"
    if not without:
        return f"The author's machine reported for {'all ' if is_all else ''}{many}."
    return (
        f"Of {without} of {many} no machine of the author reported: there it is unknown, not zero."
    )


def erased(edits: int, day: str) -> str:
    """Return what an audit says whose evidence is gone; ``day``: of the last erasure."""
    noun = "edit" if edits == 1 else "edits"
    return (
        f"Evidence of this window was erased since ({edits} {noun}, last on {day}): "
        "the audit stays as it was made, and cannot be made again in full."
    )
