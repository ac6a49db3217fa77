"""Routes on the teams of an organization and their members.

https://docs.github.com/en/rest/teams/teams
"""

from ghapp.demo.sandbox.call import ErrorAnswer, HubAnswer, HubCall, existing
from ghapp.demo.sandbox.routing import RouteTable, listed
from ghapp.demo.sandbox.state import HubAccount, HubTeam

ROUTES = RouteTable()
READ = "members:read"


def _organization(call: HubCall) -> HubAccount:
    """Return the organization on which the app is installed; 404 for any other account."""
    account = call.token.installation.account if call.token else None
    if account is None or account.login.lower() != call.params["org"].lower():
        raise ErrorAnswer(404, "Not Found")
    if account.kind != "Organization":
        raise ErrorAnswer(404, "Not Found")
    return account


def _teams(call: HubCall) -> dict[str, HubTeam]:
    return call.world.teams.get(_organization(call).login.lower(), {})


@ROUTES("GET", "/orgs/{org}/teams", READ, paged=True)
def list_teams(call: HubCall) -> HubAnswer:
    """List the teams, including the secret ones."""
    organization = _organization(call)
    teams = [*_teams(call).values()]
    return listed(call, teams, lambda one: call.shapes.team(organization, one))


@ROUTES("GET", "/orgs/{org}/teams/{team_slug}/members", READ, paged=True, query="role")
def members(call: HubCall) -> HubAnswer:
    """List the members of a team and of the teams below it."""
    team = existing(_teams(call).get(call.params["team_slug"]))
    return listed(call, team.people, call.shapes.user)
