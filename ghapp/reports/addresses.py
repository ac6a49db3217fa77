"""Addresses of the app's own pages that GitHub's readers follow. It asks no framework for them."""

from ghapp.attribution.model import Audit, Struct
from ghapp.git.names import RepositoryName, in_path


class PageLinks(Struct, frozen=True):
    """Where an audit's readers find more."""

    reasons: str
    """The page of reasons, which needs no sign-in; a reason's anchor follows."""
    pull_request: str | None
    """The page that explains every line; ``None``: the audit is of no pull request."""


def page_links(public_url: str, audit: Audit) -> PageLinks:
    """Return the pages about an audit. ``public_url`` has no slash at its end."""
    return PageLinks(
        reasons=f"{public_url}/reasons",
        pull_request=_pull_request(public_url, audit.repository, audit.pull_request),
    )


def _pull_request(public_url: str, repository: str | None, number: int | None) -> str | None:
    if repository is None or number is None or RepositoryName.parse(repository) is None:
        return None
    return f"{public_url}/repositories/{in_path(repository)}/pull/{number}"
