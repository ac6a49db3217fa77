"""Routes on people, their permissions, and GitHub's own limits and addresses."""

from ghapp.demo.sandbox.call import ErrorAnswer, HubAnswer, HubCall, existing
from ghapp.demo.sandbox.manifest import EMAILS
from ghapp.demo.sandbox.routing import RouteTable, listed
from ghapp.demo.sandbox.state import HubAccount, HubRepository, Json

ROUTES = RouteTable()


@ROUTES("GET", "/user", sender="user")
def user(call: HubCall) -> HubAnswer:
    """Answer with the person whose token it is."""
    return HubAnswer(call.shapes.private_user(call.actor))


@ROUTES("GET", "/user/emails", sender="user", paged=True)
def emails(call: HubCall) -> HubAnswer:
    """List the person's e-mail addresses, if the person's app asks for them.

    https://docs.github.com/en/rest/users/emails#list-email-addresses-for-the-authenticated-user
    """
    if call.user_app is not None and EMAILS not in call.user_app.permissions:
        raise ErrorAnswer(403, "Resource not accessible by integration")
    return listed(call, call.shapes.emails(call.actor), lambda one: one)


@ROUTES("GET", "/user/memberships/orgs/{org}", "members:read", sender="user")
def membership(call: HubCall) -> HubAnswer:
    """Answer with the person's membership of an organization, if the app may see members."""
    organization = call.world.accounts.get(call.params["org"].lower())
    if organization is None or not _may_see_members(call, organization):
        raise ErrorAnswer(403, "Resource not accessible by integration")
    role = call.world.memberships.get(organization.login.lower(), {}).get(call.actor.login.lower())
    return HubAnswer(call.shapes.membership(organization, call.actor, existing(role)))


def _may_see_members(call: HubCall, organization: HubAccount) -> bool:
    """Return whether the person's app is installed there with permission to see members."""
    return call.user_app is None or any(
        one.account is organization and one.app is call.user_app and "members" in one.permissions
        for one in call.world.installations.values()
        if not one.deleted and one.suspended_at is None
    )


@ROUTES("GET", "/user/installations", sender="user", paged=True)
def user_installations(call: HubCall) -> HubAnswer:
    """List the installations with a repository that the person can read."""
    found = [
        installation
        for installation in call.world.installations.values()
        if not installation.deleted
        and (call.user_app is None or call.user_app is installation.app)
        and _readable(call, installation.id)
    ]
    return listed(call, found, call.shapes.installation, "installations")


@ROUTES("GET", "/user/installations/{installation_id}/repositories", sender="user", paged=True)
def user_repositories(call: HubCall) -> HubAnswer:
    """List those repositories of an installation that the person can read."""

    def shape(one: HubRepository) -> Json:
        return call.shapes.repository(one) | {"permissions": _permissions(one, call.actor)}

    found = _readable(call, call.number("installation_id"))
    return listed(call, found, shape, "repositories")


def _readable(call: HubCall, number: int) -> list[HubRepository]:
    installation = call.world.installations.get(number)
    if installation is None or installation.deleted:
        return []
    reached = call.world.repositories_of(installation)
    return [one for one in reached if one.permission_of(call.actor.login) != "none"]


def _permissions(repository: HubRepository, account: HubAccount) -> dict[str, bool]:
    held = repository.permission_of(account.login)
    write = held in {"write", "admin"}
    return {
        "admin": held == "admin",
        "maintain": held == "admin",
        "push": write,
        "triage": write,
        "pull": held != "none",
    }


@ROUTES("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", "metadata:read")
def permission(call: HubCall) -> HubAnswer:
    """Answer with an account's permission in a repository."""
    login = call.params["username"]
    account = call.world.accounts.get(login.lower())
    if account is None:
        raise ErrorAnswer(404, f"{login} is not a user")
    held = call.repo.permission_of(login)
    shown = call.shapes.user(account) | {
        "role_name": held,
        "permissions": _permissions(call.repo, account),
    }
    return HubAnswer({"permission": held, "role_name": held, "user": shown})


@ROUTES("GET", "/repos/{owner}/{repo}", "metadata:read")
def repository(call: HubCall) -> HubAnswer:
    """Answer with a repository."""
    shown = call.shapes.full_repository(call.repo)
    if call.user is not None:
        shown["permissions"] = _permissions(call.repo, call.user)
    return HubAnswer(shown)


@ROUTES("GET", "/rate_limit", sender="anyone")
def rate_limit(call: HubCall) -> HubAnswer:
    """Answer with the caller's limits; this request is not counted."""
    core = call.rate
    search = {**core, "limit": 30, "remaining": 30, "used": 0}
    shown: Json = {"resources": {"core": core, "search": search}}
    if call.api_version() < "2026-03-10":
        shown["rate"] = core
    return HubAnswer(shown)


@ROUTES("GET", "/meta", sender="anyone")
def meta(call: HubCall) -> HubAnswer:  # noqa: ARG001 - every handler has this shape
    """Answer with the addresses from which webhooks come."""
    shown = {"verifiable_password_authentication": False, "hooks": ["127.0.0.0/8", "::1/128"]}
    shown |= {"web": ["127.0.0.0/8"], "api": ["127.0.0.0/8"], "git": ["127.0.0.0/8"]}
    return HubAnswer(shown)
