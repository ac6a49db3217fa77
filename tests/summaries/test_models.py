"""Models folded into families: whatever a record names, the family is never empty and is stable."""

from hypothesis import given
from hypothesis import strategies as st

from ghapp.summaries.models import family_of

NAMES = st.text(alphabet="abcv0123456789-_.:/@[]() ", max_size=40).filter(str.strip)


@given(NAMES)
def test_a_name_has_a_family(name: str) -> None:
    assert family_of(name)
    assert family_of(name) == family_of(name.upper())


@given(
    st.sampled_from(["claude-opus", "claude-sonnet", "gpt-codex", "gemini-pro"]),
    st.sampled_from(["", "-4", "-4-5", "-4-5-20251101", "-5.1", "-latest", "-v2:0", "[1m]"]),
    st.sampled_from(["", "anthropic/", "us.anthropic.", "models/", "openai/"]),
)
def test_versions_dates_and_vendors_make_no_other_family(
    family: str, version: str, vendor: str
) -> None:
    assert family_of(f"{vendor}{family}{version}") == family
