"""The public keys that verify signed records. Anybody may read them."""

from flask import Blueprint, Response

from ghapp.records.keys import shown
from ghapp.web.current import services

record_keys = Blueprint("record_keys", __name__)


@record_keys.get("/records/keys.pem")
def keys() -> Response:
    """Answer with every key, including retired ones."""
    found = services.store.records.all_keys()
    text = "".join(shown(one.public, one.made_at, one.retired_at) for one in found)
    return Response(text, mimetype="application/x-pem-file")
