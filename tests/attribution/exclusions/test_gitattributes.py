"""Which value of ``linguist-generated`` a path has, as git says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.exclusions.gitattributes import linguist_generated
from tests.attribution.exclusions.patterns import PATH, PATTERN, answered, empty_repository
from tests.searching import searched


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_repository(tmp_path_factory.mktemp("patterns"))


@searched(20)
@given(
    st.lists(st.tuples(PATTERN, st.sampled_from(["", "-", "!"])), max_size=4),
    st.lists(PATH, min_size=1, max_size=6, unique=True),
)
def test_attributes_as_git_reads_them(
    repository: Path, lines: list[tuple[str, str]], paths: list[str]
) -> None:
    text = "".join(f"{pattern} {sign}linguist-generated\n" for pattern, sign in lines)
    (repository / ".gitattributes").write_text(text)
    values = {"set": True, "unset": False, "unspecified": None}
    told = answered(repository, "check-attr", "linguist-generated", paths=paths)
    assert [linguist_generated(path, {".gitattributes": text}) for path in paths] == [
        values[value] for value in told[2::3]
    ]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("*.py linguist-generated", True),
        ("*.py linguist-generated=true", True),
        ("*.py -linguist-generated", False),
        ("*.py linguist-generated=FALSE", False),
        ("*.py !linguist-generated", None),
        ("*.py text linguist-generated eol=lf", True),
        ("*.py linguist-generated -linguist-generated", False),
        ('"a.py" linguist-generated', True),
        (r'"\141.py" linguist-generated', True),
        ("# *.py linguist-generated", None),
        ("!*.py linguist-generated", None),
        ("[attr]linguist-generated text", None),
        ("*.py linguist-generated-too", None),
        ("linguist-generated", None),
        ("src/ linguist-generated", None),
    ],
)
def test_a_line_sets_unsets_or_resets_the_attribute(line: str, value: object) -> None:
    assert linguist_generated("src/a.py", {".gitattributes": f"{line}\n"}) is value


def test_the_nearest_file_decides_and_in_it_the_last_line() -> None:
    told = {
        ".gitattributes": "*.py linguist-generated\n*.py -linguist-generated\n",
        "src/.gitattributes": "/a.py linguist-generated\n",
        "src/deep/.gitattributes": "b.py !linguist-generated\n",
    }
    values = [
        linguist_generated(path, told) for path in ("x.py", "src/a.py", "src/deep/a.py", "x.js")
    ]
    assert values == [False, True, False, None]
    assert linguist_generated("src/deep/b.py", told) is None


def test_a_line_is_as_long_as_git_reads_it(repository: Path) -> None:
    for spaces in (2_020, 2_021, 2_022, 3_000):
        text = f"*.py {' ' * spaces}linguist-generated\n"
        (repository / ".gitattributes").write_text(text)
        told = answered(repository, "check-attr", "linguist-generated", paths=["a.py"])
        assert linguist_generated("a.py", {".gitattributes": text}) is (
            True if told[2] == "set" else None
        )


def test_attributes_of_other_folders_and_other_files_do_not_count() -> None:
    rule = "* linguist-generated\n"
    for file in ("lib/.gitattributes", "src.gitattributes", "src/a.gitattributes", "sr", "src"):
        assert linguist_generated("src/a.py", {file: rule}) is None
    nearest = {"src/.gitattributes": rule, ".gitattributes": "* -linguist-generated\n"}
    assert linguist_generated("src/a.py", nearest) is True
