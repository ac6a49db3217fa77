"""What a report says where there is no evidence: which cause, and what to do. It judges nothing."""

from ghapp.attribution.model import NoEvidence

SENTENCES = {
    NoEvidence.NOTHING_ARRIVED: "No evidence of any agent arrived for this time",
    NoEvidence.NONE_READABLE: "Records of agents arrived, but no edit could be read from them",
    NoEvidence.NONE_IN_THIS_REPOSITORY: (
        "Edits of agents were read, but none of them is in this repository"
    ),
    NoEvidence.NONE_IN_THE_WINDOW: (
        "Edits of agents in this repository are known, but none of them is in the window"
    ),
    NoEvidence.NONE_APPLIED: (
        "Edits of agents in this repository are known, but none of them was applied"
    ),
}
"""Why there is no evidence → the start of one sentence."""

UNKNOWN = (
    "We know of no agent edit that was applied to this repository in the window, so this "
    "says nothing about how the code was written. Unknown is not zero."
)
"""The sentence of an audit that does not say why."""

ADVICE = {
    NoEvidence.NOTHING_ARRIVED: (
        "`ghapp collect status` on the author's machine says whether it sends evidence; "
        "`ghapp evidence check` says what it could send."
    ),
    NoEvidence.NONE_READABLE: (
        "`ghapp evidence preview DIR` names what was passed over and why; "
        "`ghapp evidence check` says which agents are read."
    ),
    NoEvidence.NONE_IN_THIS_REPOSITORY: (
        "`ghapp evidence preview DIR --counts` shows the paths of the edits; `--root PATH` names "
        "the checkout on the machine that wrote them."
    ),
    NoEvidence.NONE_IN_THE_WINDOW: (
        "`ghapp evidence preview DIR --counts` shows the time of each edit."
    ),
    NoEvidence.NONE_APPLIED: (
        "`ghapp evidence preview DIR --counts` shows what became of each edit."
    ),
}
"""Why there is no evidence → the command that tells more; commands stand in backticks."""


def sentence(cause: NoEvidence | None) -> str:
    """Return why nothing is known, and that this is not zero."""
    if cause is None:
        return UNKNOWN
    rest = "this says nothing about how the code was written. Unknown is not zero."
    return f"{SENTENCES[cause]}, so {rest}"
