"""Edits: kept once, found by time and name, forgotten on demand."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.identity import EditName
from ghapp.attribution.model import Edit, EditHunk, EditLines, EditResult
from ghapp.store import (
    EditSender,
    ErasedBy,
    ErasureScope,
    EvidenceAdded,
    SavedAudit,
    Store,
    WorkKind,
    WorkRequest,
)
from ghapp.store.evidence import EvidenceHeld, pack, unpack
from tests.searching import searched
from tests.store.records import DAY, MINUTE, NOW, document, edit

EVER = (NOW - 99 * DAY, NOW + 99 * DAY)


def keep(store: Store, *edits: Edit) -> EvidenceAdded:
    return store.evidence.add(42, edits, now=NOW)


def test_an_edit_comes_back_as_it_was(store: Store) -> None:
    whole = edit(
        "toolu_1",
        "x = 'é'",
        "",
        at=NOW + MINUTE,
        cwd="/home/ann/shop",
        actor="ann",
        tool="Write",
        outcome=EditResult.FAILED,
        path="/home/ann/shop/src/app.py",
    )
    assert keep(store, whole) == EvidenceAdded(added=1)
    assert store.evidence.of(42, *EVER) == (whole,)
    assert store.evidence.of(43, *EVER) == ()


def test_fingerprints_come_back_as_they_were(store: Store) -> None:
    fingerprints = LineFingerprinter(b"0" * 32)
    hashed = edit(lines=fingerprints.lines(edit("toolu_1", "one = 1", "").lines))
    keep(store, hashed)
    assert store.evidence.of(42, *EVER) == (hashed,)


def test_an_edit_is_kept_once_however_often_it_is_sent(store: Store) -> None:
    assert keep(store, edit("a"), edit("b"), edit("a")) == EvidenceAdded(added=2, already_known=1)
    assert keep(store, edit("b"), edit("c")) == EvidenceAdded(added=1, already_known=1)
    assert [one.id for one in store.evidence.of(42, *EVER)] == ["a", "b", "c"]


def test_two_repositories_may_hold_the_same_edit(store: Store) -> None:
    keep(store, edit("a"))
    assert store.evidence.add(43, [edit("a")], now=NOW).added == 1


COPIES = (
    edit("a", "one", path="src/app.py"),
    edit("a", "one", path="src/app.py", agent_session="s2"),
    edit("a", "one", path="/home/ann/shop/src/app.py", actor="ann"),
    edit("a", "one", outcome=EditResult.REFUSED),
    edit("a", "one", outcome=EditResult.UNANSWERED),
)
"""Copies of one edit, in the order in which they are preferred."""


@pytest.mark.parametrize("together", [True, False])
def test_the_same_copy_stays_in_any_order(store: Store, *, together: bool) -> None:
    for repository, order in enumerate(
        itertools.islice(itertools.permutations(COPIES), 0, 120, 10)
    ):
        for batch in [order] if together else [[one] for one in order]:
            store.evidence.add(repository, batch, now=NOW)
        (kept,) = store.evidence.of(repository, *EVER)
        assert msgspec.structs.replace(kept, actor=None) == COPIES[0]


def test_a_better_copy_without_a_name_keeps_the_name(store: Store) -> None:
    keep(store, COPIES[2])
    assert keep(store, COPIES[0]) == EvidenceAdded(replaced=1)
    (kept,) = store.evidence.of(42, *EVER)
    assert (kept.path, kept.actor) == ("src/app.py", "ann")


def test_the_ends_of_the_time_belong_to_it(store: Store) -> None:
    instants = [NOW - MINUTE, NOW, NOW + MINUTE, NOW + 2 * MINUTE]
    keep(store, *(edit(str(at), at=at) for at in instants))
    found = store.evidence.of(42, NOW, NOW + MINUTE)
    assert [one.at for one in found] == [NOW, NOW + MINUTE]


def test_edits_are_found_by_the_names_of_files(store: Store) -> None:
    keep(
        store,
        edit("a", path="/home/ann/shop/src/app.py"),
        edit("b", path="app.py", at=NOW - MINUTE),
        edit("c", path="src/other.py"),
        edit("d", path="src/app.py.bak"),
    )
    many = [f"src/file{number}.py" for number in range(1500)]
    found = store.evidence.of(42, *EVER, paths=[*many, "lib/app.py"])
    assert [one.id for one in found] == ["b", "a"]
    assert store.evidence.of(42, *EVER, paths=[]) == ()


def test_hostile_text_is_kept_harmless(store: Store) -> None:
    hostile = edit("a\0b", "half \ud800 pair", "nul \0", path="src/\udcff.py", agent_session="\0")
    assert keep(store, hostile).added == 1
    assert keep(store, hostile) == EvidenceAdded(already_known=1)
    (kept,) = store.evidence.of(42, *EVER, paths=["\udcff.py"])
    assert kept.lines.hunks[0].own == ("half ? pair", "nul \ufffd")


def test_many_edits_are_added_in_batches(store: Store) -> None:
    edits = [edit(f"e{number}") for number in range(4500)]
    assert store.evidence.add(42, iter(edits), now=NOW) == EvidenceAdded(added=4500)
    assert store.evidence.add(42, iter(edits), now=NOW) == EvidenceAdded(already_known=4500)


def test_the_same_edits_at_once_are_kept_once(store: Store) -> None:
    edits = [edit(f"e{number}") for number in range(200)]
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: store.evidence.add(42, edits, now=NOW), range(4)))
    assert sum(one.added for one in done) == 200
    assert store.evidence.held(42).edits == 200


def test_new_evidence_makes_the_audits_it_reaches_due_with_it(store: Store) -> None:
    def again(reached: SavedAudit) -> WorkRequest:
        return WorkRequest(
            kind=WorkKind.AUDIT, due_at=NOW, repository_id=42, pull_request=reached.pull_request
        )

    store.audits.save(42, 17, document(), now=NOW)
    store.audits.save(42, 18, document(merged_at=NOW + 60 * DAY), now=NOW)
    first = store.evidence.add(42, [edit("a")], now=NOW, again=again)
    assert first == EvidenceAdded(added=1, due_again=frozenset({17}))
    assert [one.pull_request for one in store.work.overdue(NOW)] == [17]
    assert store.evidence.add(42, [edit("a")], now=NOW, again=again).due_again == frozenset()
    assert store.evidence.add(43, [edit("a")], now=NOW, again=again).due_again == frozenset()


def test_without_the_due_item_the_evidence_is_not_kept(store: Store) -> None:
    def broken(reached: SavedAudit) -> WorkRequest:
        raise KeyError(reached.number)

    store.audits.save(42, 17, document(), now=NOW)
    with pytest.raises(KeyError):
        store.evidence.add(42, [edit("a")], now=NOW, again=broken)
    assert store.evidence.of(42, *EVER) == ()


def _person(store: Store, edit_id: str, actor: str, actor_id: int, **changed: object) -> None:
    one = edit(edit_id, actor=actor, **changed)
    store.evidence.add(42, [one], now=NOW, sender=EditSender(actor_id=actor_id))


OTHERS = (
    edit("a", "two"),
    edit("a", "one", "two"),
    edit("a", "one", at=NOW + MINUTE),
    edit("a", "one", path="lib/app.py"),
    edit("a", "one", path="/home/ann/shop/tests/app.py"),
    edit("a", "one", agent="codex"),
)
"""Edits with the id of another one."""


def test_an_id_that_repeats_names_several_edits(store: Store) -> None:
    keep(store, COPIES[0], *OTHERS[:3])
    assert keep(store, *OTHERS) == EvidenceAdded(added=3, already_known=3)
    assert keep(store, *OTHERS, *COPIES).added == 0
    assert store.evidence.held(42).edits == 7
    assert len(store.evidence.of(42, *EVER, paths=["lib/app.py"])) == 7


def test_nobody_changes_what_another_person_sent(store: Store) -> None:
    _person(store, "a", "ann", 11, path="/somewhere/src/app.py")
    _person(store, "a", "eve", 12)
    assert {(one.actor, one.path) for one in store.evidence.of(42, *EVER)} == {
        ("ann", "/somewhere/src/app.py"),
        ("eve", "src/app.py"),
    }
    _person(store, "a", "ann-renamed", 11)
    assert {one.path for one in store.evidence.of(42, *EVER)} == {"src/app.py"}
    keep(store, edit("b", actor="Ann", path="/somewhere/src/app.py"))
    assert keep(store, edit("b", actor="eve")) == EvidenceAdded(added=1)
    assert keep(store, edit("b", actor="ann")) == EvidenceAdded(replaced=1)


def test_a_copy_under_a_replaced_key_is_known(store: Store) -> None:
    sent = edit("a", "one = 1", "two = 2")
    for number, key in enumerate((b"0" * 32, b"1" * 32)):
        lines = LineFingerprinter(key).lines(sent.lines)
        sender = EditSender(key_id=f"7-{number}", actor_id=11)
        one = msgspec.structs.replace(sent, lines=lines)
        store.evidence.add(42, [one], now=NOW, sender=sender)
    assert store.evidence.held(42).edits == 1


def test_a_call_that_a_hook_and_another_source_tell_is_one_edit(store: Store) -> None:
    hook = edit("toolu_01A09q90qw90lq917835lq9", actor="ann", at=NOW + MINUTE)
    store.evidence.add(42, [hook], now=NOW, sender=EditSender(actor_id=11))
    keep(store, msgspec.structs.replace(hook, actor=None, at=NOW))
    (kept,) = store.evidence.of(42, *EVER)
    assert (kept.actor, kept.at) == ("ann", NOW)


# --- what the repository carries ------------------------------------------------------------------

CARRIED = EditSender(carried=True)
FORGED = (
    edit("a", "one", actor="ann"),
    edit("a", actor="ann"),
    edit("a", "one", actor="ann", path="/home/ann/shop/src/app.py"),
    edit("a", "one", "two", actor="ann", at=NOW + MINUTE),
    edit("a", "one", "two", actor="ann", outcome=EditResult.REFUSED),
    edit("a", "one", "two", actor="ann", agent_session="a"),
)
"""What somebody with write access may push under a colleague's name, with her call's id."""


def test_what_is_carried_takes_nothing_from_what_was_sent(store: Store) -> None:
    sent = edit("a", "one", "two", actor="ann")
    ann = EditSender(actor_id=11)
    for repository, carried_first in ((42, False), (43, True)):
        steps = [([sent], ann), (FORGED, CARRIED)]
        for edits, sender in reversed(steps) if carried_first else steps:
            store.evidence.add(repository, edits, now=NOW, sender=sender)
        kept = store.evidence.of(repository, *EVER)
        assert sent in kept
        assert len([one for one in kept if one.at == NOW and one.lines == sent.lines]) == 1


@pytest.mark.parametrize("author", ["abe", "ann", "eve", None])
def test_a_carried_copy_adds_nothing_and_gives_way(store: Store, author: str | None) -> None:
    sent = edit("a", "one", "two", actor="ann")
    copy = msgspec.structs.replace(sent, path="/home/ann/shop/src/app.py", actor=author)
    for edits, sender in (([copy], CARRIED), ([sent], EditSender(actor_id=11)), ([copy], CARRIED)):
        store.evidence.add(42, edits, now=NOW, sender=sender)
    assert store.evidence.of(42, *EVER) == (sent,)
    assert store.evidence.add(42, [copy], now=NOW, sender=CARRIED).already_known == 1


def test_a_carried_edit_is_kept_once_whoever_the_commits_name(store: Store) -> None:
    for actor in ("eve", None, "ann", "eve"):
        store.evidence.add(42, [edit("a", actor=actor)], now=NOW, sender=CARRIED)
    (kept,) = store.evidence.of(42, *EVER)
    assert kept.actor == "ann"


def test_edits_are_kept_in_all_repositories_or_in_none(store: Store) -> None:
    done = store.evidence.add_batch((43, 42), [edit("a"), edit("b"), edit("a")], now=NOW)
    assert done == EvidenceAdded(added=2, already_known=1)
    keep(store, edit("c"))
    more = store.evidence.add_batch((42, 43), [edit("b"), edit("c")], now=NOW)
    assert more == EvidenceAdded(added=1, already_known=1)
    assert store.evidence.held(43).edits == store.evidence.held(42).edits == 3


def test_edits_of_another_key_are_named(store: Store) -> None:
    lines = LineFingerprinter(b"0" * 32).lines(edit("toolu_1", "one = 1").lines)
    for edit_id, key_id in (("a", None), ("b", "7-1"), ("c", "7-2")):
        sender = EditSender(key_id=key_id)
        store.evidence.add(42, [edit(edit_id, lines=lines)], now=NOW, sender=sender)
    store.evidence.add(42, [edit("text")], now=NOW, sender=EditSender(key_id="7-1"))

    def name(edit_id: str) -> EditName:
        return edit_id, NOW, "src/app.py"

    assert store.evidence.other_keys(42, *EVER, "7-2") == {name("a"): None, name("b"): "7-1"}
    assert store.evidence.other_keys(42, *EVER, None) == {name("b"): "7-1", name("c"): "7-2"}
    assert store.evidence.other_keys(43, *EVER, None) == {}


def test_a_developers_edits_are_erased_and_the_erasure_is_noted(store: Store) -> None:
    keep(store, edit("a", actor="Ann"), edit("b", actor="bob"), edit("c"))
    store.evidence.add(43, [edit("a", actor="ann", at=NOW + DAY)], now=NOW)
    assert store.evidence.held(42) == EvidenceHeld(edits=3, first=NOW, last=NOW, actors=2)
    assert store.evidence.erase(ErasureScope(login="ann"), ErasedBy.ADMINISTRATOR, now=NOW) == 2
    assert [one.id for one in store.evidence.of(42, *EVER)] == ["b", "c"]
    (noted,) = store.erasures.of(42, NOW, NOW)
    assert (noted.edits, noted.first_at, noted.erased_by) == (1, NOW, ErasedBy.ADMINISTRATOR)
    assert store.erasures.of(42, NOW + DAY, NOW + DAY) == ()
    assert store.erasures.of(42, NOW, NOW, after=NOW) == ()
    assert store.evidence.erase(ErasureScope(login="ann"), ErasedBy.ADMINISTRATOR, now=NOW) == 0
    assert len(store.erasures.of(43, *EVER)) == 1


def test_a_person_is_found_by_number_under_any_login(store: Store) -> None:
    _person(store, "a", "ann", 11)
    _person(store, "b", "ann-renamed", 11)
    _person(store, "c", "ann", 12)  # who took the login over
    keep(store, edit("d", actor="ANN"))
    whose = ErasureScope(login="ann", user_id=11)
    assert store.evidence.erase(whose, ErasedBy.DEVELOPER, now=NOW) == 3
    assert [one.id for one in store.evidence.of(42, *EVER)] == ["c"]


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        ({"paths": ("src",)}, ["c", "d", "e"]),
        ({"paths": ("src/a.py", "lib/")}, ["b", "d", "e"]),
        ({"paths": ("s_c", "%")}, ["a", "b", "c", "d", "e"]),
        ({"edit_ids": ("a", "e", "z")}, ["b", "c", "d"]),
        ({"repository_ids": (43,)}, ["a", "b", "c", "d", "e"]),
        ({"repository_ids": ()}, ["a", "b", "c", "d", "e"]),
        ({"repository_ids": (42,), "paths": ("src",), "edit_ids": ("b",)}, ["a", "c", "d", "e"]),
    ],
)
def test_part_of_what_was_sent_can_be_erased(
    store: Store, chosen: dict[str, tuple[str, ...]], left: list[str]
) -> None:
    paths = {"a": "src/a.py", "b": "src/b.py", "c": "lib/c.py", "d": "srcs/a.py", "e": "e.py"}
    keep(store, *(edit(name, path=path, actor="ann") for name, path in paths.items()))
    store.evidence.erase(ErasureScope(login="ann", **chosen), ErasedBy.DEVELOPER, now=NOW)  # type: ignore[arg-type]
    assert [one.id for one in store.evidence.of(42, *EVER)] == left


def test_old_edits_expire(store: Store) -> None:
    keep(store, *(edit(str(days), at=NOW - days * DAY) for days in range(4)))
    assert store.evidence.expire(NOW - DAY) == 2
    assert store.evidence.held(42).first == NOW - DAY
    assert store.evidence.held(43) == EvidenceHeld(edits=0, first=None, last=None, actors=0)


LINE = st.text(st.characters(codec="utf-8"), max_size=30)
LINES = st.lists(LINE, max_size=4).map(tuple)
TEXT = st.builds(
    EditLines,
    hunks=st.lists(st.builds(EditHunk, before=LINES, own=LINES, after=LINES), max_size=3).map(
        tuple
    ),
    removed=LINES,
)


@searched(25)
@given(TEXT)
def test_unpacking_gives_what_was_packed(lines: EditLines[str]) -> None:
    assert unpack(*pack(lines)) == lines
    hashed = LineFingerprinter(b"0" * 32).lines(lines)
    assert unpack(*pack(hashed)) == hashed


# --- what is sent in any order and however often keeps the same -----------------------------------

PEOPLE = {"ann": 11, "bob": 12}
SENT = st.tuples(
    st.sampled_from(sorted(PEOPLE)),
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(list(EditResult)), st.integers(1, 3)),
        max_size=4,
    ),
)


@searched(10)
@given(batches=st.lists(SENT, max_size=6), random=st.randoms(use_true_random=False))
def test_any_order_and_repetition_keeps_the_same(
    store: Store, batches: list[tuple[str, list[tuple[int, EditResult, int]]]], random: Random
) -> None:
    again = [*batches, *random.sample(batches, len(batches) // 2)]
    random.shuffle(again)
    for repositories, order in (((42, 43), batches), ((44, 45), again)):
        store.evidence.expire(NOW + DAY)
        for person, edits in order:
            sent = [_copy_of(person, *one) for one in edits]
            sender = EditSender(key_id="7-1", actor_id=PEOPLE[person])
            done = store.evidence.add_batch(repositories, sent, now=NOW, sender=sender)
            assert done.added + done.replaced + done.already_known == len(sent)
        kept = [store.evidence.of(number, *EVER) for number in repositories]
        assert kept[0] == kept[1]
        if repositories == (42, 43):
            first = kept[0]
    assert kept[0] == first
    assert {one.id for one in first} == {f"{p}{one[0]}" for p, edits in batches for one in edits}


def _copy_of(person: str, number: int, outcome: EditResult, lines: int) -> Edit:
    own = [f"line_{at} = {at}" for at in range(lines)]
    return edit(f"{person}{number}", *own, actor=person, outcome=outcome)
