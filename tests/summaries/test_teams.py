"""A table of teams is read whole, or everything that is wrong with it is said."""

from datetime import date

import pytest

from ghapp.summaries.tables import TableError
from ghapp.summaries.teams import TeamMember, read_team_file


def test_a_table_as_a_spreadsheet_writes_it() -> None:
    text = (
        '\ufeffPerson,Team,Role,Start date\r\nann,"core, web",lead,2026-01-31\r\nBob,ops,,\r\n\r\n'
    )
    assert read_team_file(text) == (
        TeamMember("ann", "core, web", "lead", date(2026, 1, 31)),
        TeamMember("Bob", "ops"),
    )
    [one] = read_team_file("person,team,Cost center\nann,core,4711\n")
    assert one.cost_center == "4711"
    assert read_team_file("team,person\ncore,ann\n") == (TeamMember("ann", "core"),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1"),
        ("person\nann\n", "give person, team, role, start_date, cost_center"),
        ("person,team,salary\nann,core,1\n", "give person, team"),
        ("person,team,team\nann,core,x\n", "give person, team"),
        ("person,team\nann,core\nbob\n", "line 3: 1 cells"),
        ("person,team\nann,\n", "line 2: the person or the team is missing"),
        ("person,team\nann,core\nANN,ops\n", "line 3: ANN is listed twice"),
        ("person,team,cost_center\nann,core,(none)\n", "left to"),
        ("person,team,start_date\nann,core,31.1.2026\n", "write it as 2026-01-31"),
        ('person,team\nann,"core\n', "use commas and quotes"),
        ("person,team\nann,a\u202eb\n", "unprintable"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(TableError, match=problem):
        read_team_file(text)


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(TableError) as caught:
        read_team_file("person,team\nann,\nbob\n")
    assert len(caught.value.problems) == 2
