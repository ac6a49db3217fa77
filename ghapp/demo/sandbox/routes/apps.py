"""Routes on apps, installations, their tokens and repositories, and the end of a manifest.

https://docs.github.com/en/rest/apps
"""

from datetime import timedelta

from ghapp.demo.sandbox.call import ErrorAnswer, HubAnswer, HubCall, existing
from ghapp.demo.sandbox.limits import MANIFEST_CODE_SECONDS
from ghapp.demo.sandbox.manifest import problems
from ghapp.demo.sandbox.registration import register_app
from ghapp.demo.sandbox.routing import RouteTable, listed
from ghapp.demo.sandbox.state import HubInstallation
from ghapp.demo.sandbox.tokens import SUSPENDED

ROUTES = RouteTable()


def _own(call: HubCall, number: int) -> HubInstallation:
    """Return an installation of the calling app; 404 if it is deleted or another app's."""
    found = call.world.installations.get(number)
    if found is None or found.deleted or found.app is not call.app:
        raise ErrorAnswer(404, "Not Found")
    return found


@ROUTES("GET", "/app", sender="app")
def app(call: HubCall) -> HubAnswer:
    """Answer with the calling app."""
    shown = call.shapes.app(call.acting_app)
    installed = [one for one in call.world.installations.values() if not one.deleted]
    shown["installations_count"] = sum(one.app is call.app for one in installed)
    return HubAnswer(shown)


@ROUTES("GET", "/app/hook/config", sender="app")
def hook_config(call: HubCall) -> HubAnswer:
    """Answer with the webhook's address, never with the secret."""
    url = call.acting_app.webhook_url or ""
    shown = {"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": url}
    return HubAnswer(shown)


@ROUTES("GET", "/app/installations", sender="app", paged=True, query="since outdated")
def installations(call: HubCall) -> HubAnswer:
    """List the calling app's installations."""
    known = call.world.installations.values()
    own = [one for one in known if one.app is call.app and not one.deleted]
    return listed(call, own, call.shapes.installation)


@ROUTES("GET", "/app/installations/{installation_id}", sender="app")
def installation(call: HubCall) -> HubAnswer:
    """Answer with one installation."""
    return HubAnswer(call.shapes.installation(_own(call, call.number("installation_id"))))


@ROUTES(
    "POST",
    "/app/installations/{installation_id}/access_tokens",
    sender="app",
    members="repositories repository_ids permissions",
)
def access_token(call: HubCall) -> HubAnswer:
    """Create an installation token."""
    found = _own(call, call.number("installation_id"))
    if found.suspended_at is not None:
        raise ErrorAnswer(403, SUSPENDED)
    return HubAnswer(call.shapes.token(call.tokens.issue(found, call.json())), status=201)


@ROUTES("GET", "/repos/{owner}/{repo}/installation", sender="app")
def repository_installation(call: HubCall) -> HubAnswer:
    """Answer with the calling app's installation on a repository."""
    for found in call.world.installations_on(call.repo):
        if found.app is call.app:
            return HubAnswer(call.shapes.installation(found))
    raise ErrorAnswer(404, "Not Found")


@ROUTES("GET", "/installation/repositories", "metadata:read", paged=True)
def repositories(call: HubCall) -> HubAnswer:
    """List the repositories that the token reaches."""
    if call.token is None:
        raise ErrorAnswer(403, "Resource not accessible by integration")
    token = call.token
    reached = [
        repository
        for repository in call.world.repositories_of(token.installation)
        if call.tokens.reaches(token, repository)
    ]
    answer = listed(call, reached, call.shapes.repository, "repositories")
    answer.body["repository_selection"] = token.installation.selection
    return answer


@ROUTES("DELETE", "/installation/token", "metadata:read")
def revoke(call: HubCall) -> HubAnswer:
    """Revoke the calling token."""
    if call.token is not None:
        call.token.revoked = True
    return HubAnswer(status=204)


@ROUTES("POST", "/app-manifests/{code}/conversions", sender="anyone")
def conversion(call: HubCall) -> HubAnswer:
    """Redeem a manifest's code, once: create the app and show its secrets."""
    world = call.world
    manifest = existing(world.manifests.pop(call.params["code"], None))
    if manifest.created_at + timedelta(seconds=MANIFEST_CODE_SECONDS) < world.now():
        raise ErrorAnswer(404, "Not Found")
    members = manifest.members
    wrong = problems(members, [app.name for app in world.apps.values()])
    if wrong:
        raise ErrorAnswer(422, "Validation Failed", errors=wrong)
    registered = register_app(
        world,
        name=members["name"],
        owner=manifest.account,
        webhook_url=members.get("hook_attributes", {}).get("url"),
        permissions=members.get("default_permissions", {}),
        events=members.get("default_events", []),
        external_url=members["url"],
        callback_urls=members.get("callback_urls", []),
    )
    shown = call.shapes.app(registered.app) | {
        "client_secret": registered.app.client_secret,
        "webhook_secret": registered.app.webhook_secret,
        "pem": registered.private_key,
    }
    return HubAnswer(shown, status=201)
