"""Two developers' machines and the real app: from a hook to the comment on GitHub."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy import func, select

from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import FingerprintCodebook
from ghapp.attribution.document import from_document
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import Audit, AuditSubject, Change, Edit, Evidence, Measure
from ghapp.attribution.policy import POLICIES
from ghapp.attribution.unified_diff import parse_diff
from ghapp.collector.flush import flush
from ghapp.git.repository import GitRepository
from ghapp.ingest.artifacts import find_evidence
from ghapp.store.schema import token_sum
from ghapp.usage.days import TokenDay
from tests.collector import workday
from tests.collector.machine import USAGE, Agent
from tests.journeys.developer import Developer
from tests.journeys.running import Place
from tests.waiting import wait_until

EVER = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def turns(ann: Developer, bob: Developer) -> Iterator[tuple[Developer, Agent]]:
    """Let both work in turn."""
    of_ann = workday.on_machine_a(ann.machine, *ann.roots)
    of_bob = workday.on_machine_b(bob.machine, *bob.roots)
    for one, other in zip(of_ann, of_bob, strict=True):
        yield ann, one
        yield bob, other


def test_every_edit_arrives_once_and_the_audit_is_that_of_the_transcripts(
    open_place: Place, tmp_path: Path
) -> None:
    ann = Developer(open_place, tmp_path / "a", "a", "ann")
    bob = Developer(open_place, tmp_path / "b", "b", "bob")
    for number, (developer, agent) in enumerate(turns(ann, bob)):
        # Half of the time bob has no network.
        developer.connect(is_away=developer is bob and number % 4 == 1)
        for event, _ in agent.events:
            developer.machine.run_hook(event)
        agent.events.clear()
        flush(developer.machine.places, now=datetime.now(UTC))
    for developer in (ann, bob):
        developer.connect()
        done = developer.collect("flush")
        assert done.returncode == 0, done.stderr
        done = developer.collect("backfill")
        assert done.returncode == 0, done.stderr
        assert developer.collect("backfill").stdout.startswith("0 edit(s) sent")

    kept = open_place.store.evidence.of(open_place.repository.id, *EVER)
    assert len({edit.id for edit in kept}) == len(kept) == ann.machine.calls + bob.machine.calls
    by_machine = {edit.id.removeprefix("toolu_")[0]: edit.actor for edit in kept}
    assert by_machine == {"a": "ann", "b": "bob"}
    assert not any(edit.path.startswith("/") for edit in kept)

    audit, change = _merged(open_place, [*ann.roots, *bob.roots])
    on_the_spot = _offline(audit, change, ann, bob)
    assert workday.told(audit) == workday.told(on_the_spot)
    assert (audit.measure, audit.totals) == (Measure.TOKENS, on_the_spot.totals)
    assert 0 < audit.totals.attributed < audit.totals.effective

    # What the models answered arrives, too, and the scheduler sums it.
    answers = ann.machine.answers + bob.machine.answers
    expected = (answers, answers * USAGE["output_tokens"])
    rows = [one.row for one in open_place.store.usage.rows(open_place.installation.id)]
    told = [row for row in rows if isinstance(row, TokenDay)]
    output = sum(row.tokens.output for row in told)
    assert (sum(row.answers or 0 for row in told), output) == expected
    wait_until(lambda: _summed(open_place) == expected, "the sums of usage")

    # What a developer removes is gone.
    assert ann.collect("forget", "--all", "--yes").returncode == 0
    kept = open_place.store.evidence.of(open_place.repository.id, *EVER)
    assert {edit.actor for edit in kept} == {"bob"}
    of_bob = bob.machine.answers
    assert _summed(open_place) == (of_bob, of_bob * USAGE["output_tokens"])


def _summed(place: Place) -> tuple[int, int]:
    """Return the answers and output tokens that the app has summed for the repository."""
    columns = token_sum.c
    of_days = (columns.grain == "day", columns.repository_id == place.repository.id)
    query = select(func.sum(columns.answers), func.sum(columns.output)).where(*of_days)
    row = place.store.database.first(query)
    assert row is not None
    return int(row[0] or 0), int(row[1] or 0)


def _merged(place: Place, roots: list[Path]) -> tuple[Audit, Change]:
    """Merge the written files, and return the app's audit."""
    pull = place.sandbox.open_pull(place.repository, files=workday.merged(roots))
    place.sandbox.merge(pull, method="squash")
    place.sandbox.deliver_closed(pull)
    place.wait_until_settled(pull)
    saved = place.store.audits.latest(place.repository.id, pull.number)
    assert saved is not None
    git = GitRepository(place.repository.git.path)
    sha = str(pull.merge_commit_sha)
    change = Change(files=tuple(parse_diff(git.diff(f"{sha}^", sha))))
    document = place.store.audits.document(saved.id)
    assert document is not None
    return from_document(document), change


def _offline(audit: Audit, change: Change, *developers: Developer) -> Audit:
    """Audit the transcripts in place, by tokens."""
    (installation,) = developers[0].online.enrollment.installations
    fingerprinter = LineFingerprinter(installation.key)
    found = find_evidence([one.machine.transcripts for one in developers])
    edits = tuple(
        msgspec.structs.replace(one, lines=fingerprinter.lines(one.lines))  # type: ignore[arg-type]
        for one in found
        if isinstance(one, Edit)
    )
    roots = tuple(str(root) for one in developers for root in one.roots)
    return attribute(
        AuditSubject(merged_at=audit.merged_at),
        change,
        Evidence(edits=edits, roots=roots),
        POLICIES["claude-code-v1"],
        at=audit.merged_at,
        book=FingerprintCodebook(fingerprinter),
    )
