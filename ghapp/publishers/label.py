"""The labels that name the agents of a pull request. It never touches another label.

https://docs.github.com/en/rest/issues/labels
"""

from collections.abc import Iterable
from itertools import chain

from ghapp.attribution.model import Struct
from ghapp.git.names import segment
from ghapp.github.answers import NotFound, PermissionRefused, RequestRejected, TemporaryFailure
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import PullRequest
from ghapp.publishers.publisher import DesiredState, PublisherMemory, PublisherReport, WriteResult
from ghapp.reports.words import agent_name

NAME = "label"

COLOR = "8250df"
"""Purple, in hexadecimal."""
SUFFIX = "-assisted"
MOST_DESCRIPTION = 100
"""Characters of a label's description that GitHub accepts."""


class _Label(Struct, frozen=True):
    name: str


def description(label: str) -> str:
    """Return what one of our labels means, for its definition in the repository."""
    agent = agent_name(label.removesuffix(SUFFIX))
    return f"Some added lines were written in {agent} sessions"[:MOST_DESCRIPTION]


def publish(
    desired: DesiredState, pull: PullRequest, github: GitHub, memory: PublisherMemory
) -> PublisherReport:
    """Add missing labels and remove stale ones of ours; remember ours, separated by commas."""
    ours = frozenset(filter(None, (memory.external_id or "").split(",")))
    standing = _standing(github, pull.number)
    missing = _without(desired.labels, standing)
    stale = sorted(_among(_without(ours, desired.labels), standing))
    if missing:
        _add(github, pull.number, missing)
    for name in stale:
        _remove(github, pull.number, name)
    kept = _without(ours, stale) | missing
    changed = bool(missing or stale)
    return PublisherReport(
        name=NAME,
        outcome=WriteResult.WRITTEN if changed else WriteResult.UNCHANGED,
        detail=_detail(missing, stale),
        external_id=",".join(sorted(kept)) or None,
        confirmed=_confirmed(github, pull.number, desired.labels, stale) if changed else None,
    )


def _standing(github: GitHub, number: int) -> frozenset[str]:
    pages = github.pages(f"issues/{number}/labels", tuple[_Label, ...])
    return frozenset(label.name for label in chain.from_iterable(pages))


# GitHub's label names ignore case.


def _among(names: Iterable[str], others: Iterable[str]) -> frozenset[str]:
    folded = {other.casefold() for other in others}
    return frozenset(name for name in names if name.casefold() in folded)


def _without(names: Iterable[str], others: Iterable[str]) -> frozenset[str]:
    names = frozenset(names)
    return names - _among(names, others)


def _add(github: GitHub, number: int, names: Iterable[str]) -> None:
    """Add labels to those that are set; replacing them all would remove people's labels."""
    wanted = sorted(names)
    for name in wanted:
        _define(github, name)
    try:
        github.post(f"issues/{number}/labels", {"labels": wanted}, tuple[_Label, ...])
    except TemporaryFailure:
        # If they are set now, we set them, and must remember that.
        if _without(wanted, _standing(github, number)):
            raise


def _define(github: GitHub, name: str) -> None:
    """Define a label that the repository lacks, with color and description; never change one."""
    try:
        github.get(f"labels/{segment(name)}", _Label)
    except NotFound:
        definition = {"name": name, "color": COLOR, "description": description(name)}
        try:
            github.post("labels", definition, _Label)
        except (PermissionRefused, RequestRejected):
            # Another worker defined it, or we may not: then adding it creates it in gray.
            return


def _remove(github: GitHub, number: int, name: str) -> None:
    try:
        github.delete(f"issues/{number}/labels/{segment(name)}")
    except NotFound:
        return


def _detail(added: Iterable[str], removed: Iterable[str]) -> str | None:
    parts = [f"added {name}" for name in sorted(added)]
    parts += [f"removed {name}" for name in sorted(removed)]
    return ", ".join(parts) or None


def _confirmed(github: GitHub, number: int, wanted: Iterable[str], unwanted: Iterable[str]) -> bool:
    standing = _standing(github, number)
    return not _without(wanted, standing) and not _among(unwanted, standing)
