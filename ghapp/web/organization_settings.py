"""An organization's settings, for its owners: letter, budgets, deployments, tokens, vendors.

It sends nothing, but for one request with a vendor's new key, to see whether it opens.
"""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ghapp.reports.pull_cost import BASIS_WORDS
from ghapp.spend.budgets import BudgetOf, MonthlyBudget
from ghapp.spend.cost import CostBasis
from ghapp.spend.money import MoneyError, from_dollars
from ghapp.store import (
    NOBODY,
    DeploymentChoice,
    Installation,
    NewToken,
    TokenKind,
    WeeklyOrder,
    new_secret,
)
from ghapp.upkeep.outgoing import WrongAddress, check_mail_address, check_webhook
from ghapp.upkeep.vendor_pulls import WrongKey
from ghapp.upkeep.weekly import next_sending
from ghapp.web.access import note_access, require_admin, require_viewer
from ghapp.web.current import services

PATH = "/organizations/<organization>/settings"
LONGEST_LABEL = 100
"""Characters of a token's name."""
MOST_NAMES = 20
"""Workflows, or labels, that an organization chooses."""
OPTIONAL = {
    "deployments": "read",
    "actions": "read",
}
"""Permissions without which GitHub tells of no deployments, or of no runs of workflows."""
LIFETIMES = (90, 365, 1_095)
"""Days after which a token of telemetry may expire: it lies in the settings of many machines."""

organization_settings = Blueprint("organization_settings", __name__)


@organization_settings.get(PATH)
def settings(organization: str) -> str:
    """Show the settings and a preview of the weekly summary."""
    installation = require_admin(organization)
    note_access("weekly summary", detail=installation.account)
    return _page(installation)


def _page(installation: Installation, secret: str | None = None) -> str:
    weekly = services.weekly_summaries
    order = services.store.weeklies.of(installation.id)
    webhook = weekly.webhook(order) if order else None
    now = services.clock()
    tokens = services.store.tokens.ingest_of(installation.id)
    return render_template(
        "organization_settings.html",
        account=installation.account,
        order=order,
        # The rest of the address is a secret: anybody who knows it can post there.
        webhook_host=urlsplit(webhook).hostname if webhook else None,
        can_mail=weekly.mail_server is not None,
        next_sending=next_sending(services.clock()),
        preview=weekly.preview(installation),
        tokens=[one for one in tokens if one.is_valid(now)],
        nobody=NOBODY,
        lifetimes=LIFETIMES,
        longest_label=LONGEST_LABEL,
        secret=secret,
        vendors=services.vendor_pulls.vendors,
        connections=services.store.vendors.connections(installation.id),
        budgets=services.store.budgets.of(installation.id),
        kinds=BudgetOf,
        bases=services.settings.estimates,
        basis_words=BASIS_WORDS,
        choice=services.store.deployments.choice(installation.id),
        granted={name: name in installation.permissions for name in OPTIONAL},
        counts_then=services.store.teams.counts_then(installation.account),
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


@organization_settings.post(f"{PATH}/teams")
def count_teams(organization: str) -> Response:
    """Say whether numbers of the past count people where they were then."""
    installation = require_admin(organization)
    when = request.form.get("when", "")
    if when not in {"then", "now"}:
        abort(400, f"when is {when!r}; give then or now")
    services.store.teams.count_then(installation.account, of_then=when == "then")
    note_access("teams counted", detail=f"{installation.account}, as of {when}")
    return _back(installation)


@organization_settings.post(f"{PATH}/deployments")
def choose_deployments(organization: str) -> Response:
    """Say which workflows deploy, and which labels an incident has."""
    installation = require_admin(organization)
    choice = DeploymentChoice(_names("workflows"), _names("labels"))
    by, now = require_viewer().login, services.clock()
    services.store.deployments.choose(installation.id, choice, by=by, now=now)
    note_access("deployments chosen", detail=installation.account)
    return _back(installation)


def _names(field: str) -> tuple[str, ...]:
    """Return a form's names, one a line; 400 if they are too many or too long."""
    lines = (line.strip() for line in request.form.get(field, "").splitlines())
    names = tuple(dict.fromkeys(filter(None, lines)))
    if len(names) > MOST_NAMES or any(len(one) > LONGEST_LABEL for one in names):
        abort(400, f"{field}: give at most {MOST_NAMES} of at most {LONGEST_LABEL} characters")
    return names


# --- budgets --------------------------------------------------------------------------------------


@organization_settings.post(f"{PATH}/budgets")
def agree_budget(organization: str) -> Response:
    """Agree on a budget for each month, in the place of the one before."""
    installation = require_admin(organization)
    budget, by = _budget(installation, monthly=_monthly()), require_viewer().login
    try:
        services.store.budgets.agree(installation.id, budget, by=by, now=services.clock())
    except ValueError as error:
        abort(400, str(error))
    note_access("budget agreed", detail=budget.name or installation.account)
    return _back(installation)


@organization_settings.post(f"{PATH}/budgets/remove")
def remove_budget(organization: str) -> Response:
    """Remove a budget."""
    installation = require_admin(organization)
    of, name, basis = (request.form.get(field, "") for field in ("of", "name", "basis"))
    agreed = services.store.budgets.of(installation.id)
    found = [one for one in agreed if (one.of, one.name or "", one.basis) == (of, name, basis)]
    if not found or not services.store.budgets.remove(installation.id, found[0]):
        abort(404, "the organization has no such budget")
    note_access("budget removed", detail=name or installation.account)
    return _back(installation)


def _monthly() -> int:
    """Return the form's dollars as micro-dollars; 400 if they are none."""
    try:
        amount = from_dollars(request.form.get("dollars", "").strip())
    except MoneyError as error:
        abort(400, f"dollars a month: {error}")
    if amount <= 0:
        abort(400, "dollars a month: give more than 0")
    return amount


def _budget(installation: Installation, *, monthly: int) -> MonthlyBudget:
    """Read the form; 400 names the invalid field."""
    of, name, basis = (request.form.get(field, "").strip() for field in ("of", "name", "basis"))
    if of not in set(BudgetOf):
        abort(400, f"of is {of!r}; give one of {', '.join(BudgetOf)}")
    known = services.settings.estimates
    if basis not in set(known):
        abort(400, f"basis is {basis!r}; give one of {', '.join(known)}")
    kind = BudgetOf(of)
    return MonthlyBudget(kind, _budgeted(installation, kind, name), monthly, CostBasis(basis))


def _budgeted(installation: Installation, kind: BudgetOf, name: str) -> str | None:
    """Return what a budget is of, by the name that spend knows it by; 400 if there is no such."""
    if kind is BudgetOf.ORGANIZATION:
        return None if not name else abort(400, "a budget of the organization takes no name")
    if kind is BudgetOf.TEAM:
        members = services.store.teams.of(installation.account).values()
        known = {one.team.lower(): one.team for source in members for one in source}
    else:
        listed = services.store.installations.repositories(installation.id)
        known = {one.name.lower(): one.full_name for one in listed}
        name = name.removeprefix(f"{installation.account}/")
    return known.get(name.lower()) or abort(400, f"there is no {kind} {name!r} here")


# --- tokens of telemetry --------------------------------------------------------------------------


@organization_settings.post(f"{PATH}/tokens")
def make_token(organization: str) -> Response:
    """Make a token of telemetry and show its secret."""
    installation = require_admin(organization)
    secret = new_secret(TokenKind.INGEST)
    services.store.tokens.issue(_new_token(installation), secret, now=services.clock())
    # Shown only in this answer: an address or a cookie would keep the secret.
    return make_response(_page(installation, secret), 201)


@organization_settings.post(f"{PATH}/tokens/<int(max=9223372036854775807):token>/revoke")
def revoke_token(organization: str, token: int) -> Response:
    """Revoke one of the organization's tokens of telemetry."""
    installation = require_admin(organization)
    now = services.clock()
    if not services.store.tokens.revoke(token, now=now, ingest_of=installation.id):
        abort(404, "the organization has no such valid token")
    return _back(installation)


def _new_token(installation: Installation) -> NewToken:
    """Read the form; 400 names the invalid field."""
    label, days, login = (
        request.form.get(name, "").strip() for name in ("label", "days", "person")
    )
    if not label or len(label) > LONGEST_LABEL:
        abort(400, f"give the token a name of 1 to {LONGEST_LABEL} characters")
    if days not in map(str, LIFETIMES):
        abort(400, f"days is {days!r}; give one of {', '.join(map(str, LIFETIMES))}")
    bound = _person(login) if login else (NOBODY, require_viewer().login)
    return NewToken(
        kind=TokenKind.INGEST,
        login=bound[1],
        user_id=bound[0],
        label=label,
        installations=(installation.id,),
        expires_at=services.clock() + timedelta(days=int(days)),
    )


def _person(login: str) -> tuple[int, str]:
    """Return number and login of a person; 400 if nobody here has that login."""
    if person := services.store.logins.named(login):
        return person.id, person.login
    enrolled = services.store.tokens.of_login(login)
    theirs = [one for one in enrolled if one.kind is TokenKind.UPLOAD]
    if not theirs:
        abort(400, f"{login!r} has neither signed in nor enrolled a machine here")
    return theirs[0].user_id, theirs[0].login


# --- vendors --------------------------------------------------------------------------------------


@organization_settings.post(f"{PATH}/vendors")
def connect_vendor(organization: str) -> Response:
    """Connect a vendor of agents, or replace its key, if the vendor takes the key."""
    installation = require_admin(organization)
    name, key = (request.form.get(field, "").strip() for field in ("vendor", "key"))
    known = services.vendor_pulls.vendors
    vendor = known.get(name)
    if vendor is None:
        abort(400, f"vendor is none of {', '.join(known)}")
    try:
        services.vendor_pulls.connect(installation, vendor, key, by=require_viewer().login)
    except WrongKey as error:
        abort(400, str(error))
    note_access("vendor connected", detail=vendor.name)
    return _back(installation)


@organization_settings.post(f"{PATH}/vendors/<vendor>/remove")
def disconnect_vendor(organization: str, vendor: str) -> Response:
    """Delete a vendor's key and everything that was read with it."""
    installation = require_admin(organization)
    if not services.store.vendors.disconnect(installation.id, vendor):
        abort(404, "the organization has not connected this vendor")
    note_access("vendor removed", detail=vendor)
    return _back(installation)


# --- the weekly summary ---------------------------------------------------------------------------


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
