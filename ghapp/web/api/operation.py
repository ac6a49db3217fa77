"""What the OpenAPI document says about one route. The route carries it; nothing is checked here."""

from collections.abc import Callable
from typing import Any, TypeVar

from ghapp.attribution.model import Struct
from ghapp.web.api.answers import JSON

UPLOAD = "upload"
READ = "read"
INGEST = "ingest"
"""The kinds of token."""
READ_REFUSALS = (400, 401, 403, 404, 429, 503)

ViewT = TypeVar("ViewT", bound=Callable[..., Any])


class ApiOperation(Struct, frozen=True, kw_only=True):
    """What a route takes, what it answers, and which token it needs."""

    id: str
    """A unique name for programs."""
    about: str
    """One sentence."""
    answers: dict[int, Any]
    """Status → type of its JSON; ``None``: no body, or a body that is not JSON (see ``media``)."""
    body: Any = None
    """Type of the request's JSON; ``None``: the request has no body."""
    token: str | None = None
    """`UPLOAD`, `READ` or `INGEST`; ``None``: no token is needed."""
    question: type[Struct] | None = None
    """The query parameters as a struct; ``None``: there are none."""
    refusals: tuple[int, ...] = ()
    """Statuses that answer with a `wire.WireProblem`."""
    media: str = JSON
    """Media type of the answer."""


_OPERATIONS: dict[Callable[..., Any], ApiOperation] = {}


def describe(operation: ApiOperation) -> Callable[[ViewT], ViewT]:
    """Attach an operation to a route's function; stands directly below the route's decorator."""

    def attach(view: ViewT) -> ViewT:
        _OPERATIONS[view] = operation
        return view

    return attach


def reads(
    name: str,
    about: str,
    answer: Any = None,
    *,
    question: type[Struct] | None = None,
    media: str = JSON,
) -> Callable[[ViewT], ViewT]:
    """Describe a route of the read-only API: it needs a read token and answers 200."""
    operation = ApiOperation(
        id=name,
        about=about,
        answers={200: answer},
        token=READ,
        question=question,
        refusals=READ_REFUSALS,
        media=media,
    )
    return describe(operation)


def operation_of(view: Callable[..., Any]) -> ApiOperation | None:
    """Return what was attached to a route's function; ``None``: nothing was."""
    return _OPERATIONS.get(view)
