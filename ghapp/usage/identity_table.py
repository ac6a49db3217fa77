"""A table of whose identities are: kind, value, login. It knows no account and stores nothing."""

from ghapp.attribution.model import Struct
from ghapp.summaries.tables import read_table
from ghapp.usage.sources import IdentityKind, UsageIdentity

COLUMNS = ("kind", "value", "login")
MOST_ROWS = 5_000
KINDS = tuple(kind for kind in IdentityKind if kind is not IdentityKind.ACCOUNT)
"""Kinds that can be mapped: an account is a person already."""
GUARD = "'"
"""What our own exports put before a text that a spreadsheet would read as a formula."""


class IdentityRow(Struct, frozen=True):
    """One row of a table."""

    identity: UsageIdentity
    login: str | None
    """``None``: the cell is empty, so it is nobody's."""


def read_identity_table(text: str) -> tuple[IdentityRow, ...]:
    r"""Read a CSV with the columns ``kind``, ``value`` and ``login``, each identity once.

    An empty login makes the identity nobody's. Raises `TableError`, which names every problem.

    >>> read_identity_table("kind,value,login\nemail,Ann@example.com,ann\n")[0].identity.value
    'ann@example.com'
    """
    seen: set[UsageIdentity] = set()
    rows = read_table(text, COLUMNS, COLUMNS, lambda cells: _problem(cells, seen), most=MOST_ROWS)
    return tuple(IdentityRow(_identity(cells), cells["login"] or None) for cells in rows)


def _problem(cells: dict[str, str], seen: set[UsageIdentity]) -> str | None:
    """Return what is wrong with a row; ``None``: nothing."""
    if cells["kind"].lower() not in KINDS:
        return f"the kind is {cells['kind']!r}; give one of {', '.join(KINDS)}"
    if not cells["value"]:
        return "the value is missing"
    found = _identity(cells)
    if found in seen:
        return f"{found.value} is listed twice"
    seen.add(found)
    return None


def _identity(cells: dict[str, str]) -> UsageIdentity:
    kind, value = IdentityKind(cells["kind"].lower()), cells["value"].removeprefix(GUARD)
    return UsageIdentity(kind, value.lower() if kind is IdentityKind.EMAIL else value)
