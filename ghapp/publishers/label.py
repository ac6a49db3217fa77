"""The labels that name the agents of a pull request. It never touches another label.

What people do to them holds: a label that somebody took off stays off, one that was renamed is
used by its new name, and one that was deleted from the repository is not defined again.
https://docs.github.com/en/rest/issues/labels
"""

from collections.abc import Iterable, Mapping
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
MOST_DESCRIPTION = 100
"""Characters of a label's description that GitHub accepts."""


class _Label(Struct, frozen=True):
    id: int
    name: str


def description(agent: str) -> str:
    """Return what an agent's label means, for its definition in the repository."""
    return f"Some added lines were written in {agent_name(agent)} sessions"[:MOST_DESCRIPTION]


def publish(
    desired: DesiredState, pull: PullRequest, github: GitHub, memory: PublisherMemory
) -> PublisherReport:
    """Add missing labels and remove stale ones of ours; remember ours, separated by commas."""
    ours = frozenset(filter(None, (memory.external_id or "").split(",")))
    standing = _standing(github, pull.number)
    here = _present(frozenset(desired.labels) | ours, standing, memory)
    absent = frozenset(desired.labels) - here.keys()
    taken_off = _among(absent, ours)
    added, deleted = _add(github, pull.number, desired.labels, absent - taken_off, memory)
    stale = sorted(name for name in _without(ours, desired.labels) if name in here)
    for name in stale:
        _remove(github, pull.number, here[name])
    kept = _without(ours, stale) | added.keys()
    changed = bool(added or stale)
    wanted, unwanted = added.values(), [here[name] for name in stale]
    return PublisherReport(
        name=NAME,
        outcome=WriteResult.WRITTEN if changed else WriteResult.UNCHANGED,
        detail=_detail(
            added=added.values(), removed=unwanted, taken_off=taken_off, deleted=deleted
        ),
        external_id=",".join(sorted(kept)) or None,
        confirmed=_confirmed(github, pull.number, wanted, unwanted) if changed else None,
    )


def _standing(github: GitHub, number: int) -> tuple[_Label, ...]:
    pages = github.pages(f"issues/{number}/labels", tuple[_Label, ...])
    return tuple(chain.from_iterable(pages))


def _present(
    names: Iterable[str], standing: Iterable[_Label], memory: PublisherMemory
) -> dict[str, str]:
    """Return which of our labels stand there: our name → its present name."""
    by_name = {label.name.casefold(): label.name for label in standing}
    by_id = {str(label.id): label.name for label in standing}
    found = {name: by_name.get(name.casefold()) for name in names}
    return {
        name: there
        for name, same in found.items()
        if (there := same or by_id.get(memory.recall(name) or ""))
    }


# GitHub's label names ignore case.


def _among(names: Iterable[str], others: Iterable[str]) -> frozenset[str]:
    folded = {other.casefold() for other in others}
    return frozenset(name for name in names if name.casefold() in folded)


def _without(names: Iterable[str], others: Iterable[str]) -> frozenset[str]:
    names = frozenset(names)
    return names - _among(names, others)


def _add(
    github: GitHub,
    number: int,
    agents: Mapping[str, str],
    missing: Iterable[str],
    memory: PublisherMemory,
) -> tuple[dict[str, str], list[str]]:
    """Add labels to those that are set; replacing them all would remove people's labels.

    Returns our name → present name of what was added, and what the repository deleted.
    """
    defined = {name: _defined(github, name, agents[name], memory) for name in sorted(missing)}
    added = {name: there for name, there in defined.items() if there is not None}
    if added:
        _set(github, number, [*added.values()])
    return added, [name for name in defined if name not in added]


def _set(github: GitHub, number: int, names: list[str]) -> None:
    try:
        github.post(f"issues/{number}/labels", {"labels": names}, tuple[_Label, ...])
    except TemporaryFailure:
        # If they are set now, we set them, and must remember that.
        if _without(names, (one.name for one in _standing(github, number))):
            raise


def _defined(github: GitHub, name: str, agent: str, memory: PublisherMemory) -> str | None:
    """Return a label's present name, defining it if the repository never had it.

    ``None``: somebody deleted it there. A definition that exists is never changed.
    """
    known = memory.recall(name)
    try:
        memory.keep(name, str(github.get(f"labels/{segment(name)}", _Label).id))
    except NotFound:
        if known is not None:
            return _renamed(github, known)
        definition = {"name": name, "color": COLOR, "description": description(agent)}
        try:
            memory.keep(name, str(github.post("labels", definition, _Label).id))
        except (PermissionRefused, RequestRejected):
            # Another worker defined it, or we may not: then adding it creates it in gray.
            return name
    return name


def _renamed(github: GitHub, known: str) -> str | None:
    """Return the present name of a label by its id; ``None``: it was deleted."""
    listed = chain.from_iterable(github.pages("labels", tuple[_Label, ...]))
    return next((label.name for label in listed if str(label.id) == known), None)


def _remove(github: GitHub, number: int, name: str) -> None:
    try:
        github.delete(f"issues/{number}/labels/{segment(name)}")
    except NotFound:
        return


def _detail(**parts: Iterable[str]) -> str | None:
    """Say what was done and what was left alone: ``added claude-code-assisted``."""
    said = [
        (what.replace("_", " "), name) for what, names in parts.items() for name in sorted(names)
    ]
    return ", ".join(map(" ".join, said)) or None


def _confirmed(github: GitHub, number: int, wanted: Iterable[str], unwanted: Iterable[str]) -> bool:
    standing = [label.name for label in _standing(github, number)]
    return not _without(wanted, standing) and not _among(unwanted, standing)
