"""``ghapp doctor``: what can be wrong with a running app, asked one by one. It mends nothing."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import click
import requests

from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services, build
from ghapp.events.sweep import Listed
from ghapp.github import device_flow
from ghapp.github.answers import GitHubError
from ghapp.github.app_auth import PERMISSIONS
from ghapp.ingest import compliance
from ghapp.settings import Settings, SettingsError
from ghapp.store import StoreError

EVENTS = frozenset({"pull_request", "check_run", "check_suite", "issue_comment", "repository"})
CLOCK_OFF = 30.0
"""Seconds: a JWT is made for a minute before now, and GitHub refuses one from the future."""
LATE = timedelta(minutes=10)
WITHOUT_MEMBERS = "an organization then has no page and no teams of its own"
LOW = 500
"""Requests left of an hour below which audits may have to wait."""


class Finding(Struct, frozen=True):
    """One answer; ``is_well`` ``None``: worth a look, and no fault."""

    what: str
    says: str
    is_well: bool | None = True


Check = Callable[[Services], Iterator[Finding]]


@click.command("doctor")
def command() -> None:
    """Say what is wrong with this installation of the app; status 1 if anything is."""
    try:
        services = build(Settings.from_environment(), quick=True)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    findings = [finding for check in CHECKS for finding in _asked(check, services)]
    for one in findings:
        click.echo(f"{_WORDS[one.is_well]:5} {one.what}: {one.says}")
    raise SystemExit(any(one.is_well is False for one in findings))


_WORDS = {True: "ok", None: "look", False: "WRONG"}


def _asked(check: Check, services: Services) -> Iterator[Finding]:
    try:
        yield from check(services)
    except (
        GitHubError,
        StoreError,
        compliance.ComplianceError,
        requests.RequestException,
    ) as error:
        yield Finding(check.__name__.strip("_"), str(error), is_well=False)


def _clock(services: Services) -> Iterator[Finding]:
    began = time.time()
    answer = requests.get(services.settings.api_url + "/meta", timeout=10)
    told = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    off = (began + time.time()) / 2 - told
    says = f"{off:+.0f} s from GitHub's" + (": set it by NTP" if abs(off) > CLOCK_OFF else "")
    yield Finding("clock", says, abs(off) <= CLOCK_OFF)


def _app(services: Services) -> Iterator[Finding]:
    app = services.auth.app()
    yield Finding("key", f"GitHub accepts it for the app {app.slug} ({app.id})")
    lacking = _lacking(app.permissions)
    says = f"missing {', '.join(lacking)}: ask for them on the app's page" if lacking else "all"
    yield Finding("permissions of the app", says, not lacking)
    if "members" not in app.permissions:
        yield Finding("members of the app", f"not asked for: {WITHOUT_MEMBERS}", None)
    deaf = sorted(EVENTS - {"check_run", "check_suite"} - set(app.events))
    yield Finding("events", f"not subscribed: {', '.join(deaf)}" if deaf else "all", not deaf)


def _installations(services: Services) -> Iterator[Finding]:
    for one in services.auth.installations():
        name = f"installation {one.id} ({one.account})"
        lacking = _lacking(one.permissions)
        if one.suspended_at is not None:
            yield Finding(name, "suspended by the account", None)
        elif lacking:
            says = f"not granted {', '.join(lacking)}: its owner has to accept them"
            yield Finding(name, says, is_well=False)
        else:
            left = services.pace.headroom(one.id)
            room = f"{left.remaining} of {left.limit}" if left else "not yet known how many"
            says = f"permissions granted; {room} requests left"
            yield Finding(name, says, None if left and left.remaining < LOW else True)
        if one.suspended_at is None and "members" not in one.permissions:
            yield Finding(f"members of {one.account}", f"not granted: {WITHOUT_MEMBERS}", None)


def _lacking(granted: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {level}"
        for name, level in PERMISSIONS.items()
        if name != "metadata" and granted.get(name) not in {level, "write"}
    ]


class _Hook(Struct, frozen=True, kw_only=True):
    url: str = ""
    content_type: str = ""
    secret: str = ""
    """Asterisks where one is set: GitHub tells it to nobody."""
    insecure_ssl: str | int = "0"


def _hook(services: Services) -> Iterator[Finding]:
    hook = services.auth.request("GET", "/app/hook/config", _Hook)
    wanted = f"{services.settings.public_url or ''}/webhooks/github"
    is_ours = services.settings.public_url is None or hook.url == wanted
    yield Finding("hook address", hook.url if is_ours else f"{hook.url}, not {wanted}", is_ours)
    is_json = hook.content_type == "json"
    yield Finding("hook content", hook.content_type or "form: set application/json", is_json)
    says = (
        "is set on GitHub" if hook.secret else "none is set: GitHub signs nothing, we take nothing"
    )
    yield Finding("hook secret", says, bool(hook.secret))
    if str(hook.insecure_ssl) != "0":
        yield Finding("hook certificate", "is not checked: enable SSL verification", is_well=False)


def _deliveries(services: Services) -> Iterator[Finding]:
    """Tell from GitHub's list whether deliveries arrive, and whether the secret is right."""
    page = next(services.auth.pages("/app/hook/deliveries", tuple[Listed, ...]), ())
    failed = [one for one in page if not 200 <= (one.status_code or 0) < 400]
    refused = [one for one in failed if one.status_code == 401]
    if refused:
        says = f"{len(refused)} deliveries were refused with 401: compare the webhook secret"
        yield Finding("hook secret", says, is_well=False)
    says = f"{len(failed)} of the last {len(page)} failed; the sweep takes them in"
    yield Finding("deliveries", says, None if failed else True)


def _database(services: Services) -> Iterator[Finding]:
    store, now = services.store, datetime.now(UTC)
    backlog = store.due.backlog(now)
    for one in backlog:
        says = f"{one.waiting} items, the oldest due since {one.oldest:%Y-%m-%d %H:%M} UTC"
        name = f"lane {one.lane} of installation {one.installation_id or '-'}"
        yield Finding(name, says, now - one.oldest <= LATE)
    if not backlog:
        yield Finding("queue", "nothing waits")
    parked = len(store.due.parked())
    yield Finding("set aside", f"{parked} items wait for a person", None if parked else True)
    left = len(store.deliveries.unsettled(now - timedelta(minutes=1)))
    yield Finding("deliveries left", f"{left} accepted and not followed", not left)


def _redis(services: Services) -> Iterator[Finding]:
    is_alive = services.queue.is_alive()
    says = "answers" if is_alive else "away: items wait in the database, start it"
    yield Finding("redis", says, is_alive)
    if is_alive:
        for name, wanted in (("maxmemory-policy", "noeviction"), ("appendonly", "yes")):
            found = services.queue.setting(name)
            yield Finding(f"redis {name}", f"{found or 'not told'}", found in {wanted, None})


def _enrolling(services: Services) -> Iterator[Finding]:
    """Begin a sign-in by code and leave it: without it no machine can be let in."""
    app = services.settings.app
    if app is None or app.client_id is None:
        yield Finding("enrolling", "no GITHUB_CLIENT_ID: no machine and no person signs in", None)
        return
    try:
        device_flow.start(services.settings.web_url, app.client_id)
    except device_flow.NotSignedIn as error:
        yield Finding("enrolling", str(error), is_well=False)
        return
    yield Finding("enrolling", "GitHub begins a sign-in by code")


def _compliance(services: Services) -> Iterator[Finding]:
    if services.compliance is not None:
        compliance.check(services.compliance, now=services.clock())
        yield Finding("compliance", "the Compliance API takes the key")


CHECKS: tuple[Check, ...] = (
    _database,
    _redis,
    _clock,
    _app,
    _hook,
    _installations,
    _deliveries,
    _enrolling,
    _compliance,
)
