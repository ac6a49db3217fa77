"""Credits lines that a command changed, as the collector's hook saw it (rules.md 2.22).

It comes after everything else, so no other reason loses a line to it. It takes equal lines alone:
what the hook saw is what stood in the file, not what somebody may have made of it.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from ghapp.attribution.candidates import CandidateEdits
from ghapp.attribution.matching import NONE, FileMatching
from ghapp.attribution.model import EditResult, FileDiff, Reason
from ghapp.attribution.sides import EditSides

_EQUAL = frozenset({Reason.RUN, Reason.LINE})


def credit_command_changed(
    files: Sequence[FileMatching | None],
    diffs: Sequence[FileDiff],
    found: CandidateEdits,
    sides: EditSides,
) -> None:
    """Credit the uncredited lines of some files to what commands changed in them.

    A file that does not count is ``None``.
    """
    if not found.seen:
        return
    for matching, file in zip(files, diffs, strict=True):
        if matching is None or all(matching.credits):
            continue
        observed = found.seen_in(file, EditResult.OBSERVED)
        mine = sides.all_of(observed, file.path)
        again = FileMatching(matching.file, mine, sides.book, NONE)
        again.match()
        for at, credit in enumerate(again.credits):
            if credit and credit.reason in _EQUAL and matching.credits[at] is None:
                matching.credits[at] = replace(credit, reason=Reason.COMMAND_CHANGED)
