"""The badge of a repository: a picture for a README, whose readers are not signed in."""

import hashlib
import hmac
from datetime import timedelta

from flask import Blueprint, Response, abort, request, url_for

from ghapp.attribution.model import Struct
from ghapp.github.token_cache import derive_key
from ghapp.reports.badge import badge as picture
from ghapp.store import Repository
from ghapp.summaries.selection import PullSelection
from ghapp.web.access import require_repository_admin
from ghapp.web.api.answers import answer
from ghapp.web.api.operation import reads
from ghapp.web.api.questions import NoParameters, read
from ghapp.web.current import own_address, services

SPAN = timedelta(days=89)
"""Days before today that a badge covers: ninety in all."""
FRESH_SECONDS = 3600
"""How long GitHub's image proxy may cache a badge.

https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-anonymized-urls
"""


class BadgeLink(Struct, frozen=True):
    """The address of a badge, ready for a README."""

    url: str
    markdown: str


badge = Blueprint("badge", __name__)


@badge.get("/badge/<owner>/<name>.svg")
def shown(owner: str, name: str) -> Response:
    """Answer with the badge as SVG."""
    repository = services.store.installations.find(f"{owner}/{name}")
    if repository is None or not _is_allowed(repository):
        abort(404, "there is no such badge")
    today = services.clock().date()
    selection = PullSelection(repository_ids=(repository.id,), since=today - SPAN, until=today)
    body = picture(services.summaries.totals(selection))
    response = Response(body, content_type="image/svg+xml")
    response.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
    response.add_etag()
    response.make_conditional(request)
    return response


@badge.get("/api/repositories/<owner>/<name>/badge")
@reads(
    "readBadgeLink", "Read the address of the repository's badge, as its administrator.", BadgeLink
)
def link(owner: str, name: str) -> Response:
    """Answer with the badge's address."""
    repository = require_repository_admin(owner, name)
    read(NoParameters)
    key = None if _is_public(repository) else _key(repository)
    path = url_for("badge.shown", owner=repository.owner, name=repository.name, key=key)
    base = own_address()
    url = f"{base}{path}"
    return answer(BadgeLink(url=url, markdown=f"![Agent-assisted lines]({url})"))


def _is_allowed(repository: Repository) -> bool:
    given = request.args.get("key", "")
    is_signed = hmac.compare_digest(given.encode(), _key(repository).encode())
    return is_signed or _is_public(repository)


def _is_public(repository: Repository) -> bool:
    return services.settings.public_pages and not repository.private


def _key(repository: Repository) -> str:
    """Return the key in an administrator's address; it opens this badge and nothing else."""
    secret = derive_key(services.settings.encryption_key, "badges")
    return hmac.new(secret, str(repository.id).encode(), hashlib.sha256).hexdigest()[:32]
