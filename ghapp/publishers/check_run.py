"""The check run `attribution` on a pull request's head: one for each pull request.

It is written last, because it also lists what the other publishers could not write.
https://docs.github.com/en/rest/checks/runs
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec

from ghapp.attribution.model import Struct
from ghapp.git.names import segment
from ghapp.github.answers import NotFound
from ghapp.github.client import GitHub
from ghapp.github.external_id import ExternalId
from ghapp.github.pull_requests import PullRequest
from ghapp.publishers.publisher import (
    MOST_TEXT_BYTES,
    DesiredState,
    PublisherMemory,
    PublisherReport,
    WriteResult,
    expect_seen,
    make_once,
    read_back,
    same_text,
)
from ghapp.reports.annotations import LineAnnotation

NAME = "check_run"
RUN_NAME = "attribution"
"""The name that people see, and that a branch protection rule may require."""

ANNOTATIONS_A_REQUEST = 50
"""GitHub accepts no more in one request; further requests append.
https://docs.github.com/en/rest/checks/runs#update-a-check-run"""
MOST_ANNOTATIONS = 200
"""At most, in four requests. Each shows in the diff, and a diff full of notes helps nobody."""

ACTIONS = (
    {
        "label": "Audit again",
        "description": "Read the evidence and audit once more",
        "identifier": "audit_again",
    },
    {
        "label": "Explain",
        "description": "Say how each line was judged",
        "identifier": "explain",
    },
)
"""Buttons on the run. GitHub accepts 3, with 20, 40 and 20 characters.
https://docs.github.com/en/rest/checks/runs#create-a-check-run"""


class _App(Struct, frozen=True):
    id: int


class _Output(Struct, frozen=True):
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations_count: int = 0


class _Run(Struct, frozen=True):
    id: int
    name: str
    status: str
    output: _Output
    conclusion: str | None = None
    external_id: str | None = None
    details_url: str | None = None
    html_url: str | None = None
    app: _App | None = None


class _Runs(Struct, frozen=True):
    check_runs: tuple[_Run, ...]


class _Note(msgspec.Struct, frozen=True):
    """An annotation as GitHub lists it: the members that tell two apart."""

    path: str
    start_line: int
    end_line: int
    annotation_level: str | None = None
    title: str | None = None
    message: str | None = None


def publish(
    desired: DesiredState, pull: PullRequest, github: GitHub, memory: PublisherMemory
) -> PublisherReport:
    """Bring the run up to date; remember its id."""
    found = _find(github, pull) or _known(github, pull, memory.external_id)
    if not found:
        expect_seen(github, memory, NAME)
        return _create(desired, pull, github, memory)
    written = [run for run in found if _update(desired, pull, github, run)]
    # Report the oldest, which was announced; GitHub cannot delete the others.
    return _published(desired, pull, github, found[0], is_written=bool(written))


def _external_id(pull: PullRequest) -> str:
    return ExternalId(pull.repository_id, pull.number, pull.head_sha).text


def _find(github: GitHub, pull: PullRequest) -> list[_Run]:
    """Return our runs for this pull request, oldest first.

    Two pull requests may share a head, so the name is not enough to tell runs apart.
    """
    ours = [run for run in _runs(github, pull.head_sha) if _is_ours(github, pull, run)]
    return sorted(ours, key=lambda run: run.id)


def _runs(github: GitHub, head_sha: str) -> Iterator[_Run]:
    """Yield this app's runs on a commit."""
    path = f"commits/{segment(head_sha)}/check-runs"
    pages = github.pages(path, _Runs, check_name=RUN_NAME, filter="all")
    for run in chain.from_iterable(page.check_runs for page in pages):
        if run.app is not None and run.app.id == github.app_id and run.name == RUN_NAME:
            yield run


def pulls_of_runs(github: GitHub, head_sha: str) -> tuple[int, ...]:
    """Return the pull requests of this repository that our runs on a commit are about.

    Others may have the same head and no run of ours; the runs name theirs themselves.
    """
    ours = (ExternalId.from_text(run.external_id) for run in _runs(github, head_sha))
    numbers = {one.number for one in ours if one and one.repository_id == github.repository_id}
    return tuple(sorted(numbers))


def _known(github: GitHub, pull: PullRequest, known: str | None) -> list[_Run]:
    """Ask for the run by its id: a list may be older than the run."""
    if known is None:
        return []
    try:
        run = github.get(f"check-runs/{segment(known)}", _Run)
    except NotFound:
        return []
    return [run] if _is_ours(github, pull, run) else []


def _is_ours(github: GitHub, pull: PullRequest, run: _Run) -> bool:
    by_us = run.app is not None and run.app.id == github.app_id
    return by_us and run.name == RUN_NAME and run.external_id == _external_id(pull)


def _create(
    desired: DesiredState, pull: PullRequest, github: GitHub, memory: PublisherMemory
) -> PublisherReport:
    wanted = desired.annotations[:MOST_ANNOTATIONS]
    first, rest = wanted[:ANNOTATIONS_A_REQUEST], wanted[ANNOTATIONS_A_REQUEST:]
    body = {"name": RUN_NAME, "head_sha": pull.head_sha, **_body(desired, pull, first)}
    run, is_new = make_once(
        lambda: github.post("check-runs", body, _Run, before=memory.note),
        lambda: _find(github, pull),
        memory,
    )
    if is_new:
        _append(desired, pull, github, run.id, rest)
    else:
        _update(desired, pull, github, run)
    return _published(desired, pull, github, run, is_written=True)


def _update(desired: DesiredState, pull: PullRequest, github: GitHub, run: _Run) -> bool:
    """Write the difference; return whether there was one."""
    new = _new_annotations(desired, github, run)
    if _is_current(desired, run) and not new and not desired.asked_again:
        return False
    first, rest = new[:ANNOTATIONS_A_REQUEST], new[ANNOTATIONS_A_REQUEST:]
    github.patch(f"check-runs/{run.id}", _body(desired, pull, first), _Run)
    _append(desired, pull, github, run.id, rest)
    return True


def _append(
    desired: DesiredState,
    pull: PullRequest,
    github: GitHub,
    run_id: int,
    annotations: Sequence[LineAnnotation],
) -> None:
    for start in range(0, len(annotations), ANNOTATIONS_A_REQUEST):
        some = annotations[start : start + ANNOTATIONS_A_REQUEST]
        github.patch(f"check-runs/{run_id}", _body(desired, pull, some), _Run)


def _body(
    desired: DesiredState, pull: PullRequest, annotations: Iterable[LineAnnotation]
) -> dict[str, Any]:
    output: dict[str, Any] = {
        "title": desired.check.title,
        "summary": within(desired.check.summary),
        "text": within(desired.check.text),
    }
    notes = [msgspec.to_builtins(annotation) for annotation in annotations]
    if notes:
        output["annotations"] = notes
    body: dict[str, Any] = {
        "external_id": _external_id(pull),
        "status": "completed",
        "conclusion": desired.conclusion.value,
        "output": output,
        "actions": list(ACTIONS),
    }
    if desired.details_url is not None:
        body["details_url"] = desired.details_url
    return body


def within(text: str, most: int = MOST_TEXT_BYTES) -> str:
    """Cut a text at the end of a line if it has more UTF-8 bytes than GitHub accepts."""
    data = text.encode()
    if len(data) <= most:
        return text
    ending = "\n\n(cut: it was longer than GitHub accepts)\n"
    kept = data[: most - len(ending)].decode(errors="ignore")
    return kept.rpartition("\n")[0] + ending


def _is_current(desired: DesiredState, run: _Run) -> bool:
    return (
        run.status == "completed"
        and run.conclusion == desired.conclusion.value
        and (desired.details_url is None or run.details_url == desired.details_url)
        and same_text(run.output.title, desired.check.title)
        and same_text(run.output.summary, within(desired.check.summary))
        and same_text(run.output.text, within(desired.check.text))
    )


def _new_annotations(desired: DesiredState, github: GitHub, run: _Run) -> list[LineAnnotation]:
    """Return the annotations that the run lacks.

    GitHub only appends, so the annotations of an earlier audit stay; each names its edit.
    """
    wanted = desired.annotations[:MOST_ANNOTATIONS]
    if not wanted or run.output.annotations_count == 0:
        return list(wanted)
    pages = github.pages(f"check-runs/{run.id}/annotations", tuple[_Note, ...])
    standing = set(chain.from_iterable(pages))
    room = max(0, MOST_ANNOTATIONS - len(standing))
    return [annotation for annotation in wanted if _note(annotation) not in standing][:room]


def _note(annotation: LineAnnotation) -> _Note:
    return _Note(
        path=annotation.path,
        start_line=annotation.start_line,
        end_line=annotation.end_line,
        annotation_level=annotation.annotation_level,
        title=annotation.title,
        message=annotation.message,
    )


def _published(
    desired: DesiredState, pull: PullRequest, github: GitHub, run: _Run, *, is_written: bool
) -> PublisherReport:
    confirmed = None
    if is_written:
        known = str(run.id)
        confirmed = _is_current(desired, read_back(_known(github, pull, known), NAME, known))
    return PublisherReport(
        name=NAME,
        outcome=WriteResult.WRITTEN if is_written else WriteResult.UNCHANGED,
        url=run.html_url,
        external_id=str(run.id),
        confirmed=confirmed,
    )
