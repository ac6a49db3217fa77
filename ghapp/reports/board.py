"""Three sentences for a board, made from an organization's figures. It reads no store."""

from collections.abc import Iterator

from ghapp.reports.figures import difference_words, figure_words, floor_words, told_words
from ghapp.reports.words import counted
from ghapp.summaries.changes import ChangeMeasure, PeriodChanges
from ghapp.summaries.comparisons import OutcomeSummary
from ghapp.summaries.counts import OutcomeComparison, OutcomeMeasure
from ghapp.summaries.strata import ToldDifference


def sentences(changes: PeriodChanges, outcomes: OutcomeSummary) -> Iterator[str]:
    """Yield how much agents wrote, what changed since the quarter before, and what came of it."""
    yield _how_much(changes)
    yield _what_changed(changes)
    yield _what_came(outcomes)


def _how_much(changes: PeriodChanges) -> str:
    counts = changes.totals
    pulls = counted(counts.pulls, "merged pull request")
    if not counts.known_effective:
        return f"Nobody knows how much agents wrote: of {pulls}, none has evidence to tell a share."
    share = floor_words(changes.measure(ChangeMeasure.SHARE).now)
    return (
        f"Agents wrote at least {share} of the lines that were merged, "
        f"and had a part in {counts.assisted:,} of {pulls}."
    )


def _what_changed(changes: PeriodChanges) -> str:
    share = changes.measure(ChangeMeasure.SHARE).difference
    if share.value is None:
        return "How that compares with the quarter before is not known."
    said = (
        f"Compared with the quarter before, the share of lines shows {_a(difference_words(share))}"
    )
    if not changes.measure(ChangeMeasure.NO_EVIDENCE).difference.is_told:
        return f"{said}."
    known = changes.measure(ChangeMeasure.KNOWN_SHARE).difference
    return (
        f"{said}, but not as many pull requests had evidence in both; "
        f"where evidence is known, it shows {_a(difference_words(known))}."
    )


def _what_came(outcomes: OutcomeSummary) -> str:
    found = next(
        (one for one in outcomes.comparisons if one.measured is OutcomeMeasure.REVERTED), None
    )
    if found is None or found.assisted.value is None or found.others.value is None:
        return "Whether assisted pull requests are reverted more often is not known yet."
    told = {one.measured: one.difference for one in outcomes.differences}
    return _reverted(found, told[OutcomeMeasure.REVERTED])


def _reverted(found: OutcomeComparison, told: ToldDifference) -> str:
    return (
        f"Of assisted pull requests {figure_words(found.assisted)} were reverted within 30 days, "
        f"of the others {figure_words(found.others)}: "
        f"{told_words(told, is_share=True)}, of one repository and about one size."
    )


def _a(words: str) -> str:
    return {"-": "nothing that is known", "too few to tell": "too little to tell"}.get(words, words)
