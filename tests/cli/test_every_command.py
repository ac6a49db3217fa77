"""Laws over all commands: what reads answers in JSON, what makes can be quiet, statuses."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ghapp.attribution.document import to_document
from ghapp.cli.main import COMMANDS, START, main
from tests.cases import TOP
from tests.cli.commands import ghapp
from tests.reports.renew import CASES, read

PAGE = (TOP / "docs" / "command-line.md").read_text("utf-8")
MAKES = {
    *("replay", "report-line", "export-audit", "demo", "serve", "worker", "scheduler", "migrate"),
    *("evidence erase", "evidence import", "evidence revoke", "evidence rotate-key"),
    *("collect backfill", "collect enroll", "collect flush", "collect forget", "collect hook"),
    *("collect install", "collect pause", "collect resume", "completion"),
    *("admin backup", "admin cancel-replay", "admin drain", "admin fingerprint-key"),
    *("admin rebuild-summaries", "admin reprice", "admin restore", "admin retry"),
    *("admin rotate-record-key", "admin sign-records", "admin token"),
    *("admin teams fetch", "admin teams import"),
}
"""Commands that change or write something: all others read, and answer in JSON when asked."""
RUNS = {"demo", "serve", "worker", "scheduler", "collect hook"}
"""Processes: they run until they are stopped, or for somebody else, and log or say nothing."""
QUIET = (MAKES - RUNS) | {"sample"}


def walk(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from walk(command, f"{above}{name} ")
        else:
            yield above + name, command


assert isinstance(main, click.Group)
ALL = dict(walk(main))


def options(command: click.Command) -> dict[str, click.Parameter]:
    return {name: one for one in command.params for name in one.opts}


def test_what_makes_something_exists() -> None:
    assert set(ALL) >= MAKES >= RUNS


@pytest.mark.parametrize("name", sorted(set(ALL) - MAKES))
def test_what_reads_answers_in_json(name: str) -> None:
    form = options(ALL[name])["--format"]
    assert isinstance(form.type, click.Choice)
    assert "json" in form.type.choices
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("name", sorted(QUIET))
def test_what_makes_files_or_rows_can_be_quiet(name: str) -> None:
    assert "--quiet" in options(ALL[name])
    assert name == "sample" or "--format" not in options(ALL[name])


def test_a_quiet_command_says_nothing_of_what_it_did(tmp_path: Path) -> None:
    for name in ("pause", "pause", "resume", "resume"):
        done = ghapp("collect", name, "--quiet", HOME=str(tmp_path))
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert ghapp("collect", "pause", HOME=str(tmp_path)).stdout.startswith(b"paused\n")


@pytest.mark.parametrize("name", sorted(ALL))
def test_wrong_use_is_status_2_and_says_how_to_go_on(name: str) -> None:
    done = ghapp(*name.split(), "--no-such-option")
    assert done.returncode == 2
    assert f"Try 'ghapp {name} --help' for help." in done.stderr.decode()


def test_statuses_are_in_one_table() -> None:
    rows = re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)
    assert rows == ["0", "1", "2", "130", "141"]


def test_statuses_that_a_command_names_mean_the_same_everywhere() -> None:
    told = {
        status: words
        for command in ALL.values()
        for status, words in re.findall(
            r"\b(\d+) ([a-z]+)", (command.help or "").partition("Exit status: ")[2]
        )
    }
    assert set(told) <= {"0", "1", "2"}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["aduit"], "'audit'"),
        (["verfy"], "'verify'"),
        (["admin", "stuk"], "'stuck'"),
        (["admin", "teams", "lst"], "'list'"),
        (["policy", "validat"], "'validate'"),
        (["collect", "statu"], "'status'"),
        (["evidence", "chekc"], "'check'"),
    ],
)
def test_a_name_that_is_nearly_one_is_answered_with_it(given: list[str], meant: str) -> None:
    done = ghapp(*given)
    assert done.returncode == 2
    assert "Did you mean " in done.stderr.decode()
    assert meant in done.stderr.decode()


def test_the_program_alone_says_what_most_people_want() -> None:
    done = ghapp()
    assert (done.returncode, done.stdout.decode()) == (0, START)
    named = re.findall(r"^  ghapp (\w+)", START, re.MULTILINE)
    assert len(named) == 3
    assert set(named) <= set(COMMANDS)


# --- what JSON says -------------------------------------------------------------------------------

OF_FILES: dict[str, tuple[list[str], set[str]]] = {
    "policy diff": (["claude-code-v1", "claude-code-v1+moved"], {"differences"}),
    "policy validate": (["attribution.yml"], {"id", "digest"}),
    "explain": (["audit.jsonl"], {"lines", "erased", "declared", "measured"}),
    "compare": (["audit.jsonl", "audit.jsonl"], {"differences"}),
    "sample": (["audit.jsonl", "--output", "t.csv", "--seed", "1"], {"seed", "drawn", "strata"}),
    "evidence check": (["audit.jsonl"], {"folders"}),
}


@pytest.mark.parametrize("name", OF_FILES)
def test_json_is_one_object_with_the_documented_members(name: str, tmp_path: Path) -> None:
    given, members = OF_FILES[name]
    (tmp_path / "attribution.yml").write_text("rewrite_limit: 0.1\n")
    audit = to_document(read(CASES / "provisional"))
    (tmp_path / "audit.jsonl").write_bytes(audit + b"\n")
    done = ghapp(*name.split(), *given, "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == members
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
    assert {f"`{one}`" for one in members} <= set(re.findall(r"`\w+`", row))
