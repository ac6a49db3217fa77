"""``ghapp mine``: the terminal, JSON, the page, and what the app is asked."""

import json
import webbrowser
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ghapp.cli.mine import TOKEN
from ghapp.collector.client import UploadClient
from ghapp.wire import OwnAccount, OwnMachine, OwnRecord
from tests.cli.commands import ghapp
from tests.mine.day import OwnDay

SINCE = ("--since", "2026-05-01")
RECORD = OwnRecord(
    login="ann",
    names="teams",
    since=date(2025, 5, 21),
    until=date(2026, 5, 20),
    machines=(OwnMachine(label="", created_at=datetime(2026, 5, 1, tzinfo=UTC), used_at=None),),
    edits=12,
    last_edit_at=None,
    accounts=(
        OwnAccount(
            account="acme",
            pulls=3,
            assisted=2,
            no_evidence=1,
            effective=100,
            attributed=60,
            share=0.6,
            agent_sessions=None,
            tokens=None,
        ),
    ),
)


@pytest.fixture
def day(tmp_path: Path) -> OwnDay:
    return OwnDay(tmp_path)


def told(day: OwnDay, *given: str, status: int = 0, **env: str) -> str:
    done = ghapp("mine", *given, cwd=day.shop.path, HOME=str(day.shop.path.parent), **env)
    assert done.returncode == status, done.stderr
    return (done.stdout if status == 0 else done.stderr).decode()


def test_a_person_sees_what_was_merged_and_what_is_sent(day: OwnDay) -> None:
    said = told(day, *SINCE)
    assert "4 lines merged; 4 of them still stand." in said
    assert "github.com/acme/shop" in said
    assert "Claude Code, claude-opus-4-5" in said
    assert "1 answer of models, 300 tokens, $0.0055 at list prices" in said
    assert "nothing: this machine is not enrolled" in said
    assert all(len(line) <= 80 for line in said.splitlines())


def test_json_is_one_object_with_the_documented_members(day: OwnDay) -> None:
    found = json.loads(told(day, *SINCE, "--format", "json"))
    assert found["counts"]["standing"] == 4
    assert (found["sent"], found["app"]) == (None, None)
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| `mine` |"))
    assert all(f"`{member}`" in row for member in found)


def test_the_page_is_a_file_that_only_its_person_can_read(
    day: OwnDay, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    file = Path(told(day, *SINCE, "--open").strip())
    assert opened == [file.as_uri()]
    assert file.stat().st_mode & 0o077 == 0
    page = file.read_text("utf-8")
    assert "4 lines merged" in page
    assert "default-src 'none'" in page


def test_an_empty_machine_says_so_and_not_zero_lines_merged(tmp_path: Path) -> None:
    done = ghapp("mine", HOME=str(tmp_path), cwd=tmp_path)
    assert done.returncode == 0
    said = done.stdout.decode()
    assert "no records of agents in these days" in said
    assert "No line of an agent is recorded here" in said


def test_the_app_is_asked_only_on_request_with_the_persons_token(
    day: OwnDay, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(client: UploadClient) -> OwnRecord:
        asked.append(client.url)
        return RECORD

    monkeypatch.setattr(UploadClient, "own_record", answer)
    told(day, *SINCE)
    assert asked == []
    url = "https://audits.example.com"
    said = told(day, *SINCE, "--app", url, **{TOKEN: "ghapp_read_x"})
    assert asked == [url]
    assert "others see your team, never you" in said
    assert "acme: 3 pull requests of yours merged in twelve months, 2 with" in said
    assert "12 edits kept; 1 machine may send" in said
    assert "make one on the app's page" in told(day, "--app", url, status=2)
    assert "not enrolled" in told(day, "--app", status=2, **{TOKEN: "x"})


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (("--since", "yesterday"), "no day such as"),
        (("--since", "2026-05-02", "--until", "2026-05-01"), "is after --until"),
        (("--open", "--format", "json"), "either --open or --format json"),
    ],
)
def test_wrong_use_is_named(day: OwnDay, given: tuple[str, ...], problem: str) -> None:
    assert problem in told(day, *given, status=2)
