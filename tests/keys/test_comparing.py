"""An audit over evidence of a replaced key and of the one in use: compared as if they were one."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from ghapp.attribution.attribute import attribute
from ghapp.attribution.model import AuditSubject, Change, Evidence, Verdict
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.attribution.unified_diff import parse_diff
from ghapp.bootstrap import Services
from ghapp.ingest.keep import keep_edits
from ghapp.settings import Settings
from ghapp.store import EditSender, Installation, Repository, Store
from tests.store.records import DAY, NOW, edit

NAMES = ("monthly_totals", "customer_orders", "shipping_costs", "voucher_values")
OLD = tuple(f"    {name} = collect_by_month(orders, key={name}_key)" for name in NAMES)
NEW = tuple(f"    publish_report({name}, recipients=board_of({name}))" for name in NAMES)


@pytest.fixture
def services(store: Store, tmp_path: Path) -> Services:
    environment = {"GHAPP_DATA_DIR": str(tmp_path), "REDIS_URL": "unix:///nowhere"}
    settings = Settings.from_environment(environment, app_required=False)
    store.installations.seen(Installation(id=7, account="acme"), now=NOW)
    known = Repository(id=42, owner="acme", name="app", installation_id=7)
    store.installations.repository_seen(known, now=NOW)
    return Services(settings=settings, store=store, queue=None, clock=lambda: NOW)  # type: ignore[arg-type]


def _keep(services: Services, edit_id: str, lines: tuple[str, ...]) -> str | None:
    encode = services.encoder(7)
    one = edit(edit_id, *lines)
    kept = replace(one, lines=encode(one.lines), at=NOW - DAY)  # type: ignore[arg-type]  # text
    sender = EditSender(key_id=encode.key_id, actor_id=11)
    keep_edits(services.store, 42, [kept], now=NOW, sender=sender)
    return encode.key_id


def _change() -> Change:
    added = "".join(f"+{line}\n" for line in (*OLD, *NEW))
    head = "diff --git a/src/app.py b/src/app.py\nnew file mode 100644\n--- /dev/null\n"
    text = f"{head}+++ b/src/app.py\n@@ -0,0 +1,{len(OLD) + len(NEW)} @@\n{added}"
    return Change(files=parse_diff(text.encode()))


def test_edits_of_both_keys_are_found(services: Services) -> None:
    first = _keep(services, "old", OLD)
    services.keys.rotate(7, now=NOW)
    second = _keep(services, "new", NEW)
    assert (first, second) == ("7-1", "7-2")
    kept = Evidence(edits=services.store.evidence.of(42, NOW - 9 * DAY, NOW))
    change, subject = _change(), AuditSubject(merged_at=NOW, repository="acme/app", pull_request=17)

    def attributed(evidence: Evidence) -> int:
        book = services.comparison.book(7, evidence)
        audit = attribute(subject, change, evidence, CLAUDE_CODE_V1, at=NOW, book=book)
        assert audit.verdict is Verdict.ASSISTED
        return audit.totals.attributed

    assert attributed(services.comparison.comparable(7, 42, kept, change)) == len(OLD) + len(NEW)
    assert attributed(kept) == len(NEW)
    # Once the old key is deleted, its evidence supports nothing, and nothing fails.
    services.store.fingerprint_keys.expire(NOW + DAY)
    assert attributed(services.comparison.comparable(7, 42, kept, change)) == len(NEW)
