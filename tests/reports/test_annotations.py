"""Which lines become one range, and how many ranges are shown."""

from datetime import UTC, datetime

from msgspec.structs import replace

from ghapp.attribution.model import Audit, FileVerdict, LineVerdict
from ghapp.reports.annotations import annotations
from tests.reports.renew import CASES, read

AT = datetime(2026, 5, 18, 9, 30, tzinfo=UTC)


def line(number: int, reason: str = "run", edit: str | None = "toolu_1") -> LineVerdict:
    attributed = reason in {"run", "edited"}
    return LineVerdict(
        line=number,
        reason=reason,
        attributed=attributed,
        agent="claude-code" if attributed else None,
        edit=edit if attributed else None,
        edited_at=AT if attributed else None,
    )


def audit_of(*files: list[LineVerdict]) -> Audit:
    verdicts = tuple(
        FileVerdict(
            path=f"{at}.py",
            previous_path=None,
            added=len(lines),
            effective=len(lines),
            attributed=0,
            excluded=None,
            lines=tuple(lines),
        )
        for at, lines in enumerate(files)
    )
    return replace(read(CASES / "provisional"), files=verdicts)


def spans(audit: Audit, most: int = 50) -> list[tuple[str, int, int]]:
    return [(a.path, a.start_line, a.end_line) for a in annotations(audit, most)]


def test_consecutive_lines_of_one_edit_are_one_range() -> None:
    lines = [line(3), line(4, "edited"), line(5, "trivial_line"), line(6), line(7, "trivial_line")]
    assert spans(audit_of(lines)) == [("0.py", 3, 6)]


def test_a_gap_another_edit_and_another_standing_end_a_range() -> None:
    lines = [line(1), line(3), line(4, edit="toolu_2"), line(5, "no_match"), line(6)]
    assert spans(audit_of(lines)) == [
        ("0.py", 1, 1),
        ("0.py", 3, 3),
        ("0.py", 4, 4),
        ("0.py", 6, 6),
    ]


def test_the_longest_ranges_are_shown_in_the_order_of_the_files() -> None:
    first = [line(1), line(3), line(4)]
    second = [line(1), line(2), line(3), line(9)]
    assert spans(audit_of(first, second), most=2) == [("0.py", 3, 4), ("1.py", 1, 3)]


def test_a_range_names_agent_time_and_edit() -> None:
    [found] = annotations(audit_of([line(1), line(2, "edited")]))
    assert found.message == "Claude Code wrote this on 2026-05-18 09:30 UTC (edit toolu_1)."
    assert found.title == "Attributed: run and edited"
    assert found.annotation_level == "notice"
