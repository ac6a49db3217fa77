"""A file's name tells its language, or it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.summaries.languages import _BY_ENDING, OTHER, language_of
from tests.searching import searched


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("src/app.py", "Python"),
        ("SRC/APP.PY", "Python"),
        ("types/index.d.ts", "TypeScript"),
        ("Makefile", "Makefile"),
        ("deep/GNUmakefile", "Makefile"),
        ("CMakeLists.txt", "CMake"),
        ("notes.txt", "Text"),
        ("app.dockerfile", "Dockerfile"),
        ("Dockerfile.test", OTHER),
        ("makefile/readme", OTHER),
        ("src.py/LICENSE", OTHER),
        (".gitignore", OTHER),
        (".py", OTHER),
        ("archive.", OTHER),
        ("", OTHER),
    ],
)
def test_the_name_tells_the_language(path: str, language: str) -> None:
    assert language_of(path) == language


def test_an_ending_has_one_language() -> None:
    endings = [ending for found in _BY_ENDING.values() for ending in found.split()]
    assert sorted({*endings}) == sorted(endings)
    assert all(ending == ending.lower() for ending in endings)


@searched(50)
@given(st.text(), st.sampled_from([*_BY_ENDING]))
def test_the_folder_does_not_matter(folder: str, language: str) -> None:
    ending = _BY_ENDING[language].split()[-1]
    assert language_of(f"{folder}/name.{ending}") == language
