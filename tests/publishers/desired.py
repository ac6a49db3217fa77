"""What the tests of the publishers want to see at a pull request."""

from datetime import UTC, datetime

from ghapp.attribution.model import Change
from ghapp.demo.sandbox import HubPull
from ghapp.github.pull_requests import ChangeSource, PullRequest
from ghapp.publishers.plan import EVERYTHING, PublishingPlan
from ghapp.publishers.publisher import (
    UNSEEN,
    Conclusion,
    DesiredState,
    PublisherMemory,
    PublisherReport,
)
from ghapp.publishers.registry import PUBLISHERS, PublishReport, publish
from ghapp.reports.annotations import LineAnnotation
from ghapp.reports.markdown import CheckOutput
from tests.github.place import Place

LABEL = "claude-code-assisted"
COMMENT = "### At least half was written in Claude Code sessions\n"


def note(line: int, message: str = "Claude Code wrote this.") -> LineAnnotation:
    """Return an annotation of one line."""
    return LineAnnotation(
        path="a.py", start_line=line, end_line=line, title="Attributed: run", message=message
    )


def desired(**members: object) -> DesiredState:
    """Return what an assisted pull request should show, with some members changed."""
    usual: dict[str, object] = {
        "check": CheckOutput(title="At least 50%", summary="Half of it.\n", text="| File |\n"),
        "conclusion": Conclusion.SUCCESS,
        "annotations": (note(1),),
        "comment": COMMENT,
        "labels": {LABEL: "claude-code"},
    }
    return DesiredState(**{**usual, **members})  # type: ignore[arg-type]


def fetched(place: Place, pull: HubPull) -> PullRequest:
    """Return a pull request as fetching it would: publishers need its numbers only."""
    return PullRequest(
        repository_id=place.repository.id,
        repository="acme/app",
        number=pull.number,
        title=pull.title,
        author="dev",
        merged_at=datetime(2026, 5, 20, 12, 1, tzinfo=UTC),
        merge_commit=pull.merge_commit_sha,
        base_sha=pull.base_sha,
        base_ref="main",
        head_sha=pull.head_sha,
        head_ref=pull.head_ref,
        from_fork=False,
        labels=frozenset(),
        change=Change(),
        source=ChangeSource.FILES,
    )


class Publisher:
    """Publishes to one pull request again and again, and remembers as the store does."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.hosted = place.merged({f"a{len(place.repository.pulls)}.py": "x = 1\n"})
        self.known: dict[str, str] = {}
        self.noted: dict[str, datetime] = {}
        self.shelf: dict[str, str] = {}

    def another(self) -> "Publisher":
        """Give another merged pull request of the repository."""
        made = Publisher(self.place)
        made.shelf = self.shelf
        return made

    def publish(
        self, wanted: DesiredState | None = None, plan: PublishingPlan = EVERYTHING
    ) -> PublishReport:
        """Publish, as a job of its own does."""
        pull = fetched(self.place, self.hosted)
        memories = {name: self._memory(name) for name in PUBLISHERS}
        done = publish(wanted or desired(), pull, self.place.new_github(), memories, plan=plan)
        for one in done.published:
            if one.external_id is None:
                self.known.pop(one.name, None)
            else:
                self.known[one.name] = one.external_id
        return done

    def _memory(self, name: str) -> PublisherMemory:
        def note() -> None:
            self.noted[name] = self.place.clock()

        return PublisherMemory(
            recall=lambda what: self.shelf.get(what.casefold()),
            keep=lambda what, value: self.shelf.update({what.casefold(): value}),
            note=note,
            withdraw=lambda: self.noted.pop(name, None),
            external_id=self.known.get(name),
            noted_at=self.noted.get(name),
        )

    def forget(self) -> None:
        """Lose what was not noted before, as a process does that dies before it is stored."""
        self.known.clear()

    def time_passes(self) -> None:
        """Let so much time pass that nothing which was made can be unseen any more."""
        self.place.clock.now += UNSEEN

    @property
    def comments(self) -> list[str]:
        """Return the texts of all comments."""
        return [comment.body for comment in self.place.sandbox.visible(self.hosted).comments]

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of all labels."""
        return self.place.sandbox.visible(self.hosted).label_names


def outcomes(done: PublishReport) -> dict[str, str]:
    """Return each publisher's outcome by its name."""
    return {one.name: one.outcome.value for one in done.published}


def of(done: PublishReport, name: str) -> PublisherReport:
    """Return what one publisher did."""
    return next(one for one in done.published if one.name == name)
