"""The measurements can be started; what they measure is shown where their figures are."""

import importlib
import pkgutil

import pytest

import bench
from bench.coverage import Summary, room_of

WITH_TOOLS = {"mutants"}
"""What only `run.py tools` can start: the development lock lacks its packages."""
MODULES = sorted({one.name for one in pkgutil.iter_modules(bench.__path__)} - WITH_TOOLS)


@pytest.mark.parametrize("name", MODULES)
def test_every_measurement_can_be_imported(name: str) -> None:
    assert importlib.import_module(f"bench.{name}").__doc__


def test_coverage_is_added_up_by_room() -> None:
    assert room_of("ghapp/policy/file.py") == room_of("ghapp/policy/named.py")
    assert room_of("ghapp/policy/file.py") != room_of("ghapp/audit.py")
    found = Summary(10, 8, 4, 3).plus(Summary(5, 5, 2, 0))
    assert found == Summary(15, 13, 6, 3)
