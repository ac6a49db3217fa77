"""Recorded audits as commands read them: which one is meant, and that nobody looks unnoticed."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ghapp.cli.recorded import in_force, named, recorded_audit
from ghapp.store import Repository, Store
from tests.databases import make_sqlite
from tests.store.records import DAY, NOW, document


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Return the store of the environment, with three audits of two pull requests."""
    url = make_sqlite(f"sqlite:///{tmp_path}/a.db")
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("GHAPP_DATA_DIR", str(tmp_path / "data"))
    with Store.unmigrated(url) as opened:
        seen = Repository(id=42, owner="acme", name="shop")
        opened.installations.repository_seen(seen, now=NOW)
        for number, days, lines in ((17, 2, 2), (17, 2, 3), (18, 1, 2)):
            at = NOW + days * DAY
            content = document(pull_request=number, merged_at=at)
            altered = content.replace(b'"attributed":2', b'"attributed":%d' % lines, 1)
            opened.audits.save(42, number, altered, now=at)
        yield opened


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("acme/shop", ("acme/shop", None)),
        ("acme/shop#17", ("acme/shop", 17)),
        ("acme.inc/a_b-c.d#1", ("acme.inc/a_b-c.d", 1)),
        ("acme/shop#0", None),
        ("acme/shop#", None),
        ("acme", None),
        ("acme/shop/replay.jsonl", None),
        ("./replay.jsonl", ("./replay.jsonl", None)),
        ("a b/c", None),
    ],
)
def test_a_name_is_told_from_a_file(text: str, meant: tuple[str, int | None] | None) -> None:
    assert named(text) == meant


def test_a_path_that_exists_is_a_file_whatever_it_looks_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "shop").touch()
    assert named("acme/shop") is None
    assert named("acme/shop#17") == ("acme/shop", 17)


def test_audits_in_force_come_by_the_time_of_their_merge(store: Store) -> None:
    found = [(one.pull_request, one.totals.attributed) for one in in_force("acme/shop", "look")]
    assert found == [(18, 2), (17, 3)]
    (looked,) = store.access_log.of(42)
    assert (looked.what, looked.pull_request) == ("look", None)


def test_the_audit_in_force_or_an_earlier_one(store: Store) -> None:
    latest, erased = recorded_audit("Acme/Shop", 17, None, "explanation")
    first, _ = recorded_audit("acme/shop", 17, 1, "explanation")
    assert (latest.totals.attributed, first.totals.attributed, erased) == (3, 2, None)
    assert [one.pull_request for one in store.access_log.of(42)] == [17, 17]


@pytest.mark.parametrize(
    ("name", "pull_request", "number", "said"),
    [
        ("acme/none", 17, None, "no file acme/none, and no repository of this name"),
        ("acme/shop", 19, None, "acme/shop#19 has no recorded audit"),
        ("acme/shop", 17, 3, "acme/shop#17 has no recorded audit number 3"),
    ],
)
def test_what_is_not_there_is_wrong_use(
    store: Store, name: str, pull_request: int, number: int | None, said: str
) -> None:
    with pytest.raises(click.UsageError, match=said):
        recorded_audit(name, pull_request, number, "explanation")
    # Who asks for what is not there has still looked.
    assert len(store.access_log.of()) == (name == "acme/shop")
