"""Test fixtures: snapshots, cassettes, mock data. Tests and their helpers are not fixtures.

Source code counts in any folder, so ``tests/fixtures/database.py`` and
``src/__mocks__/axios.ts`` count. There are two exceptions: the output of a test runner
(``__snapshots__/``), and code whose name says "mock data".
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
"""Suffixes of source code, in lower case; everything else is data."""

SNAPSHOT_DIRECTORIES = frozenset({"__snapshots__", "__image_snapshots__"})
"""Folders that test runners write (Jest, Vitest, syrupy), whatever the suffix."""

MOCK_DATA = frozenset({"mock_data", "mock-data", "mockdata"})
"""Names of mock data folders, and of mock data files without their suffix."""

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
"""Folders with data for tests; source code in them still counts."""

TEST_DIRECTORIES = frozenset({"test", "tests", "__tests__", "spec", "specs", "e2e", "testing"})

_SNAPSHOT_FILE = re.compile(
    r".+\.(?:snap|snap\.new|ambr|golden)"  # Jest and insta, syrupy, golden files
    r"|.+\.(?:approved|received|verified)\.\w+"  # ApprovalTests, Verify
    r"|snap_test_\w+\.py"  # snapshottest
)
_TEST_CODE = re.compile(r"test_.+|.+_test\.\w+|.+\.(?:test|spec)\.\w+|conftest\.py")


def excludes(file: FileDiff, _change: Change, _policy: Policy, /) -> bool:
    """Exclude a file by its folders and name, ignoring case."""
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
    """Say whether a folder of the path holds snapshots of tests.

    ``tests/snapshots/`` and Playwright's ``login.spec.ts-snapshots/`` do, but not
    ``src/snapshots/``: outside of tests the word has other meanings.
    """
    if any(folder.endswith("-snapshots") for folder in folders):
        return True
    return any(
        folder in {"snapshots", "snapshot"} and not TEST_DIRECTORIES.isdisjoint(folders[:depth])
        for depth, folder in enumerate(folders)
    )
