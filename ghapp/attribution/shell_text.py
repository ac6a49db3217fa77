"""Credits lines that stand word for word in a command of an agent (rules.md 2.20).

It comes after everything else, so no other reason loses a line to it.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from ghapp.attribution.certainty import CLEARLY_DISTINCTIVE, SPEAKS_FOR_ITSELF
from ghapp.attribution.matching import CreditedRun, FileMatching
from ghapp.attribution.model import FileDiff, Reason, ShellCommand
from ghapp.attribution.paths import KnownCheckouts
from ghapp.attribution.shell_commands import reaches
from ghapp.attribution.sides import EditSides

SHORTEST = 2
"""Lines of the shortest run, with unchanged ones: one alone tells too little of its place."""


def credit_shell_text(
    files: Sequence[FileMatching | None],
    diffs: Sequence[FileDiff],
    commands: Iterable[ShellCommand],
    checkouts: KnownCheckouts,
    sides: EditSides,
) -> None:
    """Credit the uncredited lines of some files by distinctive runs in commands.

    A file that the command names comes first; one below its directory needs more weight.
    ``commands`` are in the order of ties. A file that does not count is ``None``.
    """
    texts = [one for one in commands if one.edit.lines.hunks]
    if not texts:
        return
    for by_name, least in ((True, SPEAKS_FOR_ITSELF), (False, CLEARLY_DISTINCTIVE)):
        for matching, file in zip(files, diffs, strict=True):
            if matching is None or all(matching.credits):
                continue
            mine = [one for one in texts if reaches(one, file, checkouts, by_name=by_name)]
            found = sides.all_of([one.edit for one in mine], file.path)
            left = matching.missed()
            matching.credit_foreign(
                [side for side in found if not left.isdisjoint(side.own)],
                partial(_is_sure, least),
                Reason.SHELL_TEXT,
            )


def _is_sure(least: float, run: CreditedRun) -> bool:
    return run.weight >= least and run.run.length >= SHORTEST
