"""Each folder of fixtures/reports is an audit beside what its faces say of it."""

from pathlib import Path

import pytest

from tests.cases import cases, names
from tests.reports.renew import FACES, read


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("case", cases("reports"), ids=names(cases("reports")))
def test_a_face_says_what_is_expected(case: Path, name: str) -> None:
    assert FACES[name](read(case)) == (case / name).read_text(encoding="utf-8"), (
        "if this is meant, renew with: python -m tests.reports.renew"
    )
