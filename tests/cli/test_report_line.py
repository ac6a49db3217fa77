"""``ghapp report-line`` as a user runs it: what is printed, written, refused."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ghapp.cli.main import main
from ghapp.cli.report_line import LONGEST_ISSUE
from tests.attribution.test_audits import audit_of
from tests.auditing.line_cases import some_code
from tests.cases import FIXTURES
from tests.clones import Clone
from tests.transcripts import write_transcript

AUDITS = FIXTURES / "audits"
EDITED = AUDITS / "tier_edited"
MERGED = "2026-05-20T15:30:00Z"
CODE = some_code("invoice", 40)
TEXT = "".join(f"{line}\n" for line in CODE)


def run(place: str, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["report-line", place, *map(str, arguments)])


def of_case(case: Path, place: str, *more: str | Path) -> Result:
    given = ("--diff", case / "change.diff", "--merged-at", MERGED, "--evidence", case / "evidence")
    return run(place, *given, *more)


def new_file(path: Path, name: str, text: str) -> Path:
    """Write the diff of a new file."""
    lines = text.splitlines()
    head = f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n"
    body = "".join(f"+{line}\n" for line in lines)
    path.write_text(f"{head}@@ -0,0 +1,{len(lines)} @@\n{body}")
    return path


# --- what is printed and written ------------------------------------------------------------------


def test_the_report_can_be_audited_as_it_says(tmp_path: Path) -> None:
    done = of_case(EDITED, "src/store.py:15")
    assert (done.exit_code, done.stderr) == (0, "")
    for name, content in re.findall(r"`([\w.]+)`:\n\n```\w+\n(.*?\n)```\n", done.stdout, re.DOTALL):
        (tmp_path / name).write_text(content)
    (told,) = re.findall(r"^ghapp (audit .+)$", done.stdout, re.MULTILINE)
    words = told.replace("change.diff", f"{tmp_path}/change.diff")
    words = words.replace("evidence.jsonl", f"{tmp_path}/evidence.jsonl")
    again = CliRunner().invoke(main, [*words.split(), "--as-of", "2026-07-01"])
    assert again.exit_code == 0
    assert re.search(r"^ +15 +edited ", again.stdout, re.MULTILINE)


def test_a_file_gets_what_would_be_printed(tmp_path: Path) -> None:
    done = of_case(EDITED, "src/store.py:15", "--output", tmp_path / "report.md")
    assert (done.exit_code, done.output) == (0, "")
    assert (tmp_path / "report.md").read_text() == of_case(EDITED, "src/store.py:15").stdout


def test_a_folder_is_a_case(tmp_path: Path) -> None:
    done = of_case(EDITED, "src/store.py:15", "--folder", tmp_path / "reported")
    assert (done.exit_code, done.output) == (0, "")
    (file,) = audit_of(tmp_path / "reported").files
    assert [line.reason for line in file.lines if line.line == 15] == ["edited"]
    case = json.loads((tmp_path / "reported" / "case.json").read_text())
    assert case["why"] == f"reported: {file.path}:15 is edited"


def test_a_commit_of_a_clone(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "shop")
    clone.commit({"README.md": "Shop\n"})
    clone.commit({"README.md": f"Shop\n{TEXT}"})
    path = str(tmp_path / "shop" / "README.md")
    write_transcript(tmp_path / "evidence" / "one.jsonl", path, TEXT)
    evidence = ("--evidence", tmp_path / "evidence")
    done = run("README.md:2", "--git", clone.path, "--commit", "HEAD", *evidence)
    assert done.exit_code == 0
    assert done.stdout.startswith("### `README.md:2` is `run`\n")
    # Only the clone showed where the checkout is.
    assert "--root /home/dev/work" in done.stdout
    assert "invoice" not in done.stdout
    assert str(tmp_path) not in done.stdout


def test_a_report_that_no_issue_takes_says_so(tmp_path: Path) -> None:
    text = f"data = [{'invoice, ' * 9000}]\n"
    diff = new_file(tmp_path / "change.diff", "src/data.py", text)
    write_transcript(tmp_path / "evidence" / "one.jsonl", "/srv/shop/src/data.py", text)
    given = ("--diff", diff, "--merged-at", MERGED, "--evidence", tmp_path / "evidence")
    done = run("src/data.py:1", *given)
    assert done.exit_code == 0
    assert len(done.stdout) > LONGEST_ISSUE
    assert "attach it as a file" in done.stderr


def test_evidence_that_cannot_be_read_is_named_beside_the_report() -> None:
    done = of_case(AUDITS / "broken_transcript_line", "src/store.py:12")
    assert done.exit_code == 1
    assert "is `run`" in done.stdout
    assert "agent-session-1.jsonl:" in done.stderr


# --- no report ------------------------------------------------------------------------------------


def test_a_diff_that_breaks_off_gives_no_report(tmp_path: Path) -> None:
    diff = new_file(tmp_path / "change.diff", "src/a.py", TEXT)
    diff.write_text(diff.read_text().rpartition("+")[0])
    done = run(
        *("src/a.py:1", "--diff", diff, "--merged-at", MERGED),
        *("--evidence", EDITED / "evidence"),
    )
    assert (done.exit_code, done.stdout) == (1, "")
    assert "change.diff:" in done.stderr


def test_a_reason_that_is_not_kept_is_said_and_nothing_is_printed(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "shop")
    clone.commit({".gitattributes": "src/** linguist-generated\n"})
    clone.commit({"src/invoice.py": TEXT})
    evidence = ("--evidence", EDITED / "evidence")
    done = run("src/invoice.py:1", "--git", clone.path, "--commit", "HEAD", *evidence)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: no report: src/invoice.py:1 is generated, but that may rest on "
        ".gitattributes, which a diff does not hold; describe it by hand\n"
    )


def test_a_policy_of_ones_own_fits_no_case_folder(tmp_path: Path) -> None:
    policy = tmp_path / "own.toml"
    policy.write_text('id = "acme-v1"\nexclude = ["src/"]\n')
    more = ("--policy", policy, "--folder", tmp_path / "reported")
    done = of_case(EDITED, "src/store.py:15", *more)
    assert done.exit_code == 1
    assert "built-in policy" in done.stderr
    assert not (tmp_path / "reported").exists()


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("src/store.py", "give PATH:LINE, such as src/app.py:42"),
        ("src/store.py:1", "line 1 of src/store.py is not added; 11 is the first that is"),
        ("src/none.py:1", "no added line in src/none.py; the change has src/store.py"),
    ],
)
def test_a_line_that_is_not_there(place: str, told: str) -> None:
    done = of_case(EDITED, place)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--folder", "new", "--output", "out"), "give --folder DIR or --output FILE"),
        (("--folder", EDITED), "it is not empty"),
        (("--git", "."), "both are given"),
    ],
)
def test_wrong_use(arguments: tuple[str | Path, ...], told: str) -> None:
    done = of_case(EDITED, "src/store.py:15", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
