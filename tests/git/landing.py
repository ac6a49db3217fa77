"""What landed on the main branch of a repository."""

from ghapp.git.history import HistorySpan, LandedChange, landed
from ghapp.git.repository import GitRepository


def found(git: GitRepository, *, every_commit: bool = True) -> list[LandedChange]:
    """Return what landed, oldest first."""
    tip = git.commit("main").sha
    return list(landed(git, HistorySpan(tip=tip, every_commit=every_commit)))
