"""The cache of merged pull requests: whole ones only, sealed, and gone after a time."""

import os
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from ghapp.attribution.model import AgentDeclaration, Change, UnreadEvidence
from ghapp.attribution.unified_diff import parse_diff
from ghapp.auditing.kept_pulls import FOLDER, KeptPulls
from ghapp.github.pull_requests import ChangeSource, PullRequest
from ghapp.ingest.carried import CarriedEvidence
from ghapp.store import ListedPull
from tests.store.records import NOW

KEY = bytes(range(32))
DIFF = "--- a/src/a.py\n+++ b/src/a.py\n@@ -0,0 +1 @@\n+the_secret = quetzal()\n"
BASE, HEAD, MERGE = "b" * 40, "a" * 40, "c" * 40
LISTED = ListedPull(number=17, merged_at=NOW, base_sha=BASE, head_sha=HEAD, merge_commit=MERGE)
PULL = PullRequest(
    repository_id=42,
    repository="acme/shop",
    number=17,
    title="Add totals",
    author="ann",
    merged_at=NOW,
    merge_commit=MERGE,
    base_sha=BASE,
    base_ref="main",
    head_sha=HEAD,
    head_ref="work",
    from_fork=False,
    labels=frozenset({"one", "two"}),
    change=Change(files=parse_diff(DIFF.encode())),
    source=ChangeSource.FILES,
)
CARRIED = CarriedEvidence(found=(), declared=(AgentDeclaration(agent="aider", commits=1),))


@pytest.fixture
def kept(tmp_path: Path) -> KeptPulls:
    return KeptPulls(tmp_path, KEY)


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / FOLDER).rglob("*") if path.is_file()]


def test_a_pull_request_is_read_as_it_was_fetched(kept: KeptPulls) -> None:
    assert kept.read(42, LISTED) is None
    kept.keep(LISTED, PULL, CARRIED)
    assert kept.read(42, LISTED) == (PULL, CARRIED)
    assert kept.read(43, LISTED) is None


@pytest.mark.parametrize("member", ["number", "base_sha", "head_sha", "merge_commit"])
def test_another_merge_is_another_key(kept: KeptPulls, member: str) -> None:
    kept.keep(LISTED, PULL, CARRIED)
    other = msgspec.structs.replace(LISTED, **{member: 18 if member == "number" else "d" * 40})
    assert kept.read(42, other) is None


def test_source_text_is_sealed_and_the_files_are_the_users_alone(
    kept: KeptPulls, tmp_path: Path
) -> None:
    kept.keep(LISTED, PULL, CARRIED)
    (path,) = files(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert b"quetzal" not in path.read_bytes()
    assert KeptPulls(tmp_path, KEY[::-1]).read(42, LISTED) is None


@pytest.mark.parametrize("content", [b"", b"gAAAAA", None])
def test_what_cannot_be_read_is_fetched_again(
    kept: KeptPulls, tmp_path: Path, content: bytes | None
) -> None:
    kept.keep(LISTED, PULL, CARRIED)
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-9] if content is None else content)
    assert kept.read(42, LISTED) is None
    kept.keep(LISTED, PULL, CARRIED)
    assert kept.read(42, LISTED) == (PULL, CARRIED)


UNREAD = UnreadEvidence(source="refs/notes/ai", line=None, problem="gone")


@pytest.mark.parametrize(
    ("pull", "listed", "carried"),
    [
        ({"source": ChangeSource.PARTIAL}, {}, CARRIED),
        ({"head_sha": "d" * 40}, {}, CARRIED),
        ({"merge_commit": None}, {"merge_commit": None}, CARRIED),
        ({}, {}, CarriedEvidence(found=(UNREAD,), declared=None)),
    ],
    ids=["in_part", "another_head", "no_merge_commit", "with_evidence"],
)
def test_what_may_be_different_next_time_is_not_kept(
    kept: KeptPulls,
    tmp_path: Path,
    pull: dict[str, object],
    listed: dict[str, object],
    carried: CarriedEvidence,
) -> None:
    kept.keep(
        msgspec.structs.replace(LISTED, **listed),
        msgspec.structs.replace(PULL, **pull),
        carried,
    )
    assert files(tmp_path) == []


def test_only_what_is_old_is_removed(kept: KeptPulls, tmp_path: Path) -> None:
    kept.keep(LISTED, PULL, CARRIED)
    (old,) = files(tmp_path)
    later = msgspec.structs.replace(PULL, number=18)
    kept.keep(msgspec.structs.replace(LISTED, number=18), later, CARRIED)
    os.utime(old, (NOW.timestamp(), NOW.timestamp()))
    assert kept.expire(NOW) == 0
    assert kept.expire(NOW + timedelta(seconds=1)) == 1
    assert len(files(tmp_path)) == 1
    assert KeptPulls(tmp_path / "none", KEY).expire(NOW) == 0
