"""The blueprint that every route of the read-only API shares."""

from flask import Blueprint

api = Blueprint("api", __name__, url_prefix="/api")
