"""A page on which a person judges sampled lines, without a network. It draws no sample."""

import csv
import io
from collections.abc import Iterable, Sequence
from html import escape

from ghapp.attribution.model import Struct
from ghapp.documents.sampling import SampledLine
from ghapp.reports.harmless import visible
from ghapp.reports.standalone import page
from ghapp.reports.tables import inert
from ghapp.reports.words import agent_name, sentence

COLUMNS = (
    *("id", "stratum", "stratum_lines", "repository", "pull_request", "merge_commit"),
    *("path", "line", "reason", "attributed", "agent", "edit", "edited_at", "difference", "text"),
    *("answer", "note"),
)
"""Columns of the CSV file; a person fills in the last two."""

ANSWERS = ("agree", "disagree", "unsure")

LONGEST = 500
"""Characters shown of a line."""


class ShownLine(Struct, frozen=True):
    """A sampled line with its text."""

    line: SampledLine
    text: str | None
    """``None``: the caller has no clone, or the line is not in it."""


def rows(lines: Iterable[ShownLine]) -> Iterable[tuple[object, ...]]:
    """Yield the rows of the CSV file, with empty answers."""
    for number, shown in enumerate(lines, 1):
        drawn, verdict = shown.line, shown.line.verdict
        yield (
            *(number, drawn.stratum, drawn.stratum_lines, drawn.repository),
            *(drawn.pull_request, drawn.merge_commit, drawn.path, verdict.line, verdict.reason),
            *(verdict.attributed, verdict.agent, verdict.edit, verdict.edited_at),
            *(verdict.difference, shown.text, "", ""),
        )


def to_page(lines: Sequence[ShownLine], *, seed: int) -> str:
    """Return the page: one card for each line, and a button that saves the answers as CSV."""
    cards = "\n".join(_card(shown, row) for shown, row in zip(lines, rows(lines), strict=True))
    body = (
        f'<p class="soft">{len(lines)} lines, drawn with seed {seed}. Is each verdict right? '
        "Your answers stay in this browser until you save them. Then run "
        "<code>ghapp sample --score FILE</code> to see what they mean.</p>\n"
        f'<header class="bar" data-seed="{seed}" data-columns="{escape(",".join(COLUMNS))}">'
        '<button type="button" id="save">Save the answers</button> '
        f'<span id="count" role="status">0 of {len(lines)} answered</span></header>\n{cards}'
    )
    return page("Lines to judge", body, SCRIPT)


def _card(shown: ShownLine, row: tuple[object, ...]) -> str:
    drawn, verdict = shown.line, shown.line.verdict
    number = f"#{drawn.pull_request} " if drawn.pull_request else ""
    place = f"{drawn.repository or ''} {number}{visible(drawn.path)}:{verdict.line}".strip()
    text = "" if shown.text is None else f"<pre>{escape(visible(shown.text, LONGEST))}</pre>\n"
    choices = " ".join(
        f'<label><input type="radio" name="answer-{row[0]}" value="{answer}"> {answer}</label>'
        for answer in ANSWERS
    )
    return (
        f'<article data-row="{escape(_csv(row[:-2]))}">\n<code>{escape(place)}</code>\n{text}'
        f"<p><strong>{escape(verdict.reason)}</strong>: {escape(sentence(verdict.reason))}"
        f'{_edit(shown)}</p>\n<p>{choices}<label>note <input type="text" name="note-{row[0]}">'
        "</label></p>\n</article>"
    )


def _edit(shown: ShownLine) -> str:
    verdict = shown.line.verdict
    if verdict.edit is None:
        return ""
    at = verdict.edited_at.isoformat() if verdict.edited_at else ""
    differs = "" if verdict.difference is None else f", differs by {verdict.difference:.2%}"
    agent = agent_name(verdict.agent or "")
    return f'<br><span class="soft">{escape(f"{agent} edit {verdict.edit}, {at}{differs}")}</span>'


def _csv(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([inert(value) for value in values])
    return line.getvalue()


SCRIPT = """
const bar = document.querySelector("header.bar");
const cards = [...document.querySelectorAll("article")];
const place = "ghapp-sample-" + bar.dataset.seed + "-" + cards.length;
const kept = JSON.parse(localStorage.getItem(place) || "{}");
const quoted = (text) => '"' + text.replaceAll('"', '""') + '"';
const plain = (text) => (/^[=+@\\t\\r-]/.test(text) ? "'" + text : text);
const answer = (card) => card.querySelector("input:checked")?.value || "";
const note = (card) => card.querySelector("input[type=text]").value;
function count() {
  cards.forEach((card) => card.classList.toggle("answered", answer(card) !== ""));
  const done = cards.filter((card) => answer(card)).length;
  document.getElementById("count").textContent = done + " of " + cards.length + " answered";
}
cards.forEach((card, at) => {
  const [given, said] = kept[at] || ["", ""];
  card.querySelectorAll("input[type=radio]").forEach((one) => (one.checked = one.value === given));
  card.querySelector("input[type=text]").value = said;
  card.addEventListener("input", () => {
    kept[at] = [answer(card), note(card)];
    localStorage.setItem(place, JSON.stringify(kept));
    count();
  });
});
document.getElementById("save").addEventListener("click", () => {
  const lines = [bar.dataset.columns];
  cards.forEach((card) => {
    lines.push(card.dataset.row + "," + answer(card) + "," + quoted(plain(note(card))));
  });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.join("\\r\\n") + "\\r\\n"], {type: "text/csv"}));
  link.download = "answers-" + bar.dataset.seed + ".csv";
  link.click();
});
count();
"""
