"""Each folder of fixtures/diffs: a diff in, its files or an error out; and laws."""

import json
import os
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import FileDiff, FileStatus, Hunk
from ghapp.attribution.unified_diff import DiffError, parse_diff, parse_patch
from tests.cases import FIXTURES, cases, names
from tests.searching import searched

FOLDERS = cases("diffs")
WHOLE = [folder for folder in FOLDERS if not folder.name.startswith("refused_")]


# --- cases ------------------------------------------------------------------------------------


def as_json(diff: bytes) -> dict[str, Any]:
    try:
        return {"files": [file_as_json(file) for file in parse_diff(diff)]}
    except DiffError as error:
        return {"error": {"line": error.line, "found": error.found, "advice": error.advice}}


def file_as_json(file: FileDiff) -> dict[str, Any]:
    return {
        "path": file.path,
        "status": str(file.status),
        "previous_path": file.previous_path,
        "binary": file.binary,
        "submodule": file.submodule,
        "hunks": [
            f"-{hunk.old_start},{hunk.old_lines} +{hunk.new_start},{hunk.new_lines}"
            for hunk in file.hunks
        ],
        "added": [[line.number, line.text] for line in file.added()],
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_case(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    why = expected.pop("why")
    assert as_json((folder / "change.diff").read_bytes()) == expected, why


@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_refused_cases_are_called_so(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    assert ("error" in expected) == folder.name.startswith("refused_")


def test_error_says_where_what_and_what_to_do() -> None:
    with pytest.raises(DiffError) as caught:
        parse_diff(b"--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n x\n")
    assert str(caught.value) == (
        "line 5: expected 0 more old and 1 more new lines in the hunk, but the text ends; "
        "make the diff again and write it straight to a file"
    )


def test_a_diff_that_a_mail_quotes_is_words() -> None:
    """Git's own diff stands below the statistics; see getpatchwork/patchwork#462."""
    mail = (FIXTURES / "diffs/format_patch/change.diff").read_bytes()
    quoted = (
        b"What went wrong:\n\n---\n\ndiff --git a/q b/q\n--- a/q\n+++ b/q\n@@ -1 +1 @@\n-a\n+b\n\n"
    )
    assert parse_diff(mail.replace(b"---\n a.py", quoted + b"---\n a.py")) == parse_diff(mail)


# --- GitHub's patch ---------------------------------------------------------------------------


def patched(patch: str, status: FileStatus = FileStatus.MODIFIED) -> FileDiff:
    return parse_patch(patch, path="a.py", previous_path=None, status=status)


def test_patch_has_hunks_only_and_no_line_end() -> None:
    file = patched("@@ -1,2 +1,2 @@ def f():\n a\n-b\n+c\n@@ -9 +9,2 @@\n x\n+y")
    assert [(line.number, line.text) for line in file.added()] == [(2, "c"), (10, "y")]
    assert (file.path, file.status, file.binary) == ("a.py", FileStatus.MODIFIED, False)


def test_patch_with_note_of_a_missing_line_end() -> None:
    file = patched(
        "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file"
    )
    assert [line.text for line in file.added()] == ["b"]


def test_patch_of_a_submodule_is_told_by_its_lines() -> None:
    assert patched(
        f"@@ -1 +1 @@\n-Subproject commit {'1' * 40}\n+Subproject commit {'2' * 40}"
    ).submodule
    assert not patched("@@ -1 +1 @@\n-Subproject commit\n+Subproject commit of mine").submodule


def test_patch_may_be_empty_and_keeps_both_names() -> None:
    file = parse_patch("", path="b.py", previous_path="a.py", status=FileStatus.RENAMED)
    assert file == FileDiff(path="b.py", previous_path="a.py", status=FileStatus.RENAMED)


@pytest.mark.parametrize(
    "patch",
    [
        "@@ -1 +1,2 @@\n a",
        "@@ -1 +1 @@\n-a\n+b\n+c",
        "+a",
        "@@ -1 +1 @@\n-a\n+b\n\n",
        "--- a\n+++ b",
    ],
)
def test_half_a_patch_is_refused(patch: str) -> None:
    with pytest.raises(DiffError):
        patched(patch)


# --- laws: real git ---------------------------------------------------------------------------

Tree = dict[str, bytes]


def named(text: str) -> str:
    """Drop the folders that a git tree cannot have, such as ``..``."""
    return "/".join(part for part in text.split("/") if part.strip("."))


PART = st.sampled_from([*"ab -.+@\t\n\r\"\\'{}#$ü日é", "b/", "a/", " b/x"])
NAME = st.lists(PART, min_size=1, max_size=8).map(lambda parts: "f" + named("".join(parts)) + "g")
LINE = st.sampled_from(
    [
        *(
            "a",
            "b",
            "c",
            "d",
            "",
            " ",
            "x = 1",
            "\ttab",
            "line\r",
            "\f",
            "\u2028x",
            "\x85",
            "\ufeff",
        ),
        *("--- a/x", "-- a/x", "+++ b/x", "++ b/x", "@@ -1 +1 @@", "diff --git a/x b/x", "- ", "-"),
        *("\\ No newline at end of file", "Binary files a and b differ", "commit 1234567", "-- "),
    ]
)
CONTENT = st.one_of(
    st.builds(
        lambda lines, end: ("\n".join(lines) + end).encode(),
        st.lists(LINE, max_size=30),
        st.sampled_from(["\n", ""]),
    ),
    st.sampled_from([b"", b"\0binary\1", b"caf\xe9\nna\xefve\n"]),
)
TREE = st.dictionaries(NAME, CONTENT, max_size=5)
COMMAND = st.tuples(
    st.sampled_from([[], ["-c", "core.quotePath=false"], ["-c", "diff.suppressBlankEmpty=true"]]),
    st.sampled_from(
        [
            ["-M"],
            ["-M", "-U0"],
            ["-M", "--no-prefix"],
            ["-M", "--binary"],
            ["-C", "-C", "-U1"],
            ["-B", "-M"],
            ["-M", "--src-prefix=i/", "--dst-prefix=w/"],
            ["-M", "--full-index"],
            ["-M", "-R"],
        ]
    ),
).map(lambda asked: [*asked[0], "diff", *asked[1]])
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "LC_ALL": "C",
}


def git(repository: Path, *arguments: str, text: bytes = b"") -> bytes:
    return subprocess.run(
        ["git", "-C", str(repository), *arguments],
        input=text,
        env=ENVIRONMENT,
        capture_output=True,
        check=True,
    ).stdout


def import_trees(repository: Path, old: Tree, new: Tree) -> None:
    """Make the commits ``old`` and ``new`` with one call of git."""
    git(
        repository,
        "fast-import",
        "--quiet",
        "--force",
        text=commit("old", old) + commit("new", new),
    )


def commit(branch: str, tree: Tree) -> bytes:
    head = f"reset refs/heads/{branch}\ncommit refs/heads/{branch}\n".encode()
    files = b"".join(
        b'M 100644 inline "%s"\ndata %d\n%s\n' % (octal(name), len(content), content)
        for name, content in tree.items()
    )
    return head + b"committer A <a@example.com> 0 +0000\ndata 0\n" + files + b"\n"


def octal(name: str) -> bytes:
    return "".join(f"\\{byte:03o}" for byte in name.encode()).encode()


def without_clashes(tree: Tree) -> Tree:
    """Drop names that another name needs as a folder."""
    return {n: c for n, c in tree.items() if not any(o.startswith(n + "/") for o in tree)}


def lines_of(content: bytes) -> list[str]:
    lines = content.decode(errors="replace").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def apply(hunks: tuple[Hunk, ...], old: list[str]) -> list[str]:
    """Apply hunks to lines, slowly, and check each old line they show."""
    new: list[str] = []
    at = 0
    for hunk in hunks:
        start = hunk.old_start - (hunk.old_lines > 0)
        new += old[at:start]
        at = start
        for origin, text in hunk.lines:
            if origin != "+":
                assert old[at] == text
                at += 1
            if origin != "-":
                new.append(text)
    return new + old[at:]


def apply_files(files: tuple[FileDiff, ...], old: Tree, new: Tree) -> dict[str, list[str]]:
    """Return the old tree with the diff applied; binary content comes from the new tree."""
    result = {name: lines_of(content) for name, content in old.items()}
    for file in files:
        if file.status in {FileStatus.DELETED, FileStatus.RENAMED}:
            result.pop(file.previous_path or file.path, None)
    for file in files:
        if file.status is FileStatus.DELETED:
            continue
        before = old.get(file.previous_path or file.path, b"")
        base = [] if file.status is FileStatus.ADDED else lines_of(before)
        result[file.path] = lines_of(new[file.path]) if file.binary else apply(file.hunks, base)
    return result


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trees")
    git(path, "init", "--quiet", "--bare")
    return path


def moved(tree: Tree, random: Random) -> Tree:
    """Rename some files and add to some."""
    return {
        random.choice([name, f"{name} moved"]): random.choice([content, content + b"a\nb\n"])
        for name, content in tree.items()
    }


@searched(20)
@given(old=TREE, changed=TREE, command=COMMAND, random=st.randoms())
def test_applied_to_the_old_tree_it_gives_the_new_one(
    repository: Path, old: Tree, changed: Tree, command: list[str], random: Random
) -> None:
    old, new = without_clashes(old), without_clashes({**moved(old, random), **changed})
    import_trees(repository, old, new)
    diff = git(repository, *command, "old", "new")
    files = parse_diff(diff)
    if "-R" in command:
        old, new = new, old
    assert apply_files(files, old, new) == {name: lines_of(text) for name, text in new.items()}
    check_every_cut(diff, files, random.sample(range(len(diff)), min(25, len(diff))))


# --- laws: half a diff ------------------------------------------------------------------------


def check_every_cut(diff: bytes, whole: tuple[FileDiff, ...], cuts: Any) -> None:
    """Check that a cut diff is refused, or is a complete diff of the first files."""
    for cut in cuts:
        try:
            files = parse_diff(diff[:cut])
        except DiffError:
            continue
        assert files[:-1] == whole[: max(0, len(files) - 1)]
        if files and files[-1] != whole[len(files) - 1]:
            assert is_cut_nobody_can_see(files[-1], whole[len(files) - 1]), diff[:cut]


def is_cut_nobody_can_see(short: FileDiff, whole: FileDiff) -> bool:
    """Say whether the cut is after a complete hunk or mode change: git could have written that."""
    shown = len(short.hunks)
    header = (short.path, short.previous_path, short.status)
    return header == (whole.path, whole.previous_path, whole.status) and (
        short.hunks == whole.hunks[:shown] and (shown > 0 or short.status is FileStatus.MODIFIED)
    )


@pytest.mark.parametrize("folder", WHOLE, ids=names(WHOLE))
def test_no_cut_gives_half_a_file(folder: Path) -> None:
    diff = (folder / "change.diff").read_bytes()
    if "throughout" in folder.name:  # each \r\n is one line end there
        diff = diff.replace(b"\r\n", b"\n")
    check_every_cut(diff, parse_diff(diff), range(min(len(diff), 3000)))


@pytest.mark.parametrize("folder", WHOLE, ids=names(WHOLE))
def test_a_lost_line_of_a_hunk_is_noticed(folder: Path) -> None:
    diff = (folder / "change.diff").read_bytes()
    lines = diff.split(b"\n")
    whole = parse_diff(diff)
    for at, line in enumerate(lines[:-1]):
        if not line.startswith((b"+", b"-", b" ")) or line == b"-- ":
            continue
        try:
            files = parse_diff(b"\n".join(lines[:at] + lines[at + 1 :]))
        except DiffError:
            continue
        assert files == whole  # the line stood in a commit's message or statistics


# --- laws: anything ---------------------------------------------------------------------------

PIECE = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [
            *(b"diff --git a/x b/x", b"diff --git ", b'diff --git "a/\\303" "b/', b"diff --cc x"),
            *(b"--- a/x", b"+++ b/x", b"--- /dev/null", b"+++ /dev/null", b"--- ", b"+++ "),
            *(
                b"@@ -1 +1 @@",
                b"@@ -0,0 +1,2 @@",
                b"@@ -1,9999999999 +1 @@",
                b"@@ -1 +1",
                b"@@@ -1",
            ),
            *(b"index 0000000..e69de29", b"new file mode 100644", b"old mode 1", b"rename from x"),
            *(
                b"rename to y",
                b"similarity index 100%",
                b"GIT binary patch",
                b"literal 1",
                b"Aabcde",
            ),
            *(
                b"Binary files a/x and b/x differ",
                b"Binary files  differ",
                b"\\ No newline",
                b"\xff\xfe",
            ),
            *(
                b"commit 1234567",
                b"From " + b"1" * 40 + b" ",
                b"-- ",
                b"Index: x",
                b"+a",
                b"-a",
                b" a",
            ),
            b"@@ -" + b"9" * 5000 + b" +1 @@",
        ]
    ),
)


@searched(100)
@given(st.lists(PIECE, max_size=20).map(b"\n".join), st.sampled_from([b"", b"\n"]))
def test_anything_is_parsed_or_refused(text: bytes, end: bytes) -> None:
    files: tuple[FileDiff, ...] = ()
    line = 1
    try:
        files = parse_diff(text + end)
    except DiffError as error:
        line = error.line
    assert all(file.path for file in files)
    assert 1 <= line <= (text + end).count(b"\n") + 1


ADDED = st.lists(st.sampled_from(["", "a = 1", "+b", "-c", " d", "\\e", "@@ -1 +1 @@"]), min_size=1)


@searched(100)
@given(texts=ADDED, has_end=st.booleans())
def test_a_hunk_that_only_adds_is_read_as_any_other(texts: list[str], *, has_end: bool) -> None:
    end = "" if has_end else "\\ No newline at end of file\n"
    lines = "".join(f"+{text}\n" for text in texts)

    def hunks_of(head: str) -> tuple[Hunk, ...]:
        text = f"--- a/a.py\n+++ b/a.py\n{head}{lines}{end}"
        return parse_diff(text.encode())[0].hunks

    (alone,) = hunks_of(f"@@ -1,0 +2,{len(texts)} @@\n")
    # With a line of context, the lines are counted one by one.
    (beside,) = hunks_of(f"@@ -1 +1,{len(texts) + 1} @@\n x\n")
    assert alone.lines == beside.lines[1:]


def test_a_binary_note_may_hold_the_word_and_in_its_names() -> None:
    name = " and ".join("ab" * 20)
    files = parse_diff(f"Binary files a/{name} and b/{name} differ\n".encode())
    assert [file.path for file in files] == [name]
    many = " and ".join("a" * 60)
    with pytest.raises(DiffError, match="at most 100 times"):
        parse_diff(f"Binary files a/{many} and b/{many} differ\n".encode())
