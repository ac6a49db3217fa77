"""What landed on the main branch of a repository."""

from ghapp.git.history import HistorySpan, LandedChange, changes_of, landed
from ghapp.git.repository import GitRepository


def found(git: GitRepository, *, every_commit: bool = True) -> list[LandedChange]:
    """Return what landed, oldest first."""
    tip = git.commit("main").sha
    return list(changes_of(landed(git, HistorySpan(tip=tip, every_commit=every_commit))))
