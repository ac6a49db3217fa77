"""The services of the application that answers this request."""

from typing import cast

from flask import Flask, current_app, request
from werkzeug.local import LocalProxy

from ghapp.bootstrap import Services

_KEY = "ghapp.services"

services = cast("Services", LocalProxy(lambda: current_app.extensions[_KEY]))
"""Works like Flask's ``current_app``: it raises `RuntimeError` outside a request.

A streamed answer outlives its request, so it reads what it needs before it starts.
"""


def attach(app: Flask, services: Services) -> None:
    """Make these the services of an application."""
    app.extensions[_KEY] = services


def own_address() -> str:
    """Return the app's own address: as it is set, or as this request calls it."""
    return services.settings.public_url or request.host_url.rstrip("/")
