"""The report of one line's reason as Markdown, to be pasted into an issue. It opens no file."""

import re
import shlex

from ghapp.attribution.model import LineVerdict
from ghapp.documents.line_report import DIFF, EVIDENCE, POLICY, LineReport, to_policy_file
from ghapp.reports.harmless import code
from ghapp.reports.summary import moment
from ghapp.reports.words import NOT_RECORDED, listed, sentence

_BACKTICKS = re.compile(r"`+")


def to_markdown(report: LineReport) -> bytes:
    """Return a report as Markdown: the reason, the diff, the evidence, and how to audit them."""
    line = report.verdict
    place = code(f"{report.path}:{line.line}")
    policy = report.policy.id if report.is_built_in else f"`{POLICY}` below"
    told = (
        f"Policy {policy}, engine {report.audit.engine}. Code, paths, names, ids and times are "
        f"made up.{_agents(report)} An audit of what follows was made: it gives this reason."
    )
    parts = [
        f"### {place} is `{line.reason}`",
        f"{sentence(line.reason)}{_edit(line)}{_before(report)}",
        told,
        *_file(DIFF, "diff", report.diff),
    ]
    if report.evidence:
        parts += _file(EVIDENCE, "json", report.evidence)
    else:
        parts.append(f"`{EVIDENCE}` is an empty file: the reason rests on no edit.")
    if not report.is_built_in:
        parts += _file(POLICY, "json", to_policy_file(report.policy))
    parts += ["To audit it again, save each block under its name:", *_fenced("", command(report))]
    return ("\n\n".join(parts) + "\n").encode()


def command(report: LineReport) -> str:
    """Return the command that audits the files of a report."""
    words = ["ghapp", "audit", "--diff", DIFF, "--merged-at", report.merged_at]
    words += ["--evidence", EVIDENCE]
    for root in report.roots:
        words += ["--root", root]
    if not report.is_built_in:
        words += ["--policy", POLICY]
    elif report.policy.id != "claude-code-v1":
        words += ["--policy", report.policy.id]
    return shlex.join([*words, "--lines"])


def _edit(line: LineVerdict) -> str:
    """Return which edit the line is credited to, or which is nearest."""
    if line.edit is None or line.edited_at is None:
        return ""
    what = "Credited to" if line.attributed else "Nearest:"
    differs = "" if line.difference is None else f", differs by {line.difference:.2%}"
    unsure = f", {NOT_RECORDED}" if line.outcome else ""
    return f" {what} edit `{line.edit}`, {moment(line.edited_at)}{differs}{unsure}."


def _before(report: LineReport) -> str:
    """Return a sentence about the original line's difference, if that is another one."""
    before = report.difference_before
    if before is None or before == report.verdict.difference:
        return ""
    return f" The original line differs by {before:.2%}."


def _agents(report: LineReport) -> str:
    if not report.other_agents:
        return ""
    return f" Edits of {listed(list(report.other_agents))} are told as Claude Code's."


def _file(name: str, language: str, content: bytes) -> list[str]:
    return [f"`{name}`:", *_fenced(language, content.decode().removesuffix("\n"))]


def _fenced(language: str, text: str) -> list[str]:
    """Return a block of code whose fence is longer than any run of backticks in the text."""
    fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return [f"{fence}{language}\n{text}\n{fence}"]
