"""Credits blocks that an agent wrote in one file and that are now in an added file.

Only policies with ``moved_blocks`` use it, because the documented metric asks for matching
files. In real data, moved blocks cause the most missed lines (190 of 510).
"""

from collections.abc import Iterable

from ghapp.attribution.candidates import CandidateEdits
from ghapp.attribution.certainty import SPEAKS_FOR_ITSELF
from ghapp.attribution.matching import FileMatching
from ghapp.attribution.model import EditResult
from ghapp.attribution.sides import EditSide, EditSides

SHORTEST = 3
"""Lines of the shortest block: fewer lines prove too little in another file."""


def credit_moved_blocks(
    files: Iterable[FileMatching], found: CandidateEdits, sides: EditSides
) -> None:
    """Credit the uncredited lines of added files to edits of other files, by distinctive runs."""
    for matching in files:
        if any(credit is None for credit in matching.credits):
            matching.credit_foreign(
                _sharing(matching, found, sides),
                lambda run: run.weight >= SPEAKS_FOR_ITSELF and len(run.pairs) >= SHORTEST,
            )


def _sharing(matching: FileMatching, found: CandidateEdits, sides: EditSides) -> list[EditSide]:
    """Return the edits of other files that share a line with a file's uncredited lines."""
    left = matching.missed()
    known = {id(candidate.side) for candidate in matching.candidates}
    return [
        side
        for path, edits in found.usable.items()
        for edit in edits
        # What nobody recorded as applied counts only in its own file.
        if edit.outcome is EditResult.APPLIED
        and id(side := sides.of(edit, path or edit.path)) not in known
        and not left.isdisjoint(side.own)
    ]
