"""The demo waits for what the app does in its own time, and says what it waits for in vain."""

from datetime import UTC, datetime
from pathlib import Path
from threading import Timer

import pytest

from ghapp.demo import results
from ghapp.demo.results import wait_until_installed
from ghapp.demo.scenarios import DemoError
from ghapp.store import Installation, Repository, Store

NOW = datetime(2026, 5, 20, tzinfo=UTC)


def install(store: Store) -> None:
    store.installations.seen(Installation(id=1, account="acme"), now=NOW)
    for number, name in ((11, "shop"), (12, "docs")):
        seen = Repository(id=number, installation_id=1, owner="acme", name=name)
        store.installations.repository_seen(seen, now=NOW)


def test_evidence_waits_until_a_worker_has_heard_of_the_installation(
    sqlite_store: Store, tmp_path: Path
) -> None:
    late = Timer(0.3, install, [sqlite_store])
    late.start()
    try:
        wait_until_installed(sqlite_store, [11, 12], tmp_path / "app.log")
        assert sqlite_store.installations.repository(12) is not None
    finally:
        late.join()


def test_an_installation_that_never_comes_is_said_with_the_end_of_the_log(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "INSTALL_LIMIT", 0.0)
    install(sqlite_store)
    log = tmp_path / "app.log"
    log.write_text("no worker is up\n", "utf-8")
    with pytest.raises(DemoError, match=r"does not know its repositories .*\nno worker is up"):
        wait_until_installed(sqlite_store, [11, 13], log)
