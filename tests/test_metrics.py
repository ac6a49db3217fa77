"""The figures that Prometheus reads, and that the dashboard's file asks only for what is there."""

import json
import re
from pathlib import Path

import pytest

from ghapp.metrics import render
from ghapp.store import Installation
from tests.web.conftest import NOW
from tests.web.place import Place

DASHBOARD = Path(__file__).parent.parent / "docs" / "grafana.json"


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = Place(tmp_path_factory.mktemp("metrics"))
    # A second installation without a single repository has figures too.
    place.store.installations.seen(Installation(id=9, account="empty"), now=NOW)
    text = render(place.services).decode()
    place.close()
    return text


def test_shares_are_lines_by_lines(figures: str) -> None:
    mine = re.findall(r'ghapp_lines_four_weeks\{installation="6\d+",lines="(\w+)"\} (\S+)', figures)
    assert dict(mine) == {"effective": "3.0", "attributed": "2.0"}
    assert 'ghapp_pull_requests_four_weeks{installation="9",verdict="no_evidence"} 0.0' in figures


def test_no_repository_and_no_person_is_named(figures: str) -> None:
    assert "acme" not in figures


def test_the_dashboard_asks_for_what_is_there(figures: str) -> None:
    board = json.loads(DASHBOARD.read_text("utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [one["query"]["query"] for one in board["templating"]["list"] if "datasource" in one]
    there = set(re.findall(r"^# TYPE (\w+) gauge$", figures, re.MULTILINE))
    named = {name for expression in asked for name in re.findall(r"ghapp_\w+", expression)}
    assert named
    assert named <= there
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_dashboard_filters_by_labels_that_are_there(figures: str) -> None:
    text = DASHBOARD.read_text("utf-8").replace('\\"', '"')
    for name, filters in re.findall(r"(ghapp_\w+)\{([^}]*)\}", text):
        wanted = set(re.findall(r"(\w+)=", filters))
        samples = re.findall(rf"^{name}\{{(.*)\}} ", figures, re.MULTILINE)
        for sample in samples:
            assert wanted <= set(re.findall(r"(\w+)=", sample))
