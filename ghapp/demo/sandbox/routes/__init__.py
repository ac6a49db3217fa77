"""All routes of the stand-in; each module holds the routes of one resource."""

from ghapp.demo.sandbox.call import HubRoute
from ghapp.demo.sandbox.routes import (
    apps,
    checks,
    comments,
    contents,
    deliveries,
    labels,
    pulls,
    teams,
    users,
)

ALL: list[HubRoute] = [
    *apps.ROUTES.all,
    *deliveries.ROUTES.all,
    *users.ROUTES.all,
    *teams.ROUTES.all,
    *pulls.ROUTES.all,
    *contents.ROUTES.all,
    *checks.ROUTES.all,
    *comments.ROUTES.all,
    *labels.ROUTES.all,
]
