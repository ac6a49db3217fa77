"""Counts over many pull requests, and the list of them, as the API shows them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from flask import Blueprint, Response, abort

from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services
from ghapp.store import WeekCoverage
from ghapp.summaries.selection import SMALLEST_GROUP, NotShown
from ghapp.web.access import note_access, readable, require_member, require_reader
from ghapp.web.api.answers import ListPage, answer, listed
from ghapp.web.api.questions import ListParameters, SpanParameters, SummaryParameters, read

COVERED = timedelta(days=83)

Found = TypeVar("Found")


class CoveredWeek(Struct, frozen=True):
    """From how many developers' machines evidence of a repository came in one week."""

    week: date
    """Its Monday."""
    developers: int
    machines: int
    edits: int | None
    """``None``: too few developers, so that the number would be about persons."""


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the routes of a repository's and of an organization's numbers."""

    @blueprint.get("/repositories/<owner>/<name>/summary")
    def repository_summary(owner: str, name: str) -> Response:
        repository = require_reader(services, owner, name)
        asked = read(SummaryParameters)
        note_access(services, "summary", repository=repository)
        selection = asked.of((repository.id,))
        return answer(shown(lambda: services.summaries.repository(selection, asked.grain)))

    @blueprint.get("/repositories/<owner>/<name>/pulls")
    def pulls(owner: str, name: str) -> Response:
        repository = require_reader(services, owner, name)
        asked = read(ListParameters)
        note_access(services, "pulls", repository=repository)
        selection = asked.of((repository.id,))
        page = shown(lambda: services.summaries.pulls(selection, asked.listing))
        return listed(ListPage(items=page.rows, after=page.after))

    @blueprint.get("/repositories/<owner>/<name>/coverage")
    def coverage(owner: str, name: str) -> Response:
        repository = require_reader(services, owner, name)
        asked = read(SpanParameters)
        note_access(services, "coverage", repository=repository)
        until = asked.until or services.clock().date()
        since = asked.since or until - COVERED
        begins, ends = (datetime.combine(day, time(), UTC) for day in (since, until))
        weeks = services.store.coverage.weeks(repository.id, begins, ends)
        return answer(tuple(map(_covered, weeks)))

    @blueprint.get("/organizations/<organization>/summary")
    def organization_summary(organization: str) -> Response:
        installation = require_member(services, organization)
        asked = read(SummaryParameters)
        selection = asked.of(tuple(sorted(readable(services, installation.id))))
        note_access(services, "summary", detail=installation.account)
        today = services.clock().date()
        return answer(
            shown(lambda: services.summaries.organization(selection, asked.grain, today=today))
        )


def _covered(found: WeekCoverage) -> CoveredWeek:
    people = len(found.developers)
    return CoveredWeek(
        week=found.week.date(),
        developers=people,
        machines=found.machines,
        edits=found.edits if people >= SMALLEST_GROUP else None,
    )


def shown(ask: Callable[[], Found]) -> Found:
    """Return what is asked for; 403 where it is about people who are not shown, else 400."""
    try:
        return ask()
    except NotShown as error:
        abort(403, str(error))
    except ValueError as error:
        abort(400, str(error))
