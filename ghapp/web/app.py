"""The web application: puts routes, headers and error answers together."""

from flask import Flask, abort, request
from werkzeug.middleware.proxy_fix import ProxyFix

from ghapp.bootstrap import Services, build
from ghapp.log import configure
from ghapp.settings import Settings
from ghapp.web.access import add_access
from ghapp.web.account import account
from ghapp.web.api import api
from ghapp.web.badge import badge
from ghapp.web.collector import collector
from ghapp.web.current import attach
from ghapp.web.deployments import deployments
from ghapp.web.enrollment import enrollment
from ghapp.web.errors import add_error_answers
from ghapp.web.frame import add_frame
from ghapp.web.framing import LARGEST_BODY
from ghapp.web.headers import add_headers
from ghapp.web.health import health
from ghapp.web.limits import add_limits
from ghapp.web.login import login
from ghapp.web.metrics import metrics
from ghapp.web.openapi import add_description, openapi
from ghapp.web.operator import operator
from ghapp.web.organization_settings import organization_settings
from ghapp.web.pages import pages
from ghapp.web.pages.filters import add_refusals
from ghapp.web.record_keys import record_keys
from ghapp.web.schemas import schemas
from ghapp.web.telemetry import telemetry
from ghapp.web.uploads import uploads
from ghapp.web.usage_identities import usage_identities
from ghapp.web.webhook import webhook

BLUEPRINTS = (
    *(webhook, health, pages, login, account, organization_settings),
    usage_identities,
    *(enrollment, uploads, telemetry, deployments, openapi, api, badge),
    *(operator, metrics, record_keys, schemas, collector),
)


def _refuse_a_prefix() -> None:
    """Refuse pages below a path: their links and cookies begin at the root of a host name.

    GitHub's deliveries and probes need no links.
    """
    prefix = request.headers.get("X-Forwarded-Prefix", "").strip("/")
    if prefix and not request.path.startswith(("/webhooks/", "/healthz", "/readyz", "/metrics")):
        abort(421, "a proxy serves this app below a path: give it a host name of its own")


def create_app(services: Services | None = None) -> Flask:
    """Return the application; without services, build them from the environment.

    Raises `SettingsError`, which names every missing setting at once.
    """
    if services is None:
        settings = Settings.from_environment()
        configure(settings.log_level, hidden=settings.hidden)
        services = build(settings, quick=True)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    if proxies := services.settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, proxies, proxies, 0, 0, 0)  # type: ignore[method-assign]
    app.before_request(_refuse_a_prefix)
    attach(app, services)
    add_headers(app)
    add_frame(app, services.settings.notice_file)
    add_error_answers(app)
    add_limits(app, services)
    add_access(app)
    add_refusals(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    add_description(app, services.settings.public_url)
    return app
