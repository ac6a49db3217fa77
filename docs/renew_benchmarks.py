"""Renews docs/benchmarks.md from ghapp/summaries/benchmarks.toml.

Run `.venv/bin/python docs/renew_benchmarks.py` after a change of the table.
"""
# ruff: noqa: E501, INP001 - long lines of the page's text, and a script beside the page that it makes, not a package

from collections.abc import Iterable
from pathlib import Path

from ghapp.summaries.benchmarks import OurFigure, PublishedBenchmark, published

PAGE = Path(__file__).resolve().parent / "benchmarks.md"
HEAD = """\
# Compared with what

What others have published about coding agents. `ghapp/summaries/benchmarks.toml` holds the figures and `docs/renew_benchmarks.py` makes this
page from it. None is a target: populations, tools and ways of counting differ, and most publishers sell what they measure.

A page shows one only beside our figure of the same definition, for an organization without a filter but days, and says in what the
definitions differ. What has no such figure of ours is listed last, and no page shows it.

Sources were looked up in December 2026. A row "told by" somebody was read there only: its publisher's own page could not be opened, or has
not the figure.
"""
TITLES = {
    OurFigure.SHARE_OF_LINES: "Beside the share of lines, on an organization's overview",
    OurFigure.WEEKLY_ACTIVE: "Beside weekly active people, on the page of usage",
    OurFigure.COST_OF_ACTIVE_DAY: "Beside the cost of an active day, on the page of spend",
    None: "Beside nothing",
}


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for figure, title in TITLES.items():
        rows = [one for one in published() if one.beside is figure]
        parts.append(f"## {title}\n\n{_table(rows)}\n")
    return "\n".join(parts)


def _table(rows: Iterable[PublishedBenchmark]) -> str:
    lines = [
        "| figure | definition | population | source | difference |",
        "|---|---|---|---|---|",
        *(
            f"| {one.figure} | {one.definition} | {one.population} | {_source(one)} "
            f"| {one.difference} |"
            for one in rows
        ),
    ]
    return "\n".join(lines)


def _source(one: PublishedBenchmark) -> str:
    told = f", told by {one.told_by}" if one.told_by else ""
    return f"{one.publisher}, [{one.title}]({one.source}), {one.year}{told}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
