"""Each folder of fixtures/reports has an audit and its expected reports."""

from pathlib import Path

import pytest

from tests.cases import cases, names
from tests.reports.renew import FACES, read


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("case", cases("reports"), ids=names(cases("reports")))
def test_a_report_is_as_expected(case: Path, name: str) -> None:
    assert FACES[name](read(case)) == (case / name).read_text(encoding="utf-8"), (
        "if this is meant, renew with: python -m tests.reports.renew"
    )
