"""A live audit says whether its author's machine was heard of, and notes the fork it came from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ghapp.audit import AuditRequest
from ghapp.demo.sandbox import HubPull
from ghapp.reports.coverage import of_author
from ghapp.store import EditSender, NameReason
from tests.store.records import edit
from tests.web.place import Place

ADDED = "".join(f"monthly_total_{at} = collect_by_month(orders, {at})\n" for at in range(6))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


def _audited(place: Place, pull: HubPull) -> str:
    """Audit a pull request and return what its check run says."""
    number = pull.repository.id
    ref = AuditRequest(installation_id=place.installed.id, repository_id=number, number=pull.number)
    place.services.audit(ref)
    (run,) = place.sandbox.visible(pull).check_runs
    return run.summary or ""


def test_silence_of_the_author_is_told_until_evidence_arrives(place: Place) -> None:
    open_ = place.repositories["open"]
    fork = place.sandbox.fork(open_, "ann")
    pull = place.sandbox.open_pull(
        open_, files={"src/totals.py": ADDED}, title="Totals", author="ann", fork=fork
    )
    place.sandbox.merge(pull, method="squash")
    assert of_author("nothing") in _audited(place, pull)
    (alias,) = place.store.repository_names.of(["ann/open"]).values()
    assert (alias.repository_id, alias.why) == (open_.id, NameReason.FORK)

    person = place.sandbox.user("ann")
    sent = edit("toolu_1", *ADDED.splitlines(), path="src/totals.py", at=place.clock())
    place.store.evidence.add(
        open_.id, [sent], now=place.clock(), sender=EditSender(actor_id=person.id)
    )
    assert of_author("evidence") in _audited(place, pull)
    (comment,) = place.sandbox.visible(pull).comments
    assert of_author("evidence") in comment.body
