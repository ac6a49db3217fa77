"""Replays as they are kept: begun once, taken in page by page, settled, cancelled."""

import pytest

from ghapp.attribution.policy import CLAUDE_CODE_V1_MOVED
from ghapp.store import (
    Lane,
    ListedPull,
    PullState,
    Replay,
    ReplayCounts,
    ReplayRequest,
    ReplayState,
    ReplayUnderWay,
    Store,
    WorkKind,
    WorkRequest,
)
from tests.store.records import DAY, NOW, lease

ASKED = ReplayRequest(
    repository_id=42,
    as_of=NOW,
    asked_by="login:ann",
    policy=CLAUDE_CODE_V1_MOVED,
    since=NOW - 9 * DAY,
    publish=("checks", "labels"),
)


def request(number: int | None = None) -> WorkRequest:
    return WorkRequest(
        kind=WorkKind.REPLAY, due_at=NOW, lane=Lane.REPLAY, repository_id=42, pull_request=number
    )


def found(number: int, days: int = 0) -> ListedPull:
    at = NOW - days * DAY
    return ListedPull(number=number, merged_at=at, base_sha="b", head_sha="h", merge_commit="m")


def begun(store: Store) -> Replay:
    replay = store.replays.start(ASKED, request(), now=NOW)
    pulls = [found(3), found(1), found(2, days=1)]
    requests = [request(pull.number) for pull in pulls]
    assert store.replays.page(replay, pulls, requests, is_last=True, now=NOW)
    return replay


def test_what_was_asked_is_kept(store: Store) -> None:
    replay = store.replays.start(ASKED, request(), now=NOW)
    assert (replay.policy, replay.since, replay.until) == (ASKED.policy, ASKED.since, None)
    assert (replay.publish, replay.record) == (("checks", "labels"), True)
    assert replay.spans(NOW)
    assert not replay.spans(NOW - 10 * DAY)
    assert store.replays.running(42) == replay
    assert store.replays.of(42) == (replay,)
    assert [item.name for item in store.work.ready(WorkKind.REPLAY, 42, NOW)] == ["replay:42:-"]
    with pytest.raises(ReplayUnderWay) as other:
        store.replays.start(ASKED, request(), now=NOW)
    assert other.value.replay == replay.id


def test_documents_are_in_the_order_of_the_merges(store: Store) -> None:
    replay = begun(store)
    assert store.replays.progress(replay.id) == ReplayCounts(waiting=3)
    for number in (3, 2):
        document = b"%d" % number
        store.replays.settle(replay.id, number, PullState.DONE, document=document, now=NOW)
    assert store.replays.running(42) is not None
    assert store.replays.pull(replay.id, 3) is None
    assert store.replays.pull(replay.id, 1) == found(1)
    store.replays.settle(replay.id, 1, PullState.FAILED, why="gone", now=NOW + DAY)
    assert list(store.replays.documents(replay.id)) == [b"2", b"3"]
    assert store.replays.problems(replay.id) == ((1, "gone"),)
    over = store.replays.one(replay.id)
    assert over is not None
    assert (over.state, over.finished_at) == (ReplayState.DONE, NOW + DAY)
    assert store.replays.start(ASKED, request(), now=NOW).id != replay.id


def test_a_page_is_taken_in_once(store: Store) -> None:
    replay = begun(store)
    assert not store.replays.page(replay, [found(9)], [request(9)], is_last=True, now=NOW)
    assert store.replays.progress(replay.id).total == 3


def test_an_empty_list_ends_it(store: Store) -> None:
    replay = store.replays.start(ASKED, request(), now=NOW)
    assert store.replays.page(replay, [], [], is_last=True, now=NOW)
    assert store.replays.running(42) is None


def test_a_cancelled_one_leaves_nothing_open(store: Store) -> None:
    replay = begun(store)
    failed = lease(store, Lane.REPLAY)
    assert failed is not None
    assert store.work.give_up(failed, "given up")
    assert store.replays.cancel(replay.id, now=NOW)
    assert store.work.open() == ()
    assert store.replays.running(42) is None
    assert not store.replays.cancel(replay.id, now=NOW)
