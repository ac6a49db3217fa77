"""The plain rule for comparison: equal lines of edits of the same path, and nothing else."""

from collections import Counter
from dataclasses import dataclass

from bench.audits import Document, FileResult, LineResult, Question, TotalsResult
from bench.engine import kept_evidence, own_lines
from bench.lines import is_effective, normalize
from ghapp.attribution.model import Edit, EditResult, FileDiff
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.attribution.unified_diff import parse_diff


@dataclass(frozen=True)
class PlainAuditor:
    """Credits an added line if an equal edit line is unused; no position, no tolerance."""

    def __call__(self, question: Question) -> Document:
        """Return the audit of one change."""
        start, end = CLAUDE_CODE_V1.window(question.merged_at)
        edits = [
            edit
            for edit in kept_evidence(question.evidence, ()).edits
            if edit.outcome is EditResult.APPLIED and start <= edit.at <= end
        ]
        roots = question.roots
        usable = [edit for edit in edits if not roots or edit.path.startswith(tuple(roots))]
        files = tuple(_file(file, usable) for file in parse_diff(question.diff.read_bytes()))
        counted = [line for file in files for line in file.counted()]
        attributed = sum(line.attributed for line in counted)
        return Document("", TotalsResult(len(counted), len(counted), attributed), files)


def _file(file: FileDiff, edits: list[Edit]) -> FileResult:
    names = {name for name in (file.path, file.previous_path) if name}
    left: Counter[str] = Counter()
    for edit in edits:
        if any(edit.path == name or edit.path.endswith("/" + name) for name in names):
            left.update(map(normalize, own_lines(edit)))
    lines: list[LineResult] = []
    for added in file.added():
        normal = normalize(added.text)
        if not is_effective(added.text):
            lines.append(LineResult(added.number, "trivial_line", attributed=False))
        elif left[normal] > 0:
            left[normal] -= 1
            lines.append(LineResult(added.number, "line", attributed=True))
        else:
            lines.append(LineResult(added.number, "no_match", attributed=False))
    counted = [line for line in lines if line.reason != "trivial_line"]
    attributed = sum(line.attributed for line in counted)
    return FileResult(file.path, len(counted), attributed, None, tuple(lines))
