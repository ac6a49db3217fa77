"""Questions about many audits at once, answered from the tables that `tally` keeps up to date.

Every method reads in one transaction. Whoever asks has made sure before that the reader may read
the repositories of the selection: no other repository's pull requests are looked at.
"""

from datetime import date

from ghapp.store.database import Database
from ghapp.store.outcomes import compare
from ghapp.store.schema import pull_summary
from ghapp.store.summaries.conditions import latest_days, teams_of
from ghapp.store.summaries.groups import first, total
from ghapp.store.summaries.pull_list import pull_page
from ghapp.store.summaries.query import Looked, Reading, quiet_spots
from ghapp.summaries.counts import (
    AdoptionDay,
    AgentCounts,
    Counts,
    LineCounts,
    OrganizationSummary,
    Outcomes,
    PersonCounts,
    Point,
    PullPage,
    PullRow,
    QuietSpot,
    RepositoryCounts,
    RepositorySummary,
    TeamCounts,
)
from ghapp.summaries.selection import (
    LEADERBOARD,
    By,
    Grain,
    Listing,
    Naming,
    NotShown,
    Order,
    Selection,
)

ADOPTION_DAYS = 91


class Summaries:
    """The summaries of all repositories.

    Methods raise `NotShown` where a selection asks about one person, or about
    a group that is too small, and `DatabaseUnavailable` where the database is away.
    """

    def __init__(self, database: Database, naming: Naming) -> None:
        self._database = database
        self.naming = naming

    # --- pages ----------------------------------------------------------------------------------

    def repository(self, selection: Selection, grain: Grain) -> RepositorySummary:
        """Return what a repository's page shows; its list is `pulls`."""
        with self._database.read() as connection:
            reading = Reading(Looked(connection, self.naming), selection)
            series = reading.series(grain)
            listing = Listing(order=Order.EFFECTIVE, limit=LEADERBOARD)
            return RepositorySummary(
                totals=total(point.counts for point in series),
                series=series,
                agents=reading.agents(),
                directories=reading.directories(),
                languages=reading.languages(),
                largest=reading.pulls(listing).rows,
            )

    def organization(
        self, selection: Selection, grain: Grain, *, today: date
    ) -> OrganizationSummary:
        """Return what an organization's page shows; ``today`` is what quiet spots end with.

        Its adoption is that of the last 13 weeks of the selection; `adoption` tells more.
        """
        with self._database.read() as connection:
            looked = Looked(connection, self.naming)
            reading = Reading(looked, selection)
            latest = latest_days(selection, ADOPTION_DAYS, today)
            series = reading.series(grain)
            everybody = reading.people()
            return OrganizationSummary(
                totals=total(point.counts for point in series),
                series=series,
                agents=reading.agents(),
                languages=reading.languages(),
                repositories=reading.repositories(),
                teams=reading.teams(),
                leaderboard_pulls=first(everybody, By.PULLS, LEADERBOARD),
                leaderboard_lines=first(everybody, By.LINES, LEADERBOARD),
                adoption=Reading(looked, latest).adoption(),
                quiet=quiet_spots(looked, selection, today),
            )

    # --- parts ----------------------------------------------------------------------------------

    def totals(self, selection: Selection) -> Counts:
        """Return the counts over everything selected."""
        with self._database.read() as connection:
            return Reading(Looked(connection, self.naming), selection).totals()

    def series(self, selection: Selection, grain: Grain) -> tuple[Point, ...]:
        """Return the counts by day, week or month, oldest first, with no gap between them."""
        with self._database.read() as connection:
            return Reading(Looked(connection, self.naming), selection).series(grain)

    def agents(self, selection: Selection) -> tuple[AgentCounts, ...]:
        """Return what each agent did, most lines first."""
        with self._database.read() as connection:
            return Reading(Looked(connection, self.naming), selection).agents()

    def directories(self, selection: Selection) -> tuple[LineCounts, ...]:
        """Return the lines of each directory right below ``selection.path``, most lines first."""
        with self._database.read() as connection:
            return Reading(Looked(connection, self.naming), selection).directories()

    def languages(self, selection: Selection) -> tuple[LineCounts, ...]:
        """Return the lines of each language, below ``selection.path``, most lines first."""
        with self._database.read() as connection:
            return Reading(Looked(connection, self.naming), selection).languages()

    def repositories(self, selection: Selection) -> tuple[RepositoryCounts, ...]:
        """Return each repository's counts, most pull requests first; none without any."""
        with self._database.read() as connection:
            return Reading(Looked(connection, self.naming), selection).repositories()

    def teams(self, selection: Selection) -> tuple[TeamCounts, ...]:
        """Return each team's counts, most pull requests first, the rest last."""
        with self._database.read() as connection:
            return Reading(Looked(connection, self.naming), selection).teams()

    def people(self, selection: Selection) -> tuple[PersonCounts, ...]:
        """Return everybody's (every team's, where people are not named) with and all, by name."""
        with self._database.read() as connection:
            return Reading(Looked(connection, self.naming), selection).people()

    def leaderboard(
        self, selection: Selection, by: By, most: int = LEADERBOARD
    ) -> tuple[PersonCounts, ...]:
        """Return the first rows of `people` by pull requests or lines "with"."""
        return first(self.people(selection), by, most)

    def adoption(self, selection: Selection) -> tuple[AdoptionDay, ...]:
        """Return active developers and agent sessions by day, days without any left out.

        Of the selection only repositories, days, agent and team are meant.
        """
        with self._database.read() as connection:
            return Reading(Looked(connection, self.naming), selection).adoption()

    def quiet(self, selection: Selection, *, today: date) -> tuple[QuietSpot, ...]:
        """Return the teams and repositories whose adoption fell or never started.

        Of the selection only the repositories are meant.
        """
        with self._database.read() as connection:
            return quiet_spots(Looked(connection, self.naming), selection, today)

    def outcomes(self, selection: Selection) -> Outcomes:
        """Return what came of assisted pull requests and of the others.

        It cannot be asked of one person, whatever the names; the agent is not meant.
        """
        if selection.author is not None:
            raise NotShown("outcomes are not shown of one person: select a team instead")
        with self._database.read() as connection:
            reading = Reading(Looked(connection, self.naming), selection)
            return compare(connection, reading.asked(with_agent=False))

    def trends(self, selection: Selection, shown: tuple[int, ...]) -> dict[int, tuple[Point, ...]]:
        """Return the counts of each shown repository by month, oldest first, by its id."""
        with self._database.read() as connection:
            return Reading(Looked(connection, self.naming), selection).trends(shown)

    # --- lists ----------------------------------------------------------------------------------

    def pulls(self, selection: Selection, listing: Listing) -> PullPage:
        """Return some rows of a list of pull requests.

        Raises `ValueError` where ``listing.after`` is not what the same question returned.
        """
        with self._database.read() as connection:
            return Reading(Looked(connection, self.naming), selection).pulls(listing)

    def pull(self, repository_id: int, pull_request: int) -> PullRow | None:
        """Return one pull request as lists show it; ``None``: no audit of it is kept."""
        asked = [
            pull_summary.c.repository_id == repository_id,
            pull_summary.c.pull_request == pull_request,
        ]
        with self._database.read() as connection:
            teams = teams_of(connection, (repository_id,), None)
            rows = pull_page(connection, asked, Listing(limit=1), self.naming, teams).rows
        return rows[0] if rows else None
