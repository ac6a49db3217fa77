"""Routes on the teams of an organization and who is in them."""

from ghapp.demo.sandbox.call import Answer, Call, Refused
from ghapp.demo.sandbox.routing import Routes, paged
from ghapp.demo.sandbox.shapes import Shapes
from ghapp.demo.sandbox.state import Account, Team

ROUTES = Routes()
READ = "members:read"


def _organization(call: Call) -> Account:
    """Return the organization that the app is installed on; 404 for any other account."""
    account = call.token.installation.account if call.token else None
    if account is None or account.login.lower() != call.params["org"].lower():
        raise Refused(404, "Not Found")
    if account.kind != "Organization":
        raise Refused(404, "Not Found")
    return account


def _teams(call: Call) -> dict[str, Team]:
    return call.world.teams.get(_organization(call).login.lower(), {})


@ROUTES("GET", "/orgs/{org}/teams", READ, paged=True)
def teams(call: Call) -> Answer:
    """List the teams, the secret ones too."""
    organization = _organization(call)
    page, link = paged(call, [*_teams(call).values()])
    shapes = Shapes(call.world)
    return Answer([shapes.team(organization, one) for one in page], headers=link)


@ROUTES("GET", "/orgs/{org}/teams/{team_slug}/members", READ, paged=True, query="role")
def members(call: Call) -> Answer:
    """List the people of a team and of the teams below it."""
    team = _teams(call).get(call.params["team_slug"])
    if team is None:
        raise Refused(404, "Not Found")
    page, link = paged(call, team.people)
    shapes = Shapes(call.world)
    return Answer([shapes.user(one) for one in page], headers=link)
