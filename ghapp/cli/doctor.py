"""``ghapp doctor``: checks everything that can be wrong with a running app. It repairs nothing."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import click
import requests

from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services, build
from ghapp.cli.app_store import app_environment, data_option, reported, with_a_queue
from ghapp.cli.output import at_work, format_option, print_json
from ghapp.events.sweep import ListedDelivery
from ghapp.github import device_flow
from ghapp.github.answers import GitHubError
from ghapp.github.app_auth import PERMISSIONS
from ghapp.ingest import compliance
from ghapp.queue.enqueue import QueueState
from ghapp.serve.running import note_of
from ghapp.settings import Settings
from ghapp.store import LEFT_OUT_FOR, StoreError
from ghapp.web.registration import app_file, read_app_file

CLOCK_OFF = 30.0
"""Seconds. The app dates its JWT a minute back, and GitHub refuses one from the future.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""
LATE = timedelta(minutes=10)
"""How long a work item may be due before something is wrong."""
WITHOUT = {
    "members": "organizations have no page and no teams",
    "issues": "commands in comments are not heard",
}
"""Permission of app.yml without which the app works → what it then lacks."""
LOW = 500
"""Requests left in the hour; with fewer, audits may have to wait."""


class DoctorFinding(Struct, frozen=True):
    """The result of one check; ``is_well`` ``None``: worth a look, but not a fault."""

    what: str
    says: str
    is_well: bool | None = True


Check = Callable[[Services], Iterator[DoctorFinding]]


@click.command("doctor")
@data_option
@format_option
def command(form: str) -> None:
    """Say what is wrong with this installation of the app; status 1 if anything is."""
    given = with_a_queue(app_environment())
    with reported():
        services = build(Settings.from_environment(given, makes=False), quick=True)
    with at_work("asking database, queue and GitHub"):
        findings = [finding for check in CHECKS for finding in _asked(check, services)]
    if form == "json":
        members = (
            {"state": _STATES[one.is_well], "what": one.what, "says": one.says} for one in findings
        )
        print_json({"findings": list(members)})
    for one in findings if form == "text" else ():
        click.echo(f"{_WORDS[one.is_well]:5} {one.what}: {one.says}")
    raise SystemExit(any(one.is_well is False for one in findings))


_STATES = {True: "ok", None: "look", False: "wrong"}
_WORDS = {True: "ok", None: "look", False: "WRONG"}


def _asked(check: Check, services: Services) -> Iterator[DoctorFinding]:
    try:
        yield from check(services)
    except (
        GitHubError,
        StoreError,
        compliance.ComplianceError,
        requests.RequestException,
    ) as error:
        yield DoctorFinding(check.__name__.strip("_"), str(error), is_well=False)


def _running(services: Services) -> Iterator[DoctorFinding]:
    """Say whether `ghapp serve` runs in the data directory; other processes leave no note."""
    running = note_of(services.settings.data_dir)
    if running is None:
        says = f"no `ghapp serve` runs in {services.settings.data_dir}"
        yield DoctorFinding("app", says, None)
    else:
        at = f" at {running.address}" if running.address else ", still starting"
        yield DoctorFinding("app", f"runs as process {running.pid}{at}")


def _clock(services: Services) -> Iterator[DoctorFinding]:
    began = time.time()
    answer = requests.get(services.settings.api_url + "/meta", timeout=10)
    github = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    off = (began + time.time()) / 2 - github
    says = f"{off:+.0f} s from GitHub's" + (": use NTP" if abs(off) > CLOCK_OFF else "")
    yield DoctorFinding("clock", says, abs(off) <= CLOCK_OFF)


def _app(services: Services) -> Iterator[DoctorFinding]:
    app = services.auth.app()
    yield DoctorFinding("key", f"GitHub accepts it for the app {app.slug} ({app.id})")
    lacking = _lacking(app.permissions)
    says = f"missing {', '.join(lacking)}: add them on the app's page" if lacking else "all"
    yield DoctorFinding("permissions of the app", says, not lacking)
    asked = read_app_file(app_file())
    for name in _optional(asked, app.permissions):
        says = f"not requested: {WITHOUT[name]}"
        yield DoctorFinding(f"{name} of the app", says, None)
    # GitHub subscribes an app that may write checks to their events by itself.
    deaf = sorted(set(asked["default_events"]) - {"check_run", "check_suite"} - set(app.events))
    yield DoctorFinding("events", f"not subscribed: {', '.join(deaf)}" if deaf else "all", not deaf)


def _installations(services: Services) -> Iterator[DoctorFinding]:
    asked = read_app_file(app_file())
    for one in services.auth.installations():
        name = f"installation {one.id} ({one.account})"
        lacking = _lacking(one.permissions)
        if one.suspended_at is not None:
            yield DoctorFinding(name, "suspended by the account", None)
        elif lacking:
            says = f"not granted {', '.join(lacking)}: the owner has to accept them"
            yield DoctorFinding(name, says, is_well=False)
        else:
            left = services.pace.headroom(one.id)
            room = f"{left.remaining} of {left.limit}" if left else "an unknown number of"
            says = f"permissions granted; {room} requests left"
            yield DoctorFinding(name, says, None if left and left.remaining < LOW else True)
        if one.suspended_at is None:
            for lacked in _optional(asked, one.permissions):
                says = f"not granted: {WITHOUT[lacked]}"
                yield DoctorFinding(f"{lacked} of {one.account}", says, None)


def _optional(asked: Mapping[str, Any], granted: Mapping[str, str]) -> list[str]:
    """Return the permissions of app.yml that are not granted, and that an audit does not need."""
    return [one for one in asked["default_permissions"] if one in WITHOUT and one not in granted]


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
    """Asterisks if one is set: GitHub shows it to nobody."""
    insecure_ssl: str | int = "0"


def _hook(services: Services) -> Iterator[DoctorFinding]:
    hook = services.auth.request("GET", "/app/hook/config", _Hook)
    wanted = f"{services.settings.public_url or ''}/webhooks/github"
    is_ours = services.settings.public_url is None or hook.url.rstrip("/") == wanted
    yield DoctorFinding(
        "hook address", hook.url if is_ours else f"{hook.url}, not {wanted}", is_ours
    )
    is_json = hook.content_type == "json"
    yield DoctorFinding("hook content", hook.content_type or "form: set application/json", is_json)
    says = (
        "is set on GitHub" if hook.secret else "not set: GitHub signs nothing, so we accept nothing"
    )
    yield DoctorFinding("hook secret", says, bool(hook.secret))
    if str(hook.insecure_ssl) != "0":
        yield DoctorFinding(
            "hook certificate", "GitHub does not check it: enable SSL verification", is_well=False
        )


def _deliveries(services: Services) -> Iterator[DoctorFinding]:
    """Check in GitHub's list whether deliveries arrive, and whether the secret is right."""
    page = next(services.auth.pages("/app/hook/deliveries", tuple[ListedDelivery, ...]), ())
    failed = [one for one in page if not 200 <= (one.status_code or 0) < 400]
    refused = [one for one in failed if one.status_code == 401]
    if refused:
        says = f"{len(refused)} deliveries were refused with 401: check the webhook secret"
        yield DoctorFinding("hook secret", says, is_well=False)
    says = f"{len(failed)} of the last {len(page)} failed; the sweep fetches them"
    yield DoctorFinding("deliveries", says, None if failed else True)


def _database(services: Services) -> Iterator[DoctorFinding]:
    store, now = services.store, datetime.now(UTC)
    store.database.check()
    backlog = store.work.backlog(now)
    for one in backlog:
        says = f"{one.waiting} items, the oldest due since {one.oldest:%Y-%m-%d %H:%M} UTC"
        name = f"lane {one.lane} of installation {one.installation_id or '-'}"
        yield DoctorFinding(name, says, now - one.oldest <= LATE)
    if not backlog:
        yield DoctorFinding("queue", "nothing waits")
    for out in store.publications.left_out(now - LEFT_OUT_FOR):
        says = f"left out of {out.pulls} pull requests since {out.since:%Y-%m-%d %H:%M} UTC: "
        name = f"{out.publisher.replace('_', ' ')} of installation {out.installation_id or '-'}"
        yield DoctorFinding(name, says + services.caught_up(out), None)
    dead = len(store.work.dead_letters())
    yield DoctorFinding(
        "dead letters", f"{dead} work items wait for a person", None if dead else True
    )
    left = len(store.deliveries.unsettled(now - timedelta(minutes=1)))
    yield DoctorFinding("deliveries left", f"{left} accepted, but nothing followed", not left)


_QUEUE = {
    QueueState.AWAY: "does not answer: start it",
    QueueState.READ_ONLY: "is read-only: let REDIS_URL name the server that takes writes",
    QueueState.FULL: "is full: give it more memory (maxmemory)",
    QueueState.REFUSING: "refuses writes: see its log, most often its disk is full",
}


def _redis(services: Services) -> Iterator[DoctorFinding]:
    state = services.queue.state()
    says = (
        "answers" if state is QueueState.OK else f"{_QUEUE[state]}; work items wait in the database"
    )
    yield DoctorFinding("redis", says, state is QueueState.OK)
    if state is not QueueState.AWAY:
        for name, wanted in (("maxmemory-policy", "noeviction"), ("appendonly", "yes")):
            found = services.queue.setting(name)
            yield DoctorFinding(f"redis {name}", found or "unknown", found in {wanted, None})


def _enrolling(services: Services) -> Iterator[DoctorFinding]:
    """Start a sign-in by code, and abandon it: machines cannot enroll without one.

    https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
    """
    app = services.settings.app
    if app is None or app.client_id is None:
        yield DoctorFinding(
            "enrolling", "no GITHUB_CLIENT_ID: neither machines nor people can sign in", None
        )
        return
    try:
        device_flow.start(services.settings.web_url, app.client_id)
    except device_flow.NotApproved as error:
        yield DoctorFinding("enrolling", str(error), is_well=False)
        return
    yield DoctorFinding("enrolling", "GitHub starts a sign-in by code")


def _compliance(services: Services) -> Iterator[DoctorFinding]:
    if services.compliance is not None:
        compliance.check(services.compliance, now=services.clock())
        yield DoctorFinding("compliance", "the Compliance API accepts the key")


CHECKS: tuple[Check, ...] = (
    _running,
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
