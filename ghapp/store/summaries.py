"""Questions about many audits at once, answered from the tables that `tally` keeps up to date.

Every method is one transaction. Whoever asks has made sure before that the reader may read the
repositories of the selection: no other repository's pull requests are looked at.
"""

from datetime import date

from ghapp.store.database import Database
from ghapp.summaries import (
    LEADERBOARD,
    AdoptionDay,
    AgentCounts,
    By,
    Counts,
    Grain,
    LineCounts,
    Listing,
    Naming,
    OrganizationSummary,
    Outcomes,
    PersonCounts,
    Point,
    PullPage,
    QuietSpot,
    RepositoryCounts,
    RepositorySummary,
    Selection,
    TeamCounts,
)


class Summaries:
    """The summaries of all repositories.

    Methods raise `ghapp.summaries.NotShown` where a selection names a person and only teams
    are shown, and `DatabaseUnavailable` where the database is away.
    """

    def __init__(self, database: Database, naming: Naming) -> None:
        self._database = database
        self.naming = naming

    # --- pages ----------------------------------------------------------------------------------

    def repository(self, selection: Selection, grain: Grain) -> RepositorySummary:
        """Return what a repository's page shows; its list is `pulls`."""
        raise NotImplementedError

    def organization(
        self, selection: Selection, grain: Grain, *, today: date
    ) -> OrganizationSummary:
        """Return what an organization's page shows; ``today`` is what quiet spots end with."""
        raise NotImplementedError

    # --- parts ----------------------------------------------------------------------------------

    def totals(self, selection: Selection) -> Counts:
        """Return the counts over everything selected."""
        raise NotImplementedError

    def series(self, selection: Selection, grain: Grain) -> tuple[Point, ...]:
        """Return the counts by day, week or month, oldest first, with no gap between them."""
        raise NotImplementedError

    def agents(self, selection: Selection) -> tuple[AgentCounts, ...]:
        """Return what each agent did, most lines first."""
        raise NotImplementedError

    def directories(self, selection: Selection) -> tuple[LineCounts, ...]:
        """Return the lines of each directory right below ``selection.path``, most lines first."""
        raise NotImplementedError

    def languages(self, selection: Selection) -> tuple[LineCounts, ...]:
        """Return the lines of each language, most lines first."""
        raise NotImplementedError

    def repositories(self, selection: Selection) -> tuple[RepositoryCounts, ...]:
        """Return each repository's counts, most pull requests first."""
        raise NotImplementedError

    def teams(self, selection: Selection) -> tuple[TeamCounts, ...]:
        """Return each team's counts; teams of fewer than five authors are in the rest."""
        raise NotImplementedError

    def people(self, selection: Selection) -> tuple[PersonCounts, ...]:
        """Return everybody's (every team's, where people are not named) with and all."""
        raise NotImplementedError

    def leaderboard(
        self, selection: Selection, by: By, most: int = LEADERBOARD
    ) -> tuple[PersonCounts, ...]:
        """Return the first rows of `people` by pull requests or lines "with"."""
        raise NotImplementedError

    def adoption(self, selection: Selection) -> tuple[AdoptionDay, ...]:
        """Return active developers and agent sessions by day, days without any left out."""
        raise NotImplementedError

    def quiet(self, selection: Selection, *, today: date) -> tuple[QuietSpot, ...]:
        """Return the teams and repositories whose adoption fell or never started."""
        raise NotImplementedError

    def outcomes(self, selection: Selection) -> Outcomes:
        """Return what came of assisted pull requests and of the others."""
        raise NotImplementedError

    # --- lists ----------------------------------------------------------------------------------

    def pulls(self, selection: Selection, listing: Listing) -> PullPage:
        """Return some rows of a list of pull requests.

        Raises `ValueError` where ``listing.after`` is not what the same question returned.
        """
        raise NotImplementedError
