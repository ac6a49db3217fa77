"""The invented cast of the demo's year: teams with people, repositories with files.

`ghapp.demo.year` says how they act.
"""

import math

from ghapp.attribution.model import Struct


class DemoTeam(Struct, frozen=True):
    """People who adopt agents together."""

    name: str
    people: tuple[str, ...]
    starts: float
    """When the first of them sends evidence, as a fraction of the year; 1: never."""
    peak: float
    """Largest fraction of their pull requests in which an agent takes part."""
    fades: float | None = None
    """When they stop, as a fraction of the year; ``None``: they do not."""

    def adoption(self, at: float) -> float:
        """Return the fraction of their pull requests with an agent at a time of the year."""
        if at < self.starts:
            return 0.0
        risen = self.peak / (1 + math.exp(-(at - self.starts - 0.16) / 0.06))
        left = 1.0 if self.fades is None else max(0.12, 1 - max(0.0, at - self.fades) / 0.1)
        return risen * left


TEAMS = (
    DemoTeam(
        name="Payments",
        people=("maria", "jonas", "amara", "li-wei", "tomasz", "priya", "noah-b", "ines"),
        starts=0.12,
        peak=0.74,
    ),
    DemoTeam(
        name="Web",
        people=("sofia", "kwame", "elif", "lucas-r", "hana", "mateo", "freya", "oscar-d", "yuki"),
        starts=0.08,
        peak=0.82,
    ),
    DemoTeam(
        name="Platform",
        people=("dmitri", "aisha", "pavel", "grace-k", "bruno", "nadia", "henrik"),
        starts=0.24,
        peak=0.85,
    ),
    DemoTeam(
        name="Data",
        people=("leila", "marco", "ada-o", "viktor", "chloe", "rahul"),
        starts=0.45,
        peak=0.5,
    ),
    DemoTeam(
        name="Mobile",
        people=("emil", "zara", "diego", "mina", "anton", "ruth"),
        starts=0.2,
        peak=0.7,
        fades=0.86,
    ),
    DemoTeam(
        name="Security",
        people=("olga", "samir", "ebba", "joao", "tess"),
        starts=1.0,
        peak=0.0,
    ),
)


ROLES = ("engineer", "senior engineer", "staff engineer")
LOCATIONS = ("Lisbon", "Toronto")
COST_CENTERS = {
    "Payments": "product",
    "Web": "product",
    "Mobile": "product",
    "Platform": "foundations",
    "Security": "foundations",
    "Data": "foundations",
}
TENURES = (360, 500, 900, 2_000, 1_300)
"""Days before the end of the year on which people began; the year knows them all from its start."""

USER_IDS = {
    login: 9000 + number
    for number, login in enumerate(login for team in TEAMS for login in team.people)
}
"""Login → GitHub's user id."""


class DemoRepository(Struct, frozen=True):
    """A repository of the year: its teams, its pace and its files."""

    name: str
    teams: tuple[str, ...]
    a_day: float
    """Merged pull requests on a usual working day at the start of the year."""
    files: tuple[tuple[str, str], ...]
    """Directory and extension of the files that people change."""
    heard: bool = True
    """Whether anybody sends evidence for it."""


PLACES = (
    DemoRepository(
        name="acme/shop",
        teams=("Payments", "Web", "Payments"),
        a_day=1.3,
        files=(("shop/orders", ".py"), ("shop/payments", ".py"), ("tests", ".py"), ("docs", ".md")),
    ),
    DemoRepository(
        name="acme/storefront",
        teams=("Web",),
        a_day=1.2,
        files=(("src/pages", ".tsx"), ("src/basket", ".ts"), ("src/search", ".ts")),
    ),
    DemoRepository(
        name="acme/platform",
        teams=("Platform", "Security"),
        a_day=0.95,
        files=(("internal/queue", ".go"), ("internal/store", ".go"), ("migrations", ".sql")),
    ),
    DemoRepository(
        name="acme/pipelines",
        teams=("Data",),
        a_day=0.58,
        files=(("pipelines/usage", ".py"), ("models", ".sql"), ("pipelines/billing", ".py")),
    ),
    DemoRepository(
        name="acme/mobile",
        teams=("Mobile",),
        a_day=0.8,
        files=(("app/screens", ".tsx"), ("app/sync", ".ts")),
    ),
    DemoRepository(
        name="acme/handbook",
        teams=("Payments", "Web", "Platform", "Data", "Security"),
        a_day=0.38,
        files=(("guides", ".md"), ("policies", ".md")),
        heard=False,
    ),
)
AGENTS = ("claude-code",) * 15 + ("codex",) * 3 + ("cursor",) * 2 + ("copilot",)
