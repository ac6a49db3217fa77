"""What a file of audit documents says in all. It reads no line of any audit."""

from collections import Counter
from pathlib import Path

import msgspec

from ghapp.attribution.model import Struct, Verdict


class DocumentTotals(Struct, frozen=True):
    """All documents of a file; the lines are those of audits that have a share."""

    by_verdict: dict[Verdict, int]
    """How many audits, for each verdict that occurs."""
    effective: int
    attributed: int


class _Totals(msgspec.Struct, frozen=True):
    effective: int
    attributed: int
    share: float | None = None


class _Inputs(msgspec.Struct, frozen=True):
    change_complete: bool


class _Document(msgspec.Struct, frozen=True):
    """The few members that are counted: a whole document is slow to read."""

    verdict: Verdict
    totals: _Totals
    inputs: _Inputs


def totals(path: Path) -> DocumentTotals:
    """Count a file of one document per line. Raises `OSError` and `msgspec.DecodeError`."""
    read = msgspec.json.Decoder(_Document).decode
    verdicts: Counter[Verdict] = Counter()
    effective = attributed = 0
    with path.open("rb") as file:
        for one in map(read, file):
            verdicts[one.verdict] += 1
            known = one.verdict is not Verdict.NO_EVIDENCE and one.inputs.change_complete
            if known and one.totals.share is not None:
                effective += one.totals.effective
                attributed += one.totals.attributed
    found = {verdict: verdicts[verdict] for verdict in Verdict if verdicts[verdict]}
    return DocumentTotals(by_verdict=found, effective=effective, attributed=attributed)
