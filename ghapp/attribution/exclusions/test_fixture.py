"""Test fixtures: snapshots, cassettes, mock data. Tests and their helpers are no fixtures.

Source code counts wherever it stands, so ``tests/fixtures/database.py`` and
``src/__mocks__/axios.ts`` do. Two exceptions: what a test runner writes
(``__snapshots__/``), and what calls itself mock data in so many words.
"""

import re

from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

RULE_ID = "test_fixture"
SENTENCE = "test fixtures (snapshots, cassettes, mock data)"

# fmt: off
SOURCE_SUFFIXES = frozenset(
    {
        "asm", "bash", "bat", "c", "cc", "cjs", "clj", "cljs", "coffee", "cpp", "cs", "cts", "cu",
        "cxx", "d", "dart", "elm", "erl", "ex", "exs", "f90", "fs", "go", "gql", "gradle",
        "graphql", "groovy", "h", "hh", "hpp", "hs", "hxx", "inl", "ino", "ipynb", "java", "jl",
        "js", "jsx", "kt", "kts", "lua", "m", "mjs", "ml", "mli", "mm", "mts", "nim", "nix",
        "pas", "php", "pl", "pm", "proto", "ps1", "pxd", "py", "pyi", "pyx", "r", "rake", "rb",
        "rkt", "rs", "scala", "scm", "sh", "sol", "svelte", "swift", "tcl", "tf", "ts", "tsx",
        "v", "vb", "vhd", "vim", "vue", "zig", "zsh",
    }
)
# fmt: on
"""Suffixes in lower case of what people write as code; all else is data."""

SNAPSHOT_DIRECTORIES = frozenset({"__snapshots__", "__image_snapshots__"})
"""Written by test runners (Jest, Vitest, syrupy), whatever the suffix."""

MOCK_DATA = frozenset({"mock_data", "mock-data", "mockdata"})
"""Folders, and files but for their suffix, that call themselves mock data."""

DATA_DIRECTORIES = frozenset(
    {
        "fixtures",
        "fixture",
        "__fixtures__",
        "testdata",
        "test_data",
        "test-data",
        "mocks",
        "__mocks__",
        "cassettes",
        "vcr_cassettes",
        "__recordings__",
    }
)
"""Folders whose data is for tests; the source code in them is not excluded."""

TEST_DIRECTORIES = frozenset({"test", "tests", "__tests__", "spec", "specs", "e2e", "testing"})

_SNAPSHOT_FILE = re.compile(
    r".+\.(?:snap|snap\.new|ambr|golden)"  # Jest and insta, syrupy, golden files
    r"|.+\.(?:approved|received|verified)\.\w+"  # ApprovalTests, Verify
    r"|snap_test_\w+\.py"  # snapshottest
)
_TEST_CODE = re.compile(r"test_.+|.+_test\.\w+|.+\.(?:test|spec)\.\w+|conftest\.py")


def excludes(file: FileDiff, _change: Change, _policy: Policy, /) -> bool:
    """Exclude by folders and name, read without regard to case."""
    *folders, name = file.path.lower().split("/")
    stem, _, suffix = name.rpartition(".")
    is_source = suffix in SOURCE_SUFFIXES
    if not SNAPSHOT_DIRECTORIES.isdisjoint(folders):
        return True
    if _SNAPSHOT_FILE.fullmatch(name):
        return not is_source or name.startswith("snap_test_")
    if is_source:
        is_mock_data = stem in MOCK_DATA or not MOCK_DATA.isdisjoint(folders)
        return is_mock_data and not _TEST_CODE.fullmatch(name)
    return (
        stem in MOCK_DATA
        or not (DATA_DIRECTORIES | MOCK_DATA).isdisjoint(folders)
        or _in_test_snapshots(folders)
    )


def _in_test_snapshots(folders: list[str]) -> bool:
    """Say whether the path leads through snapshots of tests.

    ``tests/snapshots/`` and Playwright's ``login.spec.ts-snapshots/`` are such, but not
    ``src/snapshots/``: elsewhere the word has other meanings.
    """
    if any(folder.endswith("-snapshots") for folder in folders):
        return True
    return any(
        folder in {"snapshots", "snapshot"} and not TEST_DIRECTORIES.isdisjoint(folders[:depth])
        for depth, folder in enumerate(folders)
    )
