"""Routes on the teams of an organization and who is in them."""

from ghapp.demo.sandbox.call import ErrorAnswer, HubAnswer, HubCall
from ghapp.demo.sandbox.routing import RouteTable, paged
from ghapp.demo.sandbox.shapes import JsonShapes
from ghapp.demo.sandbox.state import HubAccount, HubTeam

ROUTES = RouteTable()
READ = "members:read"


def _organization(call: HubCall) -> HubAccount:
    """Return the organization that the app is installed on; 404 for any other account."""
    account = call.token.installation.account if call.token else None
    if account is None or account.login.lower() != call.params["org"].lower():
        raise ErrorAnswer(404, "Not Found")
    if account.kind != "Organization":
        raise ErrorAnswer(404, "Not Found")
    return account


def _teams(call: HubCall) -> dict[str, HubTeam]:
    return call.world.teams.get(_organization(call).login.lower(), {})


@ROUTES("GET", "/orgs/{org}/teams", READ, paged=True)
def teams(call: HubCall) -> HubAnswer:
    """List the teams, the secret ones too."""
    organization = _organization(call)
    page, link = paged(call, [*_teams(call).values()])
    shapes = JsonShapes(call.world)
    return HubAnswer([shapes.team(organization, one) for one in page], headers=link)


@ROUTES("GET", "/orgs/{org}/teams/{team_slug}/members", READ, paged=True, query="role")
def members(call: HubCall) -> HubAnswer:
    """List the people of a team and of the teams below it."""
    team = _teams(call).get(call.params["team_slug"])
    if team is None:
        raise ErrorAnswer(404, "Not Found")
    page, link = paged(call, team.people)
    shapes = JsonShapes(call.world)
    return HubAnswer([shapes.user(one) for one in page], headers=link)
