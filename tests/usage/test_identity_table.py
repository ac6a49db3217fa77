"""A table of identities is read whole, or everything that is wrong with it is said."""

import pytest

from ghapp.reports.tables import to_csv
from ghapp.summaries.tables import TableError
from ghapp.usage.identity_table import COLUMNS, IdentityRow, read_identity_table
from ghapp.usage.sources import IdentityKind, UsageIdentity


def test_a_table_as_a_spreadsheet_writes_it() -> None:
    text = "\ufeffKind,Value,Login\r\nEmail,Ann@Example.com,ann\r\nend_user,u-7,\r\n\r\n"
    assert read_identity_table(text) == (
        IdentityRow(UsageIdentity(IdentityKind.EMAIL, "ann@example.com"), "ann"),
        IdentityRow(UsageIdentity(IdentityKind.END_USER, "u-7"), None),
    )


@pytest.mark.parametrize("value", ["plain", "=1+1", "@ann", "-x", "+4"])
def test_what_we_export_comes_back(value: str) -> None:
    text = "".join(to_csv(COLUMNS, [("end_user", value, None)]))
    (row,) = read_identity_table(text)
    assert row.identity.value == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1"),
        ("value,login\na@b.c,ann\n", "give kind, value, login"),
        ("kind,value,login\naccount,7,ann\n", "line 2: the kind is 'account'; give one of email"),
        ("kind,value,login\nemail,,ann\n", "line 2: the value is missing"),
        ("kind,value,login\nemail,a@b.c,ann\nemail,A@B.C,bob\n", "line 3: a@b.c is listed twice"),
        ("kind,value,login\nemail,a@b.c\n", "line 2: 2 cells, but 3 columns"),
        ("kind,value,login\nemail,a\u202eb,x\n", "unprintable"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(TableError, match=problem):
        read_identity_table(text)
