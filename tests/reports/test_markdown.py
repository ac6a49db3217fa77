"""The budget of a text, and where it is cut."""

import re
from functools import cache

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from ghapp.attribution.model import Audit, FileVerdict
from ghapp.reports import markdown
from ghapp.reports.addresses import page_links
from ghapp.reports.summary import summarize
from tests.reports.renew import CASES, read

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")


@cache
def wide(number: int, name: str = "\u65e5|" * 90) -> Audit:
    """Return an audit of many files with names that are long in bytes, counted and excluded."""
    audit = read(CASES / "provisional")
    file, left_out = audit.files[0], audit.files[2]
    counted = [renamed(file, f"{at:05}/{name}") for at in range(number)]
    excluded = [renamed(left_out, f"{at:05}/{name}") for at in range(number)]
    reasons = dict.fromkeys((f"{at:05}{name}" for at in range(number)), 1)
    return replace(
        audit,
        files=(*counted, *excluded),
        totals=replace(audit.totals, by_reason=reasons),
        inputs=replace(audit.inputs, missing=tuple(reasons)),
    )


def renamed(file: FileVerdict, path: str) -> FileVerdict:
    return replace(file, path=path, previous_path=path)


@pytest.mark.parametrize("number", [1, 30, 400])
def test_no_text_is_over_its_budget(number: int) -> None:
    audit = wide(number)
    summary = summarize(audit)
    run = markdown.explained(markdown.check_run(summary), audit)
    for text in (markdown.comment(summary), run.summary, run.text):
        assert len(text.encode()) <= markdown.BUDGET
    assert len(run.title) <= markdown.LONG_TITLE


def test_every_line_that_counts_is_explained() -> None:
    audit = read(CASES / "provisional")
    plain = markdown.check_run(summarize(audit))
    text = markdown.explained(plain, audit).text
    assert text.startswith(plain.text.rstrip())
    rows = re.findall(r"^\| `[^|]+ \| ([\d-]+) \| `(\w+)` \|", text, re.MULTILINE)
    ends = [[int(end) for end in lines.split("-")] for lines, _ in rows]
    explained = sum(end[-1] - end[0] + 1 for end in ends)
    assert explained == sum(len(file.lines) for file in audit.files if file.excluded is None)


def test_a_cut_falls_between_rows_and_is_said() -> None:
    text = markdown.comment(summarize(wide(400)))
    more = text.partition("#### More files")[2].partition("####")[0]
    [left] = re.findall(r"^and ([\d,]+) more files$", more, re.MULTILINE)
    rows = re.findall(r"^\| `\d{5}/.*\|$", text, re.MULTILINE)
    assert len(rows) + int(left) == 400
    assert len(rows) > 10
    assert text.count("<details>") == text.count("</details>")


def test_what_is_left_of_the_budget_is_used() -> None:
    text = markdown.check_run(summarize(wide(400))).text
    assert len(text.encode()) > markdown.BUDGET * 0.9


def test_the_app_is_linked_only_where_its_address_is_known() -> None:
    audit = read(CASES / "provisional")
    summary = summarize(audit)
    assert "](" not in markdown.comment(summary)
    linked = markdown.comment(summary, links=page_links("https://d.example", audit))
    assert "[`run`](https://d.example/reasons#run)" in linked
    last = linked.rstrip().splitlines()[-1]
    assert last == "[Every line, explained](https://d.example/repositories/acme/app/pull/17)"


def test_a_file_comes_first_and_its_numbers_share_a_column() -> None:
    text = markdown.comment(summarize(read(CASES / "provisional")))
    assert "| `src/billing/invoice.py` | 35\u00a0of\u00a061 |" in text


def test_what_is_unknown_is_no_zero_in_a_table() -> None:
    text = markdown.comment(summarize(read(CASES / "no_evidence")))
    assert "| unknown\u00a0of\u00a08 |" in text


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir() if path.is_dir()))
def test_a_short_comment_has_two_sentences_a_table_and_one_fold(case: str) -> None:
    text = markdown.comment(summarize(read(CASES / case)))
    assert text.count("<details>") == 1
    title, lead, *rest = text.partition("<details>")[0].strip().split("\n\n")
    assert title.startswith("### ")
    assert lead.count("  \n") == 1
    assert all(part.startswith(("| File", "> [!", "- `", "and ")) for part in rest)


def test_the_comment_is_short_before_it_is_unfolded() -> None:
    text = markdown.comment(summarize(read(CASES / "many_files")))
    unfolded = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    assert len(unfolded) < 700


def test_tables_are_tables() -> None:
    tokens = PARSER.parse(markdown.comment(summarize(read(CASES / "provisional"))))
    assert [token.type for token in tokens].count("table_open") == 3


def test_what_is_known_of_the_author_stands_beside_the_share() -> None:
    summary = summarize(read(CASES / "provisional"))
    known = "The author's machine reports."
    run = markdown.check_run(summary, coverage=known)
    full = markdown.comment(summary, coverage=known, form=markdown.CommentForm.FULL)
    for text in (full, run.summary):
        before, _, after = text.partition(known)
        assert summary.counts in before
        assert "| Lines | Reason |" in after
    assert known in markdown.comment(summary, coverage=known)
    assert known not in markdown.comment(summary)


def test_silence_is_named_where_nothing_is_attributed() -> None:
    summary = summarize(read(CASES / "not_assisted"))
    silence = "The machine did not report: unknown, not zero."
    text = markdown.comment(summary, coverage=silence)
    assert silence in text.partition("<details>")[0]
