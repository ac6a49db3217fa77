"""What a check run says of a repository's policy: a passed limit, a broken file; it judges not."""

from collections.abc import Sequence

import msgspec

from ghapp.attribution.model import AuditTotals
from ghapp.reports.harmless import prose
from ghapp.reports.markdown import CheckOutput
from ghapp.reports.summary import percent

LONG_PROBLEM = 400
"""Characters of one problem; a name in a file can be longer than that."""


def above_the_limit(totals: AuditTotals, limit: float) -> str:
    """Say why the check is red; asked only where there is a share above the limit."""
    share = percent(totals.attributed, totals.effective)
    return (
        f"> [!CAUTION]\n> **Above this repository's limit.** At least {share} of the counted lines "
        f"are attributed; its policy lets the check pass up to {limit:.4g} (`share_limit`)."
    )


def broken_policy(problems: Sequence[str], source: str) -> str:
    """Name each broken file with line and reason, and what holds until it is mended."""
    listed = "".join(f"\n> - {prose(one, LONG_PROBLEM)}" for one in problems)
    return (
        f"> [!WARNING]\n> **The policy file is broken.** Until it is mended, {prose(source)} holds."
        f"{listed}"
    )


def noted(check: CheckOutput, notes: Sequence[str]) -> CheckOutput:
    """Put notes above a check run's summary."""
    if not notes:
        return check
    return msgspec.structs.replace(check, summary="\n\n".join([*notes, check.summary]))
