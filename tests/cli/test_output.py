"""Where output goes: a file or standard output, as bytes; plain where nobody looks."""

from pathlib import Path

import click
import pytest
from rich.console import Console
from rich.table import Table

from ghapp.cli import output
from ghapp.cli.output import at_work, plain_text, progress_bar, show, while_silent, write_out


def render(console: Console) -> None:
    table = Table("path", "lines")
    table.add_row("[bold]src/a.py[/bold]", "1")
    console.print(table)


def test_parts_go_to_a_file_or_to_standard_output(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    parts = (b"one\n", b"\xff two\n")
    write_out(iter(parts), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"".join(parts)
    assert capfdbinary.readouterr().out == b""
    write_out(iter(parts), None)
    assert capfdbinary.readouterr().out == b"".join(parts)


def test_a_file_that_cannot_be_written_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match=r"--output .*/none/out: No such file"):
        write_out([b""], tmp_path / "none" / "out")


def test_what_is_shown_to_nobody_is_as_wide_as_is_said_and_has_no_color(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(render, 40)
    told = capsys.readouterr().out
    assert told.encode() == plain_text(render, 40)
    assert "\x1b" not in told
    assert max(map(len, told.splitlines())) <= 40
    show(render, 40, working_at="comparing")
    assert capsys.readouterr().out == told


def test_a_bar_says_nothing_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress_bar("reading evidence") as advance:
        advance(0, None)
        advance(3, 7)
    assert tuple(capsys.readouterr()) == ("", "")


def test_what_a_command_does_is_told_a_person_who_waits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []

    def show_work(doing: output._Doing) -> None:
        shown.append(doing.what)
        doing.over.wait()
        shown.append(doing.what)

    monkeypatch.setattr(output, "_show_work", show_work)
    with at_work("reading") as tell:
        tell("nobody looks")
    assert shown == []
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with at_work("reading") as tell:
        tell("reading more")
    assert shown[-1] == "reading more"
    assert list(while_silent("looking", iter("abc"))) == ["a", "b", "c"]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    found = while_silent("looking", iter("abc"))
    assert next(found) == "a"
    assert shown[-1] == "looking"
    assert list(found) == ["b", "c"]
    assert list(while_silent("looking", ())) == []
    assert capsys.readouterr().out == ""
