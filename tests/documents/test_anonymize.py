"""A case without its names: what becomes of paths, times, ids, notebooks and policies."""

from datetime import timedelta
from random import Random

import pytest
from msgspec.structs import replace

from ghapp.attribution.exclusions.registry import excluded_file
from ghapp.attribution.model import (
    Change,
    Edit,
    EditHunk,
    EditLines,
    FileDiff,
    FileStatus,
    Hunk,
    HunkLine,
)
from ghapp.attribution.notebook import source
from ghapp.attribution.policy import CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED, Policy
from ghapp.documents.anonymize import MERGED_AT, NamedCase, NamelessCase, anonymize, texts
from ghapp.documents.case_files import text_lines
from ghapp.documents.made_up_words import Vocabulary
from tests.attribution.strategies import MERGED

ROOT = "/Users/alice/code/shop"


def edit(path: str = f"{ROOT}/src/invoice.py", **more: object) -> Edit:
    given = {"id": "toolu_zz", "agent": "codex", "agent_session": "alice-1", "at": MERGED}
    return Edit(path=path, **given | more)  # type: ignore[arg-type]


def file(path: str = "src/invoice.py", *added: str) -> FileDiff:
    hunk = Hunk(
        old_start=0,
        old_lines=0,
        new_start=1,
        new_lines=len(added),
        lines=tuple(HunkLine("+", text) for text in added),
    )
    return FileDiff(path=path, status=FileStatus.ADDED, hunks=(hunk,), blobs=("a1b2c3d",))


def case(
    *edits: Edit,
    files: tuple[FileDiff, ...] = (),
    roots: tuple[str, ...] = (ROOT,),
    policy: Policy = CLAUDE_CODE_V1,
) -> NamedCase:
    shown = files or (file("src/invoice.py", "invoice = 1"),)
    return NamedCase(Change(files=shown), edits, roots, MERGED, policy, shown[0].path)


def nameless(named: NamedCase) -> NamelessCase:
    return anonymize(named, Vocabulary(texts(named)), Random(0))  # noqa: S311 - words, not secrets


def paths(*given: str, roots: tuple[str, ...] = (ROOT,)) -> list[str]:
    edits = [edit(path, id=f"toolu_{at}") for at, path in enumerate(given)]
    return [one.path for one in nameless(case(*edits, roots=roots)).case.edits]


# --- paths --------------------------------------------------------------------------------------


def test_a_checkout_gets_a_plain_name_and_a_file_keeps_its_place_in_it() -> None:
    made = nameless(case(edit(cwd=f"{ROOT}/src"))).case
    (shown,) = made.change.files
    assert made.roots == ("/home/dev/work",)
    assert made.edits[0].path == f"/home/dev/work/{shown.path}"
    assert made.edits[0].cwd == "/home/dev/work/src"
    assert made.path == shown.path
    assert shown.path.startswith("src/")
    assert shown.path.endswith(".py")
    assert "invoice" not in shown.path


def test_a_name_in_a_path_is_the_same_word_as_in_code() -> None:
    made = nameless(case(files=(file("src/invoice.py", "from src import invoice"),))).case.change
    (shown,) = made.files
    assert shown.hunks[0].lines[0].text.split()[-1] == shown.path.removeprefix("src/")[:-3]


def test_a_checkout_inside_another_stays_inside() -> None:
    inner = f"{ROOT}/.claude/worktrees/fix-login"
    made = nameless(case(edit(f"{inner}/src/invoice.py"), roots=(ROOT, inner))).case
    outer, worktree = made.roots
    assert worktree.startswith(f"{outer}/.claude/worktrees/")
    assert made.edits[0].path.startswith(f"{worktree}/src/")
    assert "login" not in worktree


def test_two_checkouts_get_two_names() -> None:
    other = "C:\\code\\shop"
    one, two = paths(f"{ROOT}/a.py", f"{other}\\a.py", roots=(ROOT, other))
    assert {one.rpartition("/")[0], two.rpartition("/")[0]} == {
        "/home/dev/work",
        "/home/dev/work-2",
    }


def test_what_is_outside_stays_outside() -> None:
    (made,) = paths("/Users/alice/code/billing/src/invoice.py")
    assert made.startswith("/home/dev/outside/")
    assert made.count("/") == "/Users/alice/code/billing/src/invoice.py".count("/") + 3


def test_a_relative_path_stays_relative_and_loses_its_directory() -> None:
    (made,) = nameless(case(edit("src/invoice.py", cwd=ROOT))).case.edits
    assert made.path.startswith("src/")
    assert made.cwd is None


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("services/acme/package-lock.json", "lock_file"),
        ("acme/Cargo.lock", "lock_file"),
        ("acme/Manifest-v1.11.toml", "lock_file"),
        ("dist/acme.js", "build_directory"),
        ("acme/node_modules/x/acme.js", "build_directory"),
        ("acme/acme_pb2.py", "generated"),
        ("acme/acme.min.js", "generated"),
        ("vendor/github.com/acme/acme.go", "generated"),
        ("acme/zz_generated.deepcopy.go", "generated"),
        ("acme/AcmeForm.Designer.cs", "generated"),
        ("tests/__snapshots__/acme.snap", "test_fixture"),
        ("acme/fixtures/acme.json", "test_fixture"),
        ("e2e/acme.spec.ts-snapshots/acme.txt", "test_fixture"),
        ("acme/acme.approved.txt", "test_fixture"),
        ("src/acme.py", None),
        ("tests/fixtures/acme.py", None),
    ],
)
def test_exclusion_rules_say_the_same_of_a_made_up_path(path: str, rule: str | None) -> None:
    made = nameless(case(files=(file(path, "acme = 1"),))).case
    assert "acme" not in made.path.lower()
    for change in (Change(files=(file(path),)), made.change):
        assert excluded_file(change.files[0], change, CLAUDE_CODE_V1) == rule


def test_an_unknown_extension_is_a_word_like_all_others() -> None:
    assert "acme" not in nameless(case(files=(file("src/data.acme", "x = 1"),))).case.path


# --- ids and times ------------------------------------------------------------------------------


def test_edits_keep_their_distance_from_the_merge_and_their_order_of_ids() -> None:
    early = MERGED - timedelta(days=21, microseconds=1)
    made = nameless(case(edit(id="toolu_b"), edit(id="toolu_a", at=early), edit(id="toolu_c")))
    assert made.edit_ids == {
        f"toolu_{x}": f"toolu_000{n}" for x, n in zip("abc", "123", strict=True)
    }
    assert [one.at - MERGED_AT for one in made.case.edits] == [early - MERGED, *[timedelta()] * 2]
    assert made.case.merged_at == MERGED_AT


def test_agent_sessions_of_two_agents_stay_two() -> None:
    made = nameless(
        case(
            edit(id="1"), edit(id="2", agent="claude-code"), edit(id="3"), edit(id="4", actor="al")
        )
    ).case.edits
    assert [one.agent_session[-1] for one in made] == ["1", "2", "1", "1"]
    assert {one.agent for one in made} == {"claude-code"}
    assert {one.actor for one in made} == {None}


def test_content_ids_are_gone() -> None:
    assert [one.blobs for one in nameless(case()).case.change.files] == [()]


# --- notebooks and policies ---------------------------------------------------------------------


def test_a_notebook_line_stays_json_and_equals_the_edit_of_its_cell() -> None:
    shown = file("analysis.ipynb", '    "invoice = \\"näive\\" + ledger\\n",', '   "cells": [')
    lines = EditLines(hunks=(EditHunk((), ('invoice = "näive" + ledger',), ()),))
    made = nameless(case(edit(f"{ROOT}/analysis.ipynb", lines=lines), files=(shown,))).case
    first, second = (text for _, text in made.change.files[0].hunks[0].lines)
    assert source(first) == text_lines(made.edits[0]).hunks[0].own[0]
    assert first.startswith('    "')
    assert first.endswith('\\n",')
    assert second.startswith('   "')
    assert not [word for word in ("invoice", "ledger", "cells") if word in first + second]


@pytest.mark.parametrize("policy", [CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED])
def test_a_built_in_policy_stays(policy: Policy) -> None:
    assert nameless(case(policy=policy)).case.policy == policy


def test_an_own_policy_loses_its_name_and_still_excludes_the_path() -> None:
    policy = replace(CLAUDE_CODE_V1, id="acme-v1", exclude=("/acme/**/*.py", "!billing/"))
    shown = (file("acme/src/invoice.py", "x = 1"),)
    made = nameless(case(files=shown, policy=policy)).case
    assert "acme" not in repr(made)
    assert "billing" not in repr(made)
    assert excluded_file(made.change.files[0], made.change, made.policy) == "excluded_path"


def test_the_words_of_a_generators_note_stay_where_they_are_the_reason() -> None:
    named = case(files=(file("src/acme.py", "# Code generated by acme-gen. DO NOT EDIT."),))
    vocabulary = Vocabulary(texts(named))
    made = anonymize(named, vocabulary, Random(0), keep_notes=True).case  # noqa: S311
    assert excluded_file(made.change.files[0], made.change, CLAUDE_CODE_V1) == "generated"
    assert "acme" not in repr(made)
    other = anonymize(named, vocabulary, Random(0)).case  # noqa: S311
    assert "EDIT" not in repr(other)
