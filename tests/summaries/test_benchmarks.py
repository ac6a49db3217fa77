"""Published figures: each has its source and year, and docs/benchmarks.md is made from them."""

import runpy

import msgspec
import pytest

from ghapp.summaries.benchmarks import OurFigure, PublishedBenchmark, beside, published
from tests.cases import TOP


def test_each_says_who_when_of_whom_and_what_differs() -> None:
    assert published()
    for one in published():
        assert one.source.startswith("https://"), one
        assert 2020 <= one.year <= 2100, one
        assert all((one.publisher, one.figure, one.definition, one.population, one.difference))
    assert len({(one.publisher, one.figure) for one in published()}) == len(published())
    assert all(beside(figure) for figure in OurFigure)


@pytest.mark.parametrize("missing", ["source", "year", "definition", "population", "difference"])
def test_without_its_source_a_figure_is_not_read(missing: str) -> None:
    row = {
        name: one for name, one in msgspec.to_builtins(published()[0]).items() if name != missing
    }
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.convert(row, PublishedBenchmark)


def test_the_page_is_made_from_the_table() -> None:
    page = runpy.run_path(str(TOP / "docs" / "renew_benchmarks.py"))["page"]()
    assert (TOP / "docs" / "benchmarks.md").read_text("utf-8") == page
