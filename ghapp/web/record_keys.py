"""The public keys that records are signed with, for whoever checks a bundle. Anybody may ask."""

from flask import Blueprint, Response

from ghapp.bootstrap import Services
from ghapp.records.keys import shown
from ghapp.store import RecordKey


def record_keys(services: Services) -> Blueprint:
    """Return the route ``/records/keys.pem``."""
    blueprint = Blueprint("record_keys", __name__)

    @blueprint.get("/records/keys.pem")
    def keys() -> Response:
        text = "".join(map(_shown, services.store.records.all_keys()))
        return Response(text, mimetype="application/x-pem-file")

    return blueprint


def _shown(key: RecordKey) -> str:
    return shown(key.public, key.made_at, key.retired_at)
