"""Batches from machines: taken whole, once, from whom may write, and refused in clear words."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import EditLines, LineFingerprint
from ghapp.store import AuthorCoverage, Installation
from ghapp.wire import MOST_NAMED, BatchReceipt
from tests.searching import searched
from tests.store.records import DAY, NOW
from tests.web.machine import Machine, ids, machine_of, told
from tests.web.place import Place


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, on_database: dict[str, str]
) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("uploads"), **on_database)
    for name in ("app", "open"):
        made.sandbox.allow(made.repositories[name], "ann", "write")
        made.sandbox.allow(made.repositories[name], "bob", "write")
    # From the beginning: the app remembers for a while what it was told of a name.
    made.sandbox.allow(made.repositories["secret"], "ann", "read")
    yield made
    assert made.sandbox.violations == []
    made.close()


@pytest.fixture
def place(shared: Place) -> Place:
    """Return the app without what any test before has sent to it."""
    for login in ("ann", "bob"):
        for token in shared.store.tokens.of_login(login):
            shared.store.tokens.revoke(token.id, now=shared.clock())
    shared.store.evidence.expire(NOW + 99 * DAY)
    shared.store.coverage.expire(NOW + 99 * DAY)
    return shared


@pytest.fixture
def ann(place: Place) -> Machine:
    return machine_of(place, "ann")


def receipt(answer: Any) -> BatchReceipt:
    assert answer.status_code == 200, answer.data
    return msgspec.json.decode(answer.data, type=BatchReceipt)


def test_a_batch_is_kept_once_as_its_persons(place: Place, ann: Machine) -> None:
    batch = ann.batch(ann.edit("a", "one = 1"), ann.edit("b", "two = 2"))
    assert receipt(ann.send(batch)) == BatchReceipt(stored=2, already_known=0, audits_due=1)
    assert receipt(ann.send_packed(batch)) == BatchReceipt(stored=0, already_known=2, audits_due=0)
    kept = place.store.evidence.of(place.repositories["app"].id, NOW, NOW)
    assert [(one.id, one.actor, one.path, one.cwd) for one in kept] == [
        ("a", "ann", "src/app.py", None),
        ("b", "ann", "src/app.py", None),
    ]
    assert kept[0].lines == ann.edit("a", "one = 1").lines
    keys = place.store.evidence.other_keys(place.repositories["app"].id, NOW, NOW, None)
    assert set(keys.values()) == {ann.installation.key_id}


def test_a_heartbeat_says_that_the_machine_is_there(place: Place, ann: Machine) -> None:
    assert receipt(ann.send(ann.batch(remotes=()))).stored == 0
    user = place.sandbox.user("ann").id
    assert place.store.coverage.author(1, (user, "ann"), NOW, NOW) is AuthorCoverage.REPORTING
    ann.send(ann.batch())
    (week,) = place.store.coverage.weeks(place.repositories["app"].id, NOW, NOW)
    assert (week.developers, week.edits) == (("ann",), 0)
    ann.send(ann.batch(ann.edit()))
    (week,) = place.store.coverage.weeks(place.repositories["app"].id, NOW, NOW)
    assert (week.machines, week.edits) == (1, 1)


# --- whose ----------------------------------------------------------------------------------------


def test_nobody_writes_another_persons_edit(place: Place, ann: Machine) -> None:
    bob = machine_of(place, "bob")
    ann.send(ann.batch(ann.edit("a", "one = 1", "two = 2")))
    assert receipt(bob.send(bob.batch(bob.edit("a", "one = 1")))).stored == 1
    kept = place.store.evidence.of(place.repositories["app"].id, NOW, NOW)
    assert {(one.actor, len(one.lines.hunks[0].own)) for one in kept} == {("ann", 2), ("bob", 1)}


def test_read_access_is_not_enough(place: Place, ann: Machine) -> None:
    host = ann.enrollment.host
    batch = ann.batch(ann.edit(), remotes=(f"{host}/acme/secret",))
    assert told(ann.send(batch)) == (403, "may_not_write", "remotes")
    assert ids(place, "secret") == []


def test_what_may_not_be_seen_is_as_if_it_were_not_there(place: Place) -> None:
    bob = machine_of(place, "bob")
    host = bob.enrollment.host
    answers = [
        bob.send(bob.batch(bob.edit(), remotes=(f"{host}/acme/{name}",)))
        for name in ("secret", "nothing")
    ]
    assert {told(one) for one in answers} == {(404, "unknown_repository", "remotes")}
    assert len({one.data for one in answers}) == 1


def test_another_hosts_repository_of_the_same_name_is_not_ours(ann: Machine) -> None:
    batch = ann.batch(ann.edit(), remotes=("git.example.com/acme/app",))
    assert told(ann.send(batch)) == (404, "unknown_repository", "remotes")


def test_a_token_sends_to_its_own_installations_only(place: Place, ann: Machine) -> None:
    place.store.installations.seen(Installation(id=999, account="other"), now=NOW)
    for number in (999, 998, 2**63 - 1):
        answer = ann.send(ann.batch(ann.edit(), installation=number))
        assert told(answer) == (403, "other_installation", "installation")


def test_a_login_that_somebody_else_has_now_counts_for_nothing(place: Place, ann: Machine) -> None:
    account = place.sandbox.user("ann")
    old, account.id = account.id, 10_000_019
    place.clock.pass_by(minutes=6)
    try:
        assert ann.send(ann.batch(ann.edit())).status_code == 404
    finally:
        account.id = old
        place.clock.pass_by(minutes=6)


# --- where ----------------------------------------------------------------------------------------


def test_former_names_and_forks_are_found(place: Place, ann: Machine) -> None:
    host, app = ann.enrollment.host, place.repositories["open"]
    fork = place.sandbox.fork(app, "ann")
    batch = ann.batch(ann.edit("fork"), remotes=(f"{host}/{fork.full_name}",))
    assert receipt(ann.send(batch)).stored == 1
    asked = len(place.sandbox.exchanges)
    assert receipt(ann.send(batch)).already_known == 1
    assert len(place.sandbox.exchanges) == asked, "what a name means is asked once"
    place.sandbox.rename_repository(app, "opened")
    try:
        batch = ann.batch(ann.edit("new name"), remotes=(f"{host}/acme/opened",))
        assert receipt(ann.send(batch)).stored == 1
        assert set(ids(place, "open")) == {"fork", "new name"}
    finally:
        place.sandbox.rename_repository(app, "open")


def test_a_fork_and_its_origin_in_one_installation_both_keep_an_edit(
    place: Place, ann: Machine
) -> None:
    host = ann.enrollment.host
    remotes = (f"{host}/acme/app", f"{host}/acme/open", f"{host}/acme/secret")
    assert receipt(ann.send(ann.batch(ann.edit("a"), remotes=remotes))).stored == 1
    assert (ids(place, "app"), ids(place, "open"), ids(place, "secret")) == (["a"], ["a"], [])


def test_a_name_that_github_does_not_know_is_not_asked_again_at_once(
    place: Place, ann: Machine
) -> None:
    batch = ann.batch(ann.edit(), remotes=(f"{ann.enrollment.host}/acme/never",))
    ann.send(batch)
    asked = len(place.sandbox.exchanges)
    assert told(ann.send(batch))[0] == 404
    assert len(place.sandbox.exchanges) == asked
    place.clock.pass_by(hours=7)
    ann.send(batch)
    assert len(place.sandbox.exchanges) > asked


# --- what -----------------------------------------------------------------------------------------


def test_another_key_is_refused(place: Place, ann: Machine) -> None:
    batch = ann.batch(ann.edit("a"), key_id="1-99")
    assert told(ann.send(batch)) == (409, "stale_key", "key_id")
    place.services.keys.rotate(place.installed.id, now=place.clock())
    assert told(ann.send(ann.batch(ann.edit("a")))) == (409, "stale_key", "key_id")
    assert ids(place) == []


SHORT = EditLines(hunks=(), removed=(LineFingerprint(b"1234567", b""),))
TORN = EditLines(hunks=(), removed=(LineFingerprint(b"12345678", b"1234"),))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"at": NOW + timedelta(days=2, hours=9)}, "edits[1].at"),
        ({"path": "/home/ann/app.py"}, "edits[1].path"),
        ({"path": "src/../../app.py"}, "edits[1].path"),
        ({"path": "~/app.py"}, "edits[1].path"),
        ({"lines": SHORT}, "edits[1].lines"),
        ({"lines": TORN}, "edits[1].lines"),
    ],
)
def test_one_wrong_edit_refuses_the_whole_batch(
    place: Place, ann: Machine, changed: dict[str, Any], field: str
) -> None:
    answer = ann.send(ann.batch(ann.edit("a"), ann.edit("b", **changed)))
    assert told(answer) == (422, None, field)
    assert ids(place) == []


def test_edits_need_remotes(ann: Machine) -> None:
    batch = msgspec.structs.replace(ann.batch(ann.edit()), remotes=())
    assert told(ann.send(batch)) == (422, None, "remotes")


# --- forgetting -----------------------------------------------------------------------------------


def test_a_person_removes_what_he_sent_and_nothing_else(place: Place, ann: Machine) -> None:
    bob = machine_of(place, "bob")
    host = ann.enrollment.host
    ann.send(ann.batch(ann.edit("a"), ann.edit("b", path="lib/b.py"), ann.edit("c")))
    ann.send(ann.batch(ann.edit("d"), remotes=(f"{host}/acme/open",)))
    bob.send(bob.batch(bob.edit("e")))
    assert ann.forget(remotes=[f"{host}/acme/nothing"]).get_json() == {"edits": 0}
    most = [f"elsewhere/{number}" for number in range(MOST_NAMED - 1)]
    assert ann.forget(paths=["lib", *most]).get_json() == {"edits": 1}
    assert ann.forget(edits=["a", "e"]).get_json() == {"edits": 1}
    assert ann.forget(remotes=[f"{host}/acme/open"]).get_json() == {"edits": 1}
    assert (ids(place), ids(place, "open")) == (["c", "e"], [])
    assert ann.forget().get_json() == {"edits": 1}
    assert ids(place) == ["e"]
    (week,) = place.store.coverage.weeks(place.repositories["app"].id, NOW, NOW)
    assert week.developers == ("bob",)
    noted = place.store.erasures.of(place.repositories["app"].id, NOW, NOW)
    assert {one.erased_by for one in noted} == {"developer"}
    logged = place.store.access_log.of(who="login:ann")
    assert [(one.what, one.door) for one in logged] == [("erasure", "api")] * 5


# --- the law of repetition ------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.sampled_from(["ann", "bob"]), st.lists(st.integers(0, 5), max_size=4)), max_size=6
)


@searched(10)
@given(steps=STEPS, again=st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_batches_keeps_the_same(
    shared: Place, steps: list[tuple[str, list[int]]], again: Any
) -> None:
    machines = {name: machine_of(shared, name) for name in ("ann", "bob")}
    repeated = [*steps, *again.sample(steps, len(steps) // 2)]
    again.shuffle(repeated)
    found = []
    for order in (steps, repeated):
        shared.store.evidence.expire(NOW + 99 * DAY)
        for name, numbers in order:
            machine = machines[name]
            sent = [machine.edit(f"{name}{number}", f"x = {number}") for number in numbers]
            done = receipt(machine.send(machine.batch(*sent)))
            assert done.stored + done.already_known == len(numbers)
        found.append(shared.store.evidence.of(shared.repositories["app"].id, NOW, NOW))
    assert found[0] == found[1]
    assert {one.id for one in found[0]} == {f"{n}{i}" for n, numbers in steps for i in numbers}
