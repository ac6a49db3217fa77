"""Which paths a policy's patterns exclude, as git ignores them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.exclusions import excluded_path
from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy
from tests.attribution.exclusions.patterns import PATH, PATTERN, answered, empty_repository
from tests.searching import searched


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_repository(tmp_path_factory.mktemp("patterns"))


@searched(20)
@given(
    st.lists(st.tuples(st.sampled_from(["", "", "!"]), PATTERN), max_size=4),
    st.lists(PATH, min_size=1, max_size=6, unique=True),
)
def test_excluded_paths_as_git_ignores_them(
    repository: Path, lines: list[tuple[str, str]], paths: list[str]
) -> None:
    patterns = tuple(sign + pattern for sign, pattern in lines)
    (repository / ".gitignore").write_text("".join(f"{pattern}\n" for pattern in patterns))
    ignored = set(answered(repository, "check-ignore", "--no-index", paths=paths))
    policy = Policy(exclude=patterns)
    assert [excluded_path.excludes(FileDiff(path=path), Change(), policy) for path in paths] == [
        path in ignored for path in paths
    ]
