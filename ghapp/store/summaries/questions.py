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
from ghapp.store.summaries.query import ReadTransaction, SelectionQuery, quiet_spots
from ghapp.summaries.counts import (
    AdoptionDay,
    AgentCounts,
    LineCounts,
    OrganizationSummary,
    OutcomeSummary,
    PersonCounts,
    PullCounts,
    PullPage,
    PullRow,
    QuietSpot,
    RepositoryCounts,
    RepositorySummary,
    SeriesPoint,
    TeamCounts,
)
from ghapp.summaries.selection import (
    LEADERBOARD,
    ListSlice,
    NotShown,
    PersonNaming,
    PullOrder,
    PullSelection,
    RankBy,
    TimeGrain,
)

ADOPTION_DAYS = 91


class SummaryQuestions:
    """The summaries of all repositories.

    Methods raise `NotShown` where a selection asks about one person, or about
    a group that is too small, and `DatabaseUnavailable` where the database is away.
    """

    def __init__(self, database: Database, naming: PersonNaming) -> None:
        self._database = database
        self.naming = naming

    # --- pages ----------------------------------------------------------------------------------

    def repository(self, selection: PullSelection, grain: TimeGrain) -> RepositorySummary:
        """Return what a repository's page shows; its list is `pulls`."""
        with self._database.read() as connection:
            reading = SelectionQuery(ReadTransaction(connection, self.naming), selection)
            series = reading.series(grain)
            listing = ListSlice(order=PullOrder.EFFECTIVE, limit=LEADERBOARD)
            return RepositorySummary(
                totals=total(point.counts for point in series),
                series=series,
                agents=reading.agents(),
                directories=reading.directories(),
                languages=reading.languages(),
                largest=reading.pulls(listing).rows,
            )

    def organization(
        self, selection: PullSelection, grain: TimeGrain, *, today: date
    ) -> OrganizationSummary:
        """Return what an organization's page shows; ``today`` is what quiet spots end with.

        Its adoption is that of the last 13 weeks of the selection; `adoption` tells more.
        """
        with self._database.read() as connection:
            looked = ReadTransaction(connection, self.naming)
            reading = SelectionQuery(looked, selection)
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
                leaderboard_pulls=first(everybody, RankBy.PULLS, LEADERBOARD),
                leaderboard_lines=first(everybody, RankBy.LINES, LEADERBOARD),
                adoption=SelectionQuery(looked, latest).adoption(),
                quiet=quiet_spots(looked, selection, today),
            )

    # --- parts ----------------------------------------------------------------------------------

    def totals(self, selection: PullSelection) -> PullCounts:
        """Return the counts over everything selected."""
        with self._database.read() as connection:
            return SelectionQuery(ReadTransaction(connection, self.naming), selection).totals()

    def series(self, selection: PullSelection, grain: TimeGrain) -> tuple[SeriesPoint, ...]:
        """Return the counts by day, week or month, oldest first, with no gap between them."""
        with self._database.read() as connection:
            return SelectionQuery(ReadTransaction(connection, self.naming), selection).series(grain)

    def agents(self, selection: PullSelection) -> tuple[AgentCounts, ...]:
        """Return what each agent did, most lines first."""
        with self._database.read() as connection:
            return SelectionQuery(ReadTransaction(connection, self.naming), selection).agents()

    def directories(self, selection: PullSelection) -> tuple[LineCounts, ...]:
        """Return the lines of each directory right below ``selection.path``, most lines first."""
        with self._database.read() as connection:
            return SelectionQuery(ReadTransaction(connection, self.naming), selection).directories()

    def languages(self, selection: PullSelection) -> tuple[LineCounts, ...]:
        """Return the lines of each language, below ``selection.path``, most lines first."""
        with self._database.read() as connection:
            return SelectionQuery(ReadTransaction(connection, self.naming), selection).languages()

    def repositories(self, selection: PullSelection) -> tuple[RepositoryCounts, ...]:
        """Return each repository's counts, most pull requests first; none without any."""
        with self._database.read() as connection:
            return SelectionQuery(
                ReadTransaction(connection, self.naming), selection
            ).repositories()

    def teams(self, selection: PullSelection) -> tuple[TeamCounts, ...]:
        """Return each team's counts, most pull requests first, the rest last."""
        with self._database.read() as connection:
            return SelectionQuery(ReadTransaction(connection, self.naming), selection).teams()

    def people(self, selection: PullSelection) -> tuple[PersonCounts, ...]:
        """Return everybody's (every team's, where people are not named) with and all, by name."""
        with self._database.read() as connection:
            return SelectionQuery(ReadTransaction(connection, self.naming), selection).people()

    def leaderboard(
        self, selection: PullSelection, by: RankBy, most: int = LEADERBOARD
    ) -> tuple[PersonCounts, ...]:
        """Return the first rows of `people` by pull requests or lines "with"."""
        return first(self.people(selection), by, most)

    def adoption(self, selection: PullSelection) -> tuple[AdoptionDay, ...]:
        """Return active developers and agent sessions by day, days without any left out.

        Of the selection only repositories, days, agent and team are meant.
        """
        with self._database.read() as connection:
            return SelectionQuery(ReadTransaction(connection, self.naming), selection).adoption()

    def quiet(self, selection: PullSelection, *, today: date) -> tuple[QuietSpot, ...]:
        """Return the teams and repositories whose adoption fell or never started.

        Of the selection only the repositories are meant.
        """
        with self._database.read() as connection:
            return quiet_spots(ReadTransaction(connection, self.naming), selection, today)

    def outcomes(self, selection: PullSelection) -> OutcomeSummary:
        """Return what came of assisted pull requests and of the others.

        It cannot be asked of one person, whatever the names; the agent is not meant.
        """
        if selection.author is not None:
            raise NotShown("outcomes are not shown of one person: select a team instead")
        with self._database.read() as connection:
            reading = SelectionQuery(ReadTransaction(connection, self.naming), selection)
            return compare(connection, reading.asked(with_agent=False))

    def trends(
        self, selection: PullSelection, shown: tuple[int, ...]
    ) -> dict[int, tuple[SeriesPoint, ...]]:
        """Return the counts of each shown repository by month, oldest first, by its id."""
        with self._database.read() as connection:
            return SelectionQuery(ReadTransaction(connection, self.naming), selection).trends(shown)

    # --- lists ----------------------------------------------------------------------------------

    def pulls(self, selection: PullSelection, listing: ListSlice) -> PullPage:
        """Return some rows of a list of pull requests.

        Raises `ValueError` where ``listing.after`` is not what the same question returned.
        """
        with self._database.read() as connection:
            return SelectionQuery(ReadTransaction(connection, self.naming), selection).pulls(
                listing
            )

    def pull(self, repository_id: int, pull_request: int) -> PullRow | None:
        """Return one pull request as lists show it; ``None``: no audit of it is kept."""
        asked = [
            pull_summary.c.repository_id == repository_id,
            pull_summary.c.pull_request == pull_request,
        ]
        with self._database.read() as connection:
            teams = teams_of(connection, (repository_id,), None)
            rows = pull_page(connection, asked, ListSlice(limit=1), self.naming, teams).rows
        return rows[0] if rows else None
