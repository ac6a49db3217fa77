"""The badge of a repository: a picture that stands in a README, where nobody is signed in."""

import hashlib
import hmac
from datetime import timedelta

from flask import Blueprint, Response, abort, request, url_for

from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services
from ghapp.github.token_cache import derive_key
from ghapp.reports.badge import badge as picture
from ghapp.store import Repository
from ghapp.summaries.selection import PullSelection
from ghapp.web.access import require_repository_admin
from ghapp.web.api.answers import answer

SPAN = timedelta(days=89)
"""Days before today that a badge is about: ninety in all."""
FRESH_SECONDS = 3600
"""How long GitHub's proxy of pictures may show the same one."""


class BadgeLink(Struct, frozen=True):
    """Where a badge is, for whoever puts it into a README."""

    url: str
    markdown: str


def badge(services: Services) -> Blueprint:
    """Return the routes of a badge and of its address."""
    blueprint = Blueprint("badge", __name__)

    @blueprint.get("/badge/<owner>/<name>.svg")
    def shown(owner: str, name: str) -> Response:
        repository = services.store.installations.find(f"{owner}/{name}")
        if repository is None or not _is_allowed(services, repository):
            abort(404, "there is no such badge")
        today = services.clock().date()
        selection = PullSelection(repository_ids=(repository.id,), since=today - SPAN, until=today)
        body = picture(services.summaries.totals(selection))
        response = Response(body, content_type="image/svg+xml")
        response.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
        response.add_etag()
        response.make_conditional(request)
        return response

    @blueprint.get("/api/repositories/<owner>/<name>/badge")
    def link(owner: str, name: str) -> Response:
        repository = require_repository_admin(services, owner, name)
        key = None if _is_public(services, repository) else _key(services, repository)
        path = url_for("badge.shown", owner=repository.owner, name=repository.name, key=key)
        base = services.settings.public_url or request.host_url.rstrip("/")
        url = f"{base}{path}"
        return answer(BadgeLink(url=url, markdown=f"![Agent-assisted lines]({url})"))

    return blueprint


def _is_allowed(services: Services, repository: Repository) -> bool:
    given = request.args.get("key", "")
    is_signed = hmac.compare_digest(given.encode(), _key(services, repository).encode())
    return is_signed or _is_public(services, repository)


def _is_public(services: Services, repository: Repository) -> bool:
    return services.settings.public_pages and not repository.private


def _key(services: Services, repository: Repository) -> str:
    """Return what an administrator's address carries: it opens this one number and no more."""
    secret = derive_key(services.settings.encryption_key, "badges")
    return hmac.new(secret, str(repository.id).encode(), hashlib.sha256).hexdigest()[:32]
