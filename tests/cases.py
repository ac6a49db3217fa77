"""Finds case folders under fixtures/; it knows nothing of what a case means."""

from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
"""The checkout."""
FIXTURES = TOP / "fixtures"


def cases(shelf: str) -> list[Path]:
    """Return the folders of one shelf, by name; fail where there are none.

    Raises `FileNotFoundError` when the shelf is missing or empty: a test over no case
    would pass without having asked anything.
    """
    found = sorted(path for path in (FIXTURES / shelf).iterdir() if path.is_dir())
    if not found:
        message = f"no case folder below fixtures/{shelf}"
        raise FileNotFoundError(message)
    return found


def names(paths: list[Path]) -> list[str]:
    """Return the folders' names, as ids of a parametrized test."""
    return [path.name for path in paths]
