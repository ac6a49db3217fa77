"""The settings of an organization, for its owners: the weekly summary. It sends nothing."""

from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ghapp.store import Installation, WeeklyOrder
from ghapp.upkeep.outgoing import WrongAddress, check_mail_address, check_webhook
from ghapp.upkeep.weekly import next_sending
from ghapp.web.access import note_access, require_admin, require_viewer
from ghapp.web.current import services

PATH = "/organizations/<organization>/settings"

organization_settings = Blueprint("organization_settings", __name__)


@organization_settings.get(PATH)
def settings(organization: str) -> str:
    """Show the settings and a preview of the weekly summary."""
    installation = require_admin(organization)
    weekly = services.weekly_summaries
    order = services.store.weeklies.of(installation.id)
    webhook = weekly.webhook(order) if order else None
    note_access("weekly summary", detail=installation.account)
    return render_template(
        "organization_settings.html",
        account=installation.account,
        order=order,
        # The rest of the address is a secret: anybody who knows it can post there.
        webhook_host=urlsplit(webhook).hostname if webhook else None,
        can_mail=weekly.mail_server is not None,
        next_sending=next_sending(services.clock()),
        preview=weekly.preview(installation),
    )


@organization_settings.post(f"{PATH}/weekly")
def order(organization: str) -> Response:
    """Switch the weekly summary on, or change where it goes."""
    installation = require_admin(organization)
    services.store.weeklies.order(_wanted(installation), now=services.clock())
    return _back(installation)


@organization_settings.post(f"{PATH}/weekly/stop")
def stop(organization: str) -> Response:
    """Switch the weekly summary off."""
    installation = require_admin(organization)
    services.store.weeklies.stop(installation.id)
    return _back(installation)


def _wanted(installation: Installation) -> WeeklyOrder:
    """Read the form; an empty webhook field keeps the current webhook."""
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
        abort(400, "this app sends no mail: its operator must set GHAPP_MAIL_URL")
    return WeeklyOrder(
        installation_id=installation.id,
        webhook=sealed,
        mail=mail or None,
        set_by=require_viewer().login,
    )


def _back(installation: Installation) -> Response:
    address = url_for("organization_settings.settings", organization=installation.account)
    return redirect(address, 303)
