"""Patterns mean what Python's `re` says they mean, take linear time, or are refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.linear_pattern import (
    LONGEST_PROGRAM,
    PatternDialect,
    PatternError,
    StepBudget,
    compiled,
)
from tests.searching import searched

BASIC, EXTENDED, PERL = PatternDialect
ENOUGH = 1_000_000

PIECES = ("a", "b", ".", "[ab]", "[^a]", "(a)", "(a|b)", "(?:ab)", "(b*)", "\\b", "\\w", "\\.", "^")
TIMES = ("", "", "", "*", "+", "?", "{2}", "*?", "{0,2}", "{1,}")
ATOMS = st.builds("".join, st.tuples(st.sampled_from(PIECES), st.sampled_from(TIMES)))


def found(
    pattern: str, line: str, dialect: PatternDialect = PERL, *, ignores_case: bool = False
) -> tuple[int, ...] | None:
    one = compiled(pattern, dialect, ignores_case=ignores_case)
    match = one.find(line, 0, StepBudget(ENOUGH))
    return match and match.groups


@searched(300)
@given(st.lists(ATOMS, min_size=1, max_size=5).map("".join), st.text("ab .", max_size=7))
def test_a_pattern_of_perl_finds_what_python_finds(pattern: str, line: str) -> None:
    try:
        mine = found(pattern, line)
    except PatternError:
        return
    theirs = re.search(pattern, line)
    assert (mine and mine[:2]) == (theirs and theirs.span())


@pytest.mark.parametrize(
    ("pattern", "dialect", "line", "groups"),
    [
        (r"from shop\.old", BASIC, "x from shop.old", (2, 15)),
        (r"\(a*\)b\{2\}", BASIC, "xaabb", (1, 5, 1, 3)),
        (r"a\|b", BASIC, "xb", (1, 2)),
        (r"a|b", BASIC, "xa|b", (1, 4)),
        (r"a+", BASIC, "aa+", (1, 3)),
        (r"*a", BASIC, "a*a", (1, 3)),
        (r"a^b$c", BASIC, "a^b$c", (0, 5)),
        (r"\<is\>", BASIC, "this is", (5, 7)),
        (r"(foo|foobar)x", EXTENDED, "foobarx", (0, 7, 0, 6)),
        (r"[[:alpha:]_]+", EXTENDED, "1 a_b", (2, 5)),
        (r"[]x-z]", EXTENDED, "a]", (1, 2)),
        (r"[^[:space:]]$", EXTENDED, "a b ", None),
        (r"\d+", PERL, "a12", (1, 3)),
        (r"a.+?b", PERL, "axbxb", (0, 3)),
        (r"(a)|(b)", PERL, "b", (0, 1, -1, -1, 0, 1)),
    ],
)
def test_each_dialect_has_its_signs(
    pattern: str, dialect: PatternDialect, line: str, groups: tuple[int, ...] | None
) -> None:
    assert found(pattern, line, dialect) == groups


def test_letter_case_is_ignored_where_the_flag_says_so() -> None:
    assert found("[a-c]d", "xBD", ignores_case=True) == (1, 3)
    assert found("[a-c]d", "xBD") is None


@pytest.mark.parametrize(
    ("pattern", "dialect"),
    [
        ("", PERL),
        (r"(a)\1", PERL),
        (r"a(?=b)", PERL),
        (r"$name", PERL),
        (r"@list", PERL),
        (r"a++", PERL),
        (r"a**", EXTENDED),
        (r"+a", EXTENDED),
        (r"a\nb", EXTENDED),
        (r"(a", EXTENDED),
        (r"a)", EXTENDED),
        (r"[a", EXTENDED),
        (r"[[.a.]]", EXTENDED),
        (r"[\w]", EXTENDED),
        (r"[z-a]", PERL),
        (r"a{2,1}", EXTENDED),
        (r"a{x}", EXTENDED),
        (r"\x41", PERL),
        ("(" * 21 + "a" + ")" * 21, EXTENDED),
        ("(a{100}){100}", EXTENDED),
        ("a" * (LONGEST_PROGRAM + 1), PERL),
    ],
)
def test_what_is_not_read_surely_is_refused(pattern: str, dialect: PatternDialect) -> None:
    with pytest.raises(PatternError):
        compiled(pattern, dialect)


def test_posix_wants_the_longest_match_and_says_so_where_it_is_another_one() -> None:
    with pytest.raises(PatternError, match="longest"):
        found("(foo|foobar)x?", "foobar", EXTENDED)
    assert found("(foo|foobar)x?", "foobar", PERL) == (0, 3, 0, 3)


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "a*a*a*a*a*b", "(a?){30}a{30}b"])
def test_no_pattern_takes_more_steps_than_its_length_times_the_lines(pattern: str) -> None:
    line = "a" * 1_000
    steps = len(compiled(pattern, PERL).steps) * (len(line) + 1)
    assert compiled(pattern, PERL).find(line, 0, StepBudget(steps)) is None


def test_a_budget_ends_a_search() -> None:
    with pytest.raises(PatternError, match="too many steps"):
        compiled("(a*)*b", PERL).find("a" * 1_000, 0, StepBudget(500))
