"""Which of several checkouts a path belongs to."""

import pytest

from ghapp.attribution.paths import below_deepest

ROOTS = ("/src", "/src/shop", "/home/ann/shop")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/src/a.py", "a.py"),
        ("/src/shop/lib/a.py", "lib/a.py"),
        ("/src/shopping/a.py", "shopping/a.py"),
        ("/home/ann/shop/a.py", "a.py"),
        ("/home/ann/a.py", None),
        ("lib/a.py", None),
    ],
)
def test_a_path_belongs_to_the_deepest_root_that_holds_it(path: str, expected: str | None) -> None:
    assert below_deepest(ROOTS, path) == expected
    assert below_deepest(reversed(ROOTS), path) == expected


def test_a_root_itself_is_no_file_of_the_root_around_it() -> None:
    assert below_deepest(ROOTS, "/src/shop") == ""
