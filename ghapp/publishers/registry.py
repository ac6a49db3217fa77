"""All publishers in the order they run, and what follows from each error.

Comment and label come first, so that the check run can list what they could not write. It needs
another permission, so it can report a missing one (docs/decisions, 5).
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
from ghapp.publishers.publisher import (
    DesiredState,
    Memories,
    NotReadBack,
    NotSeenYet,
    Publisher,
    PublisherReport,
    WriteResult,
)
from ghapp.reports.harmless import prose
from ghapp.reports.markdown import CheckOutput

PUBLISHERS: dict[str, Publisher] = {
    comment.NAME: comment,
    label.NAME: label,
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


def publish(
    desired: DesiredState,
    pull: PullRequest,
    github: GitHub,
    memories: Memories,
    *,
    only: Collection[str] = PUBLISHERS,
) -> PublishReport:
    """Run all publishers, or ``only`` some; return what each did.

    Raises `GoneForGood` if the app or the repository is gone; the report holds every other error.
    """
    done: list[PublisherReport] = []
    later: GitHubError | None = None
    for name, publisher in PUBLISHERS.items():
        if name not in only:
            continue
        wanted = _with_problems(desired, done) if name == check_run.NAME else desired
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
    return PublishReport(published=tuple(done), later=later)


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
