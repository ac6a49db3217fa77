"""Histories that tests only read: each is made once, for all that is asked of it."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.cases import cases, names
from tests.histories import History, make

FOLDERS = cases("replay")


@pytest.fixture(params=FOLDERS, ids=names(FOLDERS))
def folder(request: pytest.FixtureRequest) -> Path:
    """Return the folder of a case."""
    case: Path = request.param
    return case


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], History]:
    """Return a function that makes the history of a case when it is first asked for."""
    return cache(lambda folder: make(folder, tmp_path_factory.mktemp(folder.name) / "clone"))


@pytest.fixture
def history(folder: Path, made_once: Callable[[Path], History]) -> History:
    """Return the history of a case; it is shared, so leave it as it is."""
    return made_once(folder)
