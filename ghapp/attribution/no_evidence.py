"""Why there is no evidence for a change: a cause of docs/no-evidence.md. It reads nothing."""

from ghapp.attribution.model import AuditInputs, NoEvidence, Verdict


def why(judged: Verdict, inputs: AuditInputs) -> NoEvidence | None:
    """Return why an audit has no evidence; ``None``: it has, or nobody counted what was left out.

    What comes nearest to evidence is named. So a torn record hides no edit that was read.
    """
    left = inputs.edits_left_out
    if judged is not Verdict.NO_EVIDENCE or inputs.edits_considered or left is None:
        return None
    if left.outside_window:
        return NoEvidence.NONE_IN_THE_WINDOW
    if left.not_applied:
        return NoEvidence.NONE_APPLIED
    if left.elsewhere:
        return NoEvidence.NONE_IN_THIS_REPOSITORY
    if inputs.unread_records or inputs.passed_over:
        return NoEvidence.NONE_READABLE
    return NoEvidence.NOTHING_ARRIVED
