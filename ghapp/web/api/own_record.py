"""The route that tells a person what the app knows of that person, and of nobody else."""

from datetime import date

from flask import Response

from ghapp.store import ErasureScope, Installation, TokenKind
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.summaries.selection import NamesShown, PersonNaming, PullSelection, year_before
from ghapp.usage.counts import UsageSelection
from ghapp.web.access import (
    PageViewer,
    installations,
    note_access,
    readable_ids,
    require_viewer,
)
from ghapp.web.api.answers import answer
from ghapp.web.api.blueprint import api
from ghapp.web.api.operation import reads
from ghapp.web.api.questions import NoParameters, read
from ghapp.web.current import services
from ghapp.wire import OwnAccount, OwnMachine, OwnRecord


@api.get("/viewer/record")
@reads(
    "readOwnRecord",
    "Read what the app knows of the person who asks: of the last twelve months, and nobody else.",
    OwnRecord,
)
def own_record() -> Response:
    """Answer with the viewer's own numbers, however the organization shows people to others."""
    read(NoParameters)
    viewer = require_viewer()
    note_access("own record")
    until = services.clock().date()
    places = [(one, readable_ids(one.id)) for one in installations()]
    numbers = tuple(number for _, some in places for number in some)
    scope = ErasureScope(login=viewer.login, user_id=viewer.person.id, repository_ids=numbers)
    edits, last = services.store.evidence.held_of(scope)
    return answer(
        OwnRecord(
            login=viewer.login,
            names=services.settings.names.value,
            since=year_before(until),
            until=until,
            machines=_machines(viewer),
            edits=edits,
            last_edit_at=last,
            accounts=tuple(_account(viewer, one, some, until) for one, some in places),
        )
    )


def _machines(viewer: PageViewer) -> tuple[OwnMachine, ...]:
    now = services.clock()
    return tuple(
        OwnMachine(label=one.label, created_at=one.created_at, used_at=one.used_at)
        for one in services.store.tokens.of_user(viewer.person.id)
        if one.kind is TokenKind.UPLOAD and one.is_valid(now)
    )


def _account(
    viewer: PageViewer, installation: Installation, numbers: tuple[int, ...], until: date
) -> OwnAccount:
    """Return a person's numbers in the repositories of one account that the person may read."""
    since = year_before(until)
    # One's own numbers are no secret from oneself, so the setting for others does not matter.
    own = SummaryQuestions(services.store.database, PersonNaming(names=NamesShown.PEOPLE))
    pulls = own.totals(
        PullSelection(repository_ids=numbers, since=since, until=until, author=viewer.login)
    )
    usage = services.usage.by_login(
        UsageSelection(
            installation_id=installation.id, repository_ids=numbers, since=since, until=until
        ),
        [viewer.login],
    ).get(viewer.login.lower())
    tokens = usage.tokens if usage else None
    return OwnAccount(
        account=installation.account,
        pulls=pulls.pulls,
        assisted=pulls.assisted if pulls.is_known else None,
        no_evidence=pulls.no_evidence,
        effective=pulls.effective,
        attributed=pulls.attributed if pulls.is_known else None,
        share=pulls.share,
        agent_sessions=usage.agent_sessions if usage else None,
        tokens=tokens.total if tokens else None,
    )
