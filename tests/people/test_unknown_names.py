"""Stand-in ids for unknown names: above all ids of GitHub's, and the same for a name each time."""

from ghapp.people.unknown_names import FIRST_FREE, nowhere

KEY = b"k" * 32


def test_a_name_has_one_id_in_any_case_which_nothing_on_github_has() -> None:
    found = nowhere(KEY, "acme/shop")
    assert found == nowhere(KEY, "Acme/SHOP")
    assert FIRST_FREE <= found < 2**53
    assert len({found, nowhere(KEY, "acme/ship"), nowhere(b"x" * 32, "acme/shop")}) == 3
    assert nowhere(KEY, "\udc80") >= FIRST_FREE
