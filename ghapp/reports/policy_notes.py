"""Notes on a check run about a repository's policy. It does not decide when one is due."""

from collections.abc import Sequence

import msgspec

from ghapp.attribution.model import AuditTotals
from ghapp.reports.harmless import prose
from ghapp.reports.markdown import CheckOutput
from ghapp.reports.summary import percent

LONG_PROBLEM = 400
"""Characters of one problem: a name in the policy file can be of any length."""


def above_the_limit(totals: AuditTotals, limit: float) -> str:
    """Return the note that says why the check failed. The audit has a share above the limit."""
    share = percent(totals.attributed, totals.effective)
    return (
        f"> [!CAUTION]\n> **Above this repository's limit.** At least {share} of the counted lines "
        f"are attributed; the policy allows a share of up to {limit:.4g} (`share_limit`). "
        "This audit came after the merge, so it held nothing back."
    )


def broken_policy(problems: Sequence[str], source: str) -> str:
    """Return the note that lists each problem, and the policy that applies until it is fixed."""
    listed = "".join(f"\n> - {prose(one, LONG_PROBLEM)}" for one in problems)
    return (
        f"> [!WARNING]\n> **The policy file is broken.** Until it is fixed, {prose(source)} "
        f"applies.{listed}"
    )


def noted(check: CheckOutput, notes: Sequence[str]) -> CheckOutput:
    """Return a check run with notes above its summary."""
    if not notes:
        return check
    return msgspec.structs.replace(check, summary="\n\n".join([*notes, check.summary]))
