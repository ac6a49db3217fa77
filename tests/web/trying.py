"""Addresses of tests' own behind the app's door, each of which asks one check."""

from ghapp.web.access import require_member, require_reader, viewer
from tests.web.place import Place


def with_tries(place: Place) -> Place:
    """Add addresses that answer what a check of `ghapp.web.access` lets through."""
    place.app.add_url_rule("/try/<owner>/<name>", "try", lambda **names: _tried(names))
    place.app.add_url_rule("/try-member", "member", lambda: require_member("acme").account)
    place.app.add_url_rule(
        "/try-member/<name>", "member-of", lambda name: require_member(name).account
    )
    place.app.add_url_rule("/api/try/<owner>/<name>", "api-try", lambda **names: _tried(names))
    place.app.add_url_rule("/api/who", "who", _who, methods=["GET", "POST"])
    return place


def _tried(names: dict[str, str]) -> str:
    return require_reader(**names).full_name


def _who() -> str:
    found = viewer()
    return "anonymous" if found is None else found.login
