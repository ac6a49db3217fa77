"""Only listed attributes are kept, and only values of their form."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.otlp.kept import CHECKS, KEPT, ValueForm, count
from ghapp.otlp.refusals import RefusalReason
from ghapp.usage.answers import MOST
from tests.cases import TOP
from tests.searching import searched

PAGE = (TOP / "docs" / "telemetry.md").read_text("utf-8")


def test_the_page_has_the_same_list() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert rows == [(key, one.form.value, one.use) for key, one in KEPT.items()]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("session.id", "3f1d0c9e-6b52-4c0a-9a1e-2f4b7d8c9e01"),
        ("session.id", "ses_4a7be1fffe"),
        ("user.account_id", "user_01EXAMPLE"),
        ("user.id", "auth0|5f7c8ec7c33c6c004bbafe82"),
        ("user.email", "ada.example@example.co.uk"),
        ("model", "claude-opus-5[1m]"),
        ("model", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("service.version", "0.56.0-nightly.20260806.g761f604c1"),
        ("language", "C++"),
        ("language", "Jupyter Notebook"),
        ("vcs.repository.url.full", "https://github.com/acme/app"),
        ("vcs.repository.url.full", "https://gitlab.example.com:8443/group/sub/app"),
        ("query_source", "agent:builtin:Explore"),
        ("tool_name", "mcp__server__tool"),
    ],
)
def test_what_agents_send_is_kept(key: str, value: str) -> None:
    assert CHECKS[key](value) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("session.id", "a prompt with blanks"),
        ("session.id", "x" * 129),
        ("session.id", ""),
        ("session.id", 7),
        ("user.email", "no address"),
        ("user.email", "ada@localhost"),
        ("user.email", f"{'a' * 65}@example.com"),
        ("model", "rm -rf /"),
        ("service.version", "made up text"),
        ("language", "Write me a poem about the sea"),
        ("vcs.repository.url.full", "https://token@github.com/acme/app"),
        ("vcs.repository.url.full", "https://github.com/acme/app?token=1"),
        ("vcs.repository.url.full", "file:///home/ada/app"),
        ("decision", "accept\nand more"),
        ("tool_name", "Bash git commit"),
        ("success", "yes"),
        ("success", 1),
    ],
)
def test_what_is_no_short_identifier_is_dropped(key: str, value: object) -> None:
    assert CHECKS[key](value) is None


def test_an_e_mail_is_kept_in_lower_case() -> None:
    assert CHECKS["user.email"]("Ada@Example.COM") == "ada@example.com"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (12, 12),
        (12.0, 12),
        ("12", 12),
        ("12.0", 12),
        (0, 0),
        (MOST, MOST),
        (MOST + 1, RefusalReason.TOO_LARGE),
        (1e300, RefusalReason.TOO_LARGE),
        (-1, RefusalReason.NEGATIVE),
        ("-3", RefusalReason.NEGATIVE),
        (0.5, RefusalReason.FRACTIONAL),
        ("1e3", 1000),
        (float("nan"), RefusalReason.NOT_A_NUMBER),
        ("NaN", RefusalReason.NOT_A_NUMBER),
        (float("inf"), RefusalReason.NOT_A_NUMBER),
        (float("-inf"), RefusalReason.NEGATIVE),
        ("twelve", RefusalReason.NOT_A_NUMBER),
        ("", RefusalReason.NOT_A_NUMBER),
        ("1" * 18, RefusalReason.TOO_LARGE),
        ("1" * 21, RefusalReason.NOT_A_NUMBER),
        ("1_2", RefusalReason.NOT_A_NUMBER),
        (" 12", RefusalReason.NOT_A_NUMBER),
        ("+12", RefusalReason.NOT_A_NUMBER),
        ("0x10", RefusalReason.NOT_A_NUMBER),
        ("nan", RefusalReason.NOT_A_NUMBER),
        ("\u0661\u0662", RefusalReason.NOT_A_NUMBER),
        (True, RefusalReason.NOT_A_NUMBER),
        (None, RefusalReason.NOT_A_NUMBER),
        ([1], RefusalReason.NOT_A_NUMBER),
    ],
)
def test_a_count_is_a_whole_number_from_zero_on(value: object, found: int | RefusalReason) -> None:
    assert count(value) == found


ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=300))


@given(st.sampled_from(sorted(KEPT)), ANYTHING)
@searched(300)
def test_nothing_kept_has_room_for_a_sentence(key: str, value: object) -> None:
    kept = CHECKS[key](value)
    if isinstance(kept, str) and not isinstance(kept, RefusalReason):
        assert len(kept) <= 720
        assert kept.isascii()
        assert kept.isprintable()
        assert kept.count(" ") <= (1 if KEPT[key].form is ValueForm.LANGUAGE else 0)
