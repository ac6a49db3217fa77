"""While the demo's year is made, pages and terminal say how far it is; afterwards they do not."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ghapp.demo.run import SAY_EVERY, year_progress

YEAR: Any = {"acme/shop": [None] * SAY_EVERY, "acme/docs": [None] * 1100}


def test_the_notice_grows_with_the_year_and_goes_with_its_end(tmp_path: Path) -> None:
    notice, console = tmp_path / "notice.txt", Console(file=StringIO(), width=80)
    with year_progress(console, notice, YEAR) as done:
        for _ in range(SAY_EVERY - 1):
            done()
        assert not notice.exists()
        done()
        assert f"{SAY_EVERY} of 1,120 pull requests" in notice.read_text("utf-8")
    assert list(tmp_path.iterdir()) == []
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Writing a year of 1,120 merged pull requests in 2 repositories ..." in said
    assert "The year is made" in said


def test_a_year_that_was_stopped_leaves_no_notice_and_is_not_called_made(tmp_path: Path) -> None:
    notice, console = tmp_path / "notice.txt", Console(file=StringIO(), width=80)
    notice.write_text("The demo is about to make its year.", "utf-8")
    with pytest.raises(KeyboardInterrupt), year_progress(console, notice, YEAR):
        raise KeyboardInterrupt
    assert not notice.exists()
    assert "is made" not in console.file.getvalue()  # type: ignore[attr-defined]
