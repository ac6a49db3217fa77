"""The pages of one pull request: every line with its reason, every audit, no user's markup."""

from datetime import timedelta
from html import unescape

import msgspec
import pytest
from flask.testing import FlaskClient

from ghapp.attribution.document import from_document, to_document
from ghapp.attribution.model import (
    AgentCommitCount,
    AgentDeclaration,
    Audit,
    FileVerdict,
    LineVerdict,
    Reason,
)
from ghapp.reports.coverage import erased, of_author
from ghapp.reports.words import sentence
from ghapp.store import ErasedBy, ErasureScope, Publication, SavedAudit
from ghapp.summaries.counts import PullFacts
from ghapp.web.pages.pull_request import MOST_RUNS, file_parts, runs_of, why
from tests.store.records import document, edit
from tests.web.conftest import NOW
from tests.web.pages.reading import Read
from tests.web.pages.year import documents
from tests.web.place import Place


def address(audit: Audit, rest: str = "") -> str:
    return f"/repositories/{audit.repository}/pull/{audit.pull_request}{rest}"


@pytest.fixture
def assisted(place: Place) -> Audit:
    found = documents(place, "acme/shop")
    return max(found, key=lambda one: (one.totals.attributed, one.totals.added))


def test_the_page_counts_what_the_document_counts(admin: FlaskClient, assisted: Audit) -> None:
    page = Read(admin.get(address(assisted)).text)
    totals = assisted.totals
    assert page.numbers["Lines with an agent"] == f"{totals.attributed:,}"
    assert page.numbers["Agent edits considered"] == f"{assisted.inputs.edits_considered:,}"
    reasons = page.table("Reason", "Meaning", "Lines")
    assert {row[0]: int(row[2]) for row in reasons} == {
        str(reason): lines for reason, lines in totals.by_reason.items() if lines
    }


def test_a_file_shows_each_added_line_with_its_reason_and_its_meaning(
    admin: FlaskClient, assisted: Audit
) -> None:
    for file in assisted.files:
        answer = admin.get(address(assisted, "/file"), query_string={"path": file.path})
        rows = Read(answer.text).table("Line", "Reason", "Agent edit")
        assert [(row[0], row[1]) for row in rows] == [
            (str(line.line), str(line.reason)) for line in file.lines
        ]
        for reason in {line.reason for line in file.lines}:
            assert f'<div id="{reason}">' in answer.text
            html = unescape(answer.text)
            # In one sentence: the rule itself stands on the page of reasons.
            assert html.count(sentence(reason)) == 1
            assert f'href="/reasons#{reason}"' in answer.text


def test_runs_hold_every_line_once(assisted: Audit) -> None:
    for file in assisted.files:
        held = [line for run in runs_of(file) for line in run.lines]
        assert held == list(file.lines)


def test_a_page_shows_no_more_runs_than_it_can_hold(assisted: Audit) -> None:
    line = assisted.files[0].lines[0]
    lines = tuple(
        msgspec.structs.replace(line, line=number, reason=str(Reason.NO_MATCH), edit=str(number))
        for number in range(1, MOST_RUNS + 2)
    )
    file = FileVerdict(
        path="a.py",
        previous_path=None,
        added=len(lines),
        effective=len(lines),
        attributed=0,
        excluded=None,
        lines=lines,
    )
    parts = file_parts(msgspec.structs.replace(assisted, files=(file, *assisted.files)))
    assert sum(len(part.runs) for part in parts) <= MOST_RUNS


def test_every_audit_stands_there_with_why_and_what_was_said(
    admin: FlaskClient, place: Place
) -> None:
    repository = place.store.installations.find("acme/shop")
    assert repository is not None
    audits = place.store.audits.all_of(repository.id)
    twice = next(one for one in reversed(audits) if one.number > 1)
    path = f"/repositories/acme/shop/pull/{twice.pull_request}"
    page = admin.get(path).text
    assert "The pull request was merged." in page
    assert "The window closed." in page
    assert "Check run: written, confirmed on GitHub" in page
    earlier = admin.get(f"{path}?audit=1").text
    assert "This is audit 1; it is no longer in force." in earlier
    assert admin.get(f"{path}?audit=9").status_code == 404


def test_what_made_an_audit_anew_is_told_apart(place: Place) -> None:
    app = place.repositories["app"].id
    saved = place.store.audits.latest(app, 17)
    assert saved is not None

    def changed(**values: object) -> SavedAudit:
        return msgspec.structs.replace(saved, **values)

    assert why(None, saved) == ("The pull request was merged.",)
    assert why(saved, changed(evidence_digest="x")) == ("Evidence arrived or expired.",)
    assert why(saved, changed(policy_digest="x", engine="9")) == (
        "The policy changed.",
        "A new version of the app audited it.",
    )
    assert why(saved, changed()) == ("Somebody asked for it again.",)


def test_texts_of_users_are_no_markup(admin: FlaskClient, place: Place) -> None:
    bad = '"><script>alert(1)</script>\u202e&#64;x'
    audit = from_document(document(NOW, repository="acme/app", pull_request=666))
    file = FileVerdict(
        path=bad,
        previous_path=bad,
        added=0,
        effective=0,
        attributed=0,
        excluded=None,
        lines=(),
    )
    declared = AgentDeclaration(agent=bad, commits=1, models=(bad,), tools=(bad,), forms=(bad,))
    pushed = AgentCommitCount(agent=bad, proven=1, unproven=1)
    inputs = msgspec.structs.replace(
        audit.inputs,
        missing=(bad,),
        change_complete=False,
        declared=(declared,),
        agent_commits=(pushed,),
    )
    audit = msgspec.structs.replace(audit, files=(file,), inputs=inputs)
    app = place.repositories["app"].id
    saved = place.store.audits.save(
        app, 666, to_document(audit), now=NOW, about=PullFacts(title=bad, author=bad)
    )
    told = Publication(publisher="comment", outcome="written", asked_at=NOW, detail=bad)
    place.store.publications.record(saved, told)
    pull = "/repositories/acme/app/pull/666"
    for path in (pull, f"{pull}/file", "/repositories/acme/app", "/repositories/acme/app/pulls"):
        page = admin.get(path, query_string={"path": bad} if path.endswith("file") else None).text
        assert "<script>" not in page.replace('<script src="/static/times.js"', "")
        assert "\u202e" not in page


def test_what_is_declared_stands_beside_what_is_measured(admin: FlaskClient, place: Place) -> None:
    audit = from_document(document(NOW, repository="acme/app", pull_request=668))
    inputs = msgspec.structs.replace(
        audit.inputs,
        declared=(AgentDeclaration(agent="claude-code", commits=2, models=("Claude Opus 5",)),),
        agent_commits=(AgentCommitCount(agent="copilot-cloud", proven=1, unproven=0),),
    )
    told = to_document(msgspec.structs.replace(audit, inputs=inputs))
    place.store.audits.save(place.repositories["app"].id, 668, told, now=NOW)
    page = admin.get("/repositories/acme/app/pull/668").text
    assert "Declared: Claude (2 commits, Claude Opus 5). Measured:" in page
    assert "accounts: GitHub Copilot in the cloud 1 proven." in page


def test_the_text_is_asked_of_github_as_the_viewer_and_only_then(
    admin: FlaskClient, place: Place
) -> None:
    repository = place.repositories["app"]
    text = "first = 1\n\tsecond = 2\r\n"
    commit = place.sandbox.commit(repository, {"src/app.py": text})
    audit = from_document(document(NOW, repository="acme/app", pull_request=18))
    file = FileVerdict(
        path="src/app.py",
        previous_path=None,
        added=1,
        effective=1,
        attributed=1,
        excluded=None,
        lines=(LineVerdict(line=2, reason=Reason.LINE, attributed=True),),
    )
    audit = msgspec.structs.replace(audit, files=(file,), merge_commit=commit)
    place.store.audits.save(repository.id, 18, to_document(audit), now=NOW)
    path = "/repositories/acme/app/pull/18/file?path=src/app.py"
    assert "second = 2" not in admin.get(path).text
    shown = admin.get(f"{path}&text=1").text
    assert ">    second = 2</code>" in shown
    assert "first = 1" not in shown
    assert {one for one in place.asked_as() if not one.startswith("user:")} == set()
    gone = msgspec.structs.replace(audit, merge_commit="f" * 40)
    later = NOW + timedelta(days=1)
    place.store.audits.save(repository.id, 18, to_document(gone), now=later)
    assert "GitHub has no text for this file" in admin.get(f"{path}&text=1").text


def test_beside_the_share_stands_who_was_heard_of_and_what_was_erased(
    admin: FlaskClient, place: Place
) -> None:
    store, later = place.store, NOW + timedelta(days=1)
    app = place.repositories["app"].id
    text = document(NOW, repository="acme/app", pull_request=77)
    author = {"author": "dan", "author_id": 14}
    store.audits.save(app, 77, text, now=NOW, about=PullFacts(**author))  # type: ignore[arg-type]
    page = admin.get("/repositories/acme/app/pull/77").text
    assert of_author("nothing").replace("'", "&#39;") in page
    sent = edit("by dan", at=NOW, actor="dan")
    store.evidence.add(app, [sent], now=NOW)
    page = admin.get("/repositories/acme/app/pull/77").text
    assert of_author("evidence").replace("'", "&#39;") in page
    assert "erased" not in page
    store.evidence.erase(ErasureScope(login="dan"), ErasedBy.DEVELOPER, now=later)
    assert erased(1, later.date().isoformat()) in admin.get("/repositories/acme/app/pull/77").text
    summed = admin.get("/repositories/acme/app").text
    assert "For 1 of 1 pull request the author&#39;s machine did not report" in summed
