"""All publishers in the order they run, what is left out, and what follows from each error.

Label and comment come first, so that the check run can list what they could not write. It needs
another permission, so it can report a missing one (docs/decisions, 5). Where the hour has no room
for everything, `plan` says what is left out.
"""

from collections.abc import Collection, Sequence

import msgspec

from ghapp.attribution.model import Struct
from ghapp.github.answers import (
    GitHubError,
    GoneForGood,
    GoneReason,
    PermissionRefused,
    RateLimited,
)
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import PullRequest
from ghapp.publishers import check_run, comment, label
from ghapp.publishers.plan import EVERYTHING, PublishingPlan, WriteKind
from ghapp.publishers.publisher import (
    DesiredState,
    Memories,
    NotReadBack,
    NotSeenYet,
    Publisher,
    PublisherMemory,
    PublisherReport,
    WriteResult,
)
from ghapp.reports.harmless import prose
from ghapp.reports.markdown import CheckOutput

PUBLISHERS: dict[str, Publisher] = {
    label.NAME: label,
    comment.NAME: comment,
    check_run.NAME: check_run,
}

NOT_WRITTEN = "#### Not written"
MOST_PROBLEM = 300
"""Characters of one problem in the check run."""

_END_OF_JOB = frozenset({GoneReason.UNINSTALLED, GoneReason.SUSPENDED, GoneReason.REMOVED})
"""No publisher can write anything more."""


class PublishReport(Struct, frozen=True, kw_only=True):
    """What all publishers did."""

    published: tuple[PublisherReport, ...]
    later: GitHubError | None = None
    """Why to publish again later; ``None``: publishing is over, well or badly."""


def publish(  # noqa: PLR0913 - what to show and where, and what limits it
    desired: DesiredState,
    pull: PullRequest,
    github: GitHub,
    memories: Memories,
    *,
    only: Collection[str] = PUBLISHERS,
    plan: PublishingPlan = EVERYTHING,
) -> PublishReport:
    """Run all publishers, or ``only`` some, as far as the plan has room; return what each did.

    Raises `GoneForGood` if the app or the repository is gone; the report holds every other error.
    """
    done: list[PublisherReport] = []
    later: GitHubError | None = None
    for name, publisher in PUBLISHERS.items():
        if name not in only:
            continue
        wanted = _with_problems(desired, done) if name == check_run.NAME else desired
        kind, before = _kind(name, desired, memories[name]), github.writes
        # Who asked for the check again waits for it.
        if kind is not None and not desired.asked_again and not plan.has_room(kind):
            done.append(_left_out(name, kind, memories[name]))
            continue
        try:
            done.append(publisher.publish(wanted, pull, github, memories[name]))
        except RateLimited as limited:
            # Another request would only lengthen the limit.
            done.append(_not_written(name, limited, memories))
            return PublishReport(published=tuple(done), later=limited)
        except (GoneForGood, PermissionRefused) as lasting:
            if isinstance(lasting, GoneForGood) and lasting.why in _END_OF_JOB:
                raise
            done.append(_not_written(name, lasting, memories))
        except GitHubError as passing:
            later = passing
            done.append(_not_written(name, passing, memories))
        finally:
            if kind is not None and github.writes > before:
                plan.note(kind, github.writes - before)
    return PublishReport(published=tuple(done), later=later)


def _kind(name: str, desired: DesiredState, memory: PublisherMemory) -> WriteKind | None:
    """Return what kind of write a publisher would do; ``None``: it makes nothing new."""
    if name == label.NAME:
        return WriteKind.LABEL
    opens = desired.comment is not None and desired.opens_comment
    if name == comment.NAME and memory.external_id is None and not opens:
        return None
    if memory.external_id is not None:
        return WriteKind.SECOND_EDIT
    if name == comment.NAME:
        return WriteKind.COMMENT
    return WriteKind.ASSISTED_RUN if desired.is_assisted else WriteKind.OTHER_RUN


def _left_out(name: str, kind: WriteKind, memory: PublisherMemory) -> PublisherReport:
    return PublisherReport(
        name=name,
        outcome=WriteResult.LEFT_OUT,
        detail=f"{kind.replace('_', ' ')}: the hour has no room for it; it follows when one has",
        external_id=memory.external_id,
    )


def _not_written(name: str, error: GitHubError, memories: Memories) -> PublisherReport:
    lasts = isinstance(error, GoneForGood | PermissionRefused | NotSeenYet)
    again = "" if lasts else "; it will be tried again"
    known = error.external_id if isinstance(error, NotReadBack) else memories[name].external_id
    return PublisherReport(
        name=name,
        outcome=WriteResult.NOT_WRITTEN,
        detail=f"{error}{again}",
        told=f"{error.told}{again}",
        external_id=known,
    )


def _with_problems(desired: DesiredState, done: Sequence[PublisherReport]) -> DesiredState:
    """Add to the check run what could not be written, where people look."""
    problems = [published.problem for published in done if published.problem is not None]
    if not problems:
        return desired
    lines = [f"- {prose(problem, MOST_PROBLEM)}" for problem in problems]
    check = CheckOutput(
        title=desired.check.title,
        summary="\n".join([desired.check.summary.rstrip(), "", NOT_WRITTEN, "", *lines, ""]),
        text=desired.check.text,
    )
    return msgspec.structs.replace(desired, check=check)
