"""What an organization's owners set: the weekly summary, on or off. It sends nothing itself."""

from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ghapp.bootstrap import Services
from ghapp.store import Installation, WeeklyOrder
from ghapp.upkeep.outgoing import WrongAddress, check_mail_address, check_webhook
from ghapp.upkeep.weekly import next_sending
from ghapp.web.access import note_access, require_admin, require_viewer


def organization_settings(services: Services) -> Blueprint:
    """Return the routes of an organization's settings."""
    blueprint = Blueprint("organization_settings", __name__)
    path = "/organizations/<organization>/settings"

    @blueprint.get(path)
    def settings(organization: str) -> str:
        installation = require_admin(services, organization)
        weekly = services.weekly_summaries
        order = services.store.weeklies.of(installation.id)
        webhook = weekly.webhook(order) if order else None
        note_access(services, "weekly summary", detail=installation.account)
        return render_template(
            "organization_settings.html",
            account=installation.account,
            order=order,
            # The rest of the address is a secret: whoever knows it can write there.
            webhook_host=urlsplit(webhook).hostname if webhook else None,
            can_mail=weekly.mail_server is not None,
            next_sending=next_sending(services.clock()),
            preview=weekly.preview(installation),
        )

    @blueprint.post(f"{path}/weekly")
    def order(organization: str) -> Response:
        installation = require_admin(services, organization)
        services.store.weeklies.order(_wanted(services, installation), now=services.clock())
        return _back(installation)

    @blueprint.post(f"{path}/weekly/stop")
    def stop(organization: str) -> Response:
        installation = require_admin(services, organization)
        services.store.weeklies.stop(installation.id)
        return _back(installation)

    return blueprint


def _wanted(services: Services, installation: Installation) -> WeeklyOrder:
    """Read the form; an empty webhook keeps the one that is set."""
    webhook, mail = (request.form.get(name, "").strip() for name in ("webhook", "mail"))
    before = services.store.weeklies.of(installation.id)
    sealed = before.webhook if before else None
    try:
        if webhook:
            check_webhook(webhook, private=services.settings.private_webhooks)
            sealed = services.weekly_summaries.seal(webhook)
        if mail:
            check_mail_address(mail)
    except WrongAddress as error:
        abort(400, str(error))
    if sealed is None and not mail:
        abort(400, "give a webhook or a mail address")
    if mail and services.weekly_summaries.mail_server is None:
        abort(400, "this app sends no mail: an operator sets GHAPP_MAIL_URL")
    return WeeklyOrder(
        installation_id=installation.id,
        webhook=sealed,
        mail=mail or None,
        set_by=require_viewer().login,
    )


def _back(installation: Installation) -> Response:
    address = url_for("organization_settings.settings", organization=installation.account)
    return redirect(address, 303)
