"""The contract of ``ghapp audit``: its exit statuses, its streams and its one document."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ghapp.attribution.document import from_document, to_document
from tests.carrying import add_note, note
from tests.cases import FIXTURES
from tests.cli.commands import GHAPP, environment, ghapp, ghapp_process
from tests.clones import Clone
from tests.transcripts import write_transcript

CASE = FIXTURES / "audits" / "multi_edit"
BROKEN_LINE = FIXTURES / "audits" / "broken_transcript_line"
MERGED = "2026-05-20T15:30:00Z"
CONTENT = "def monthly_totals(orders):\n    return collect_by_month(orders, key=order_month)\n"


def of_diff(
    case: Path, *more: str | Path, form: str = "json", diff: str | Path = "", stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    given = diff or case / "change.diff"
    return ghapp(
        *("audit", "--diff", given, "--merged-at", MERGED, "--as-of", "2026-06-01"),
        *("--evidence", case / "evidence", "--root", "/home/dev/shop", "--format", form, *more),
        stdin=stdin,
    )


def new_file_diff(name: str, content: str) -> bytes:
    lines = content.splitlines()
    added = "".join(f"+{line}\n" for line in lines)
    return (
        f"diff --git {name.replace('X/', 'a/')} {name.replace('X/', 'b/')}\n"
        f"new file mode 100644\n--- /dev/null\n+++ {name.replace('X/', 'b/')}\n"
        f"@@ -0,0 +1,{len(lines)} @@\n{added}"
    ).encode()


def document(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """Return the one document on standard output; nothing else may stand there."""
    assert done.stdout.endswith(b"\n")
    assert done.stdout.count(b"\n") == 1
    assert to_document(from_document(done.stdout)) + b"\n" == done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# --- what is printed ------------------------------------------------------------------------------


def test_json_is_one_document_and_nothing_else() -> None:
    done = of_diff(CASE, "--repository", "acme/shop", "--pull-request", "17")
    assert (done.returncode, done.stderr) == (0, b"")
    audit = document(done)
    assert audit["schema"] == "ghapp/audit/2"
    assert (audit["repository"], audit["pull_request"]) == ("acme/shop", 17)
    assert (audit["verdict"], audit["state"]) == ("assisted", "final")
    assert audit["merged_at"] == MERGED
    assert audit["inputs"]["change_complete"] is True


def test_two_processes_print_the_same_bytes() -> None:
    # Each has its own order of what has none, such as a set.
    call = ("audit", "--diff", CASE / "change.diff", "--merged-at", MERGED, *EVIDENCE)
    given = (*call, "--as-of", "2026-06-01", "--format", "json")
    first, second = (ghapp_process(*given, PYTHONHASHSEED=seed) for seed in "12")
    assert (first.returncode, first.stderr) == (0, b"")
    assert first.stdout == second.stdout == ghapp(*given).stdout


def test_text_is_for_people() -> None:
    done = of_diff(CASE, form="text")
    page = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert "with Claude Code" in page
    assert "\x1b" not in page
    assert max(map(len, page.splitlines())) <= 80


def test_text_explains_every_line_when_asked() -> None:
    assert b"toolu_" not in of_diff(CASE, form="text").stdout
    assert b"toolu_" in of_diff(CASE, "--lines", form="text").stdout
    assert b"toolu_" in of_diff(CASE, "--explain", form="text").stdout


def test_markdown_is_the_comment() -> None:
    done = of_diff(CASE, form="markdown")
    assert done.stdout.startswith(b"### ")
    assert b"<details>" in done.stdout


@pytest.mark.parametrize("form", ["json", "text", "markdown"])
def test_output_goes_to_a_file_as_it_would_be_printed(form: str, tmp_path: Path) -> None:
    file = tmp_path / "audit"
    done = of_diff(CASE, "--output", file, form=form)
    assert (done.returncode, done.stdout) == (0, b"")
    assert file.read_bytes() == of_diff(CASE, form=form).stdout


def test_as_of_decides_whether_it_is_final() -> None:
    done = ghapp(
        *("audit", "--diff", CASE / "change.diff", "--merged-at", "2026-05-20 17:30:00 +0200"),
        *("--as-of", "2026-05-21", "--evidence", CASE / "evidence", "--format", "json"),
    )
    assert document(done)["state"] == "provisional"
    assert document(done)["merged_at"] == MERGED


def test_the_diff_may_come_from_standard_input() -> None:
    whole = (CASE / "change.diff").read_bytes()
    assert of_diff(CASE, diff="-", stdin=whole).stdout == of_diff(CASE).stdout


@pytest.mark.parametrize(
    ("quoted", "path"),
    [
        ("X/with space.py", "with space.py"),
        (r'"X/caf\303\251.py"', "caf\u00e9.py"),
        (r'"X/tab\there.py"', "tab\there.py"),
        (r'"X/quote\".py"', 'quote".py'),
        ("X/pipe|`tick`@octocat.py", "pipe|`tick`@octocat.py"),
    ],
)
@pytest.mark.parametrize("form", ["json", "text", "markdown"])
def test_odd_file_names(quoted: str, path: str, form: str, tmp_path: Path) -> None:
    write_transcript(tmp_path / "evidence" / "one.jsonl", f"/home/dev/shop/{path}", CONTENT)
    diff = tmp_path / "change.diff"
    diff.write_bytes(new_file_diff(quoted, CONTENT))
    done = of_diff(tmp_path, form=form)
    assert (done.returncode, done.stderr) == (0, b"")
    if form == "json":
        [file] = document(done)["files"]
        assert (file["path"], file["attributed"]) == (path, 2)


def test_a_terminal_that_knows_ascii_only(tmp_path: Path) -> None:
    write_transcript(tmp_path / "evidence" / "one.jsonl", "/home/dev/shop/caf\u00e9.py", CONTENT)
    diff = tmp_path / "change.diff"
    diff.write_bytes(new_file_diff(r'"X/caf\303\251.py"', CONTENT))
    done = ghapp_process(
        *("audit", "--diff", diff, "--merged-at", MERGED, "--evidence", tmp_path / "evidence"),
        PYTHONIOENCODING="ascii",
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"caf\xe9.py" in done.stdout


# --- what could not be read -----------------------------------------------------------------------


def test_a_broken_diff_counts_nothing_and_is_named() -> None:
    broken = (CASE / "change.diff").read_bytes().rstrip().rpartition(b"\n")[0] + b"\n"
    done = of_diff(CASE, diff="-", stdin=broken)
    assert done.returncode == 1
    end = broken.count(b"\n") + 1
    assert done.stderr.decode().startswith(f"standard input:{end}: ")
    audit = document(done)
    assert audit["verdict"] == "no_evidence"
    assert audit["files"] == []
    assert audit["totals"]["share"] is None
    assert audit["inputs"]["change_complete"] is False


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_broken_diff_gives_people_no_percentage(form: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.diff"
    file.write_bytes((CASE / "change.diff").read_bytes()[:-10])
    done = of_diff(CASE, diff=file, form=form)
    assert done.returncode == 1
    assert f"{file}:".encode() in done.stderr
    assert b"Incomplete" in done.stdout
    assert b"At least" not in done.stdout


def test_a_broken_line_of_a_transcript_is_skipped_counted_and_named() -> None:
    done = of_diff(BROKEN_LINE)
    [transcript] = BROKEN_LINE.glob("evidence/*/*.jsonl")
    assert done.returncode == 1
    assert done.stderr.decode().startswith(f"{transcript}:3: ")
    audit = document(done)
    assert audit["verdict"] == "assisted"
    assert audit["inputs"]["unread_records"] == 1
    assert (audit["inputs"]["change_complete"], audit["inputs"]["evidence_complete"]) == (
        True,
        False,
    )
    assert audit["totals"]["share"] is not None


def test_many_problems_are_counted(tmp_path: Path) -> None:
    transcript = write_transcript(tmp_path / "evidence" / "one.jsonl", "/home/dev/x.py", CONTENT)
    broken = "".join(f'{{"type":"assistant {n}",\n' for n in range(25))
    transcript.write_text(transcript.read_text() + broken)
    done = of_diff(tmp_path, diff=CASE / "change.diff")
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert len(lines) == 11
    assert lines[-1] == "and 15 more"


# --- no evidence ----------------------------------------------------------------------------------


def test_no_evidence_is_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    done = of_diff(tmp_path, diff=CASE / "change.diff")
    assert done.returncode == 0
    assert document(done)["verdict"] == "no_evidence"
    text = of_diff(tmp_path, diff=CASE / "change.diff", form="text").stdout
    assert b"No agent evidence is known" in text
    assert b"0%" not in text


# --- wrong use ------------------------------------------------------------------------------------

EVIDENCE = ("--evidence", str(CASE / "evidence"))
DIFF = ("--diff", str(CASE / "change.diff"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*EVIDENCE,), "neither is given"),
        ((*DIFF, "--git", ".", *EVIDENCE), "both are given"),
        ((*DIFF, *EVIDENCE), "--diff needs --merged-at"),
        ((*DIFF, "--merged-at", MERGED), "Missing option '--evidence'"),
        ((*DIFF, "--merged-at", "yesterday", *EVIDENCE), "'yesterday' is not a time"),
        ((*DIFF, "--merged-at", MERGED, "--evidence", "nowhere"), "'nowhere' does not exist"),
        (("--diff", "nowhere", "--merged-at", MERGED, *EVIDENCE), "--diff nowhere: No such file"),
        (("--diff", "/", "--merged-at", MERGED, *EVIDENCE), "--diff /: Is a directory"),
        ((*DIFF, "--merged-at", MERGED, *EVIDENCE, "--commit", "HEAD"), "belong to --git"),
        ((*DIFF, "--merged-at", MERGED, *EVIDENCE, "--policy", "mine"), "no policy 'mine'"),
        ((*DIFF, "--merged-at", MERGED, *EVIDENCE, "--format", "xml"), "'xml' is not one of"),
        ((*DIFF, "--merged-at", MERGED, *EVIDENCE, "--pull-request", "0"), "0 is not in the range"),
        (
            (*DIFF, "--merged-at", MERGED, *EVIDENCE, "--lines", "--format", "json"),
            "--lines belongs to --format text",
        ),
        (
            (*DIFF, "--merged-at", MERGED, *EVIDENCE, "--output", "/nowhere/at/all"),
            "--output /nowhere/at/all: No such file or directory",
        ),
        ((*DIFF, "--merged-at", MERGED, "--carried"), "--carried belongs to --git"),
        (("--git", ".", *EVIDENCE), "--git needs --commit"),
        (("--git", "/", "--commit", "HEAD", *EVIDENCE), "--git /: git rev-parse ended"),
        (("--git", "nowhere", "--commit", "HEAD", *EVIDENCE), "'nowhere' does not exist"),
    ],
)
def test_wrong_use_says_what_to_do(arguments: tuple[str, ...], said: str) -> None:
    done = ghapp("audit", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in " ".join(done.stderr.decode().split())
    assert "Traceback" not in done.stderr.decode()


# --- git ------------------------------------------------------------------------------------------


def test_a_commit_of_a_repository(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "shop")
    clone.commit({"README.md": "Shop\n"})
    sha = clone.commit({"totals.py": CONTENT})
    write_transcript(tmp_path / "evidence" / "one.jsonl", f"{clone.path}/totals.py", CONTENT)
    given = ["--commit", "HEAD", "--evidence", str(tmp_path / "evidence"), "--format", "json"]
    audit = document(ghapp("audit", "--git", ".", *given, cwd=clone.path))
    assert (audit["merge_commit"], audit["merged_at"]) == (sha, MERGED)
    assert audit["totals"]["attributed"] == 2
    assert document(ghapp("audit", "--git", clone.path, "--merged-at", "2026-07-01", *given))[
        "verdict"
    ] == ("no_evidence")


def test_a_commit_with_what_the_clone_carries(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "shop")
    clone.commit({"README.md": "Shop\n"})
    content = "def monthly_totals(orders):\n    return collect_by_month(orders, key=order_month)\n"
    add_note(clone, clone.commit({"src/totals.py": content}), note({"src/totals.py": "1-2"}))
    given = ("audit", "--git", clone.path, "--commit", "HEAD", "--format", "json")
    done = ghapp(*given, "--carried")
    assert (done.returncode, done.stderr) == (0, b"")
    assert document(done)["totals"]["by_agent"] == {"claude-code": 2}
    assert ghapp(*given).returncode == 2, "no evidence is named at all"


def test_a_commit_that_is_not_there(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "shop")
    clone.commit({"README.md": "Shop\n"})
    done = ghapp("audit", "--git", clone.path, "--commit", "deadbeef", *EVIDENCE)
    assert (done.returncode, done.stdout) == (2, b"")
    assert "no commit 'deadbeef'" in " ".join(done.stderr.decode().split())


# --- other endings --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "text", "markdown"])
def test_a_reader_that_goes_away_ends_it_quietly(form: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*GHAPP, "audit", *DIFF, "--merged-at", MERGED, *EVIDENCE, "--format", form],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(),
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_an_interrupt_ends_it_without_a_traceback() -> None:
    # A shell that starts the tests in the background has them ignore interrupts.
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{listening}; from ghapp.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "audit", "--diff", "-", "--merged-at", MERGED, *EVIDENCE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdin is not None
        # More than a pipe holds: once it is written, the command is surely reading.
        process.stdin.write(b"\n" * 500_000)
        process.stdin.flush()
        interrupt_until_it_ends(process)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"stopped\n")


def interrupt_until_it_ends(process: subprocess.Popen[bytes]) -> None:
    """Interrupt as a person does: again, if the first came between two reads and was not seen."""
    for _ in range(20):
        process.send_signal(signal.SIGINT)
        try:
            process.wait(1)
        except subprocess.TimeoutExpired:
            continue
        return
    process.kill()
