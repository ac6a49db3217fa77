"""Precision, recall and false credit by cause, on pull requests with known truth."""

import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.audits import Auditor, LineResult, Question
from bench.cases import Arguments, Truth, read_arguments, read_truth, write_cases
from bench.console import ratio, say, table
from bench.formatters import Formatters
from bench.judge import TrueLine
from bench.releases import pairs


@dataclass(frozen=True)
class Options:
    """What to measure; ``keep`` is ``None`` to delete the cases."""

    seed: int
    packages: tuple[str, ...]
    count: int
    keep: Path | None
    show: int
    as_json: bool
    shells: bool = False
    """Whether only commands of agents, and people beside them, change files."""


@dataclass(frozen=True)
class Judged:
    """One effective added line: the truth and the audit's verdict."""

    case: str
    manner: str
    path: str
    truth: TrueLine
    answer: LineResult

    @property
    def is_false(self) -> bool:
        """Return whether it was attributed but must not be."""
        return self.answer.attributed and self.truth.truth is False

    @property
    def is_missed(self) -> bool:
        """Return whether it was not attributed but should be."""
        return not self.answer.attributed and self.truth.truth is True


def measure(options: Options, audit: Auditor) -> int:
    """Write the cases, audit them, print the figures; return the exit status."""
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        return _measure(options, audit, options.keep)
    with tempfile.TemporaryDirectory(prefix="ghapp-bench-") as folder:
        return _measure(options, audit, Path(folder))


def rescore(folder: Path, options: Options, audit: Auditor) -> int:
    """Audit kept cases again; return the exit status."""
    folders = sorted(path.parent for path in folder.glob("*/truth.json"))
    return _report(options, folders, audit, {}, 0.0)


def _measure(options: Options, audit: Auditor, target: Path) -> int:
    started = time.process_time()
    folders: list[Path] = []
    versions: dict[str, str] = {}
    with Formatters() as form:
        for pair in pairs(options.packages):
            versions[pair.package] = " to ".join(pair.versions)
            folders += write_cases(
                pair, options.seed, options.count, form, target, shells=options.shells
            )
    return _report(options, folders, audit, versions, time.process_time() - started)


def _report(
    options: Options,
    folders: Sequence[Path],
    audit: Auditor,
    versions: dict[str, str],
    made: float,
) -> int:
    started = time.process_time()
    lines: list[Judged] = []
    excluded = 0
    for folder in folders:
        found, wrong = _case(folder, audit)
        lines += found
        excluded += wrong
    seconds = {
        "generator CPU s": round(made, 1),
        "audits CPU s": round(time.process_time() - started, 1),
    }
    figures = _figures(lines, excluded)
    facts = {"seed": options.seed, "packages": versions, "cases": len(folders), **seconds}
    if options.as_json:
        say(json.dumps({**facts, **figures}, indent=2))
        return 0
    for name, value in facts.items():
        say(f"{name}: {value}")
    _print(lines, excluded)
    _show(lines, options.show)
    return 0


def _case(folder: Path, audit: Auditor) -> tuple[list[Judged], int]:
    """Audit one case; return its judged lines and how many of excluded files were attributed."""
    arguments, truth = read_arguments(folder), read_truth(folder)
    evidence = (folder / "evidence",)
    question = Question(folder / "change.diff", arguments.merged_at, evidence, arguments.roots)
    document = audit(question)
    answers = {
        (file.path, line.line): LineResult(line.line, f"file:{file.excluded}", attributed=False)
        if file.excluded
        else line
        for file in document.files
        for line in file.lines
    }
    wrong = sum(file.attributed for file in document.files if file.path in truth.excluded)
    return list(_judged(folder.name, arguments, truth, answers)), wrong


def _judged(
    case: str, arguments: Arguments, truth: Truth, answers: dict[tuple[str, int], LineResult]
) -> Iterable[Judged]:
    for path, lines in truth.files.items():
        for line in lines:
            # Now and then git aligns two equal lines in another way if it shows context.
            if (path, line.line) in answers:
                yield Judged(case, arguments.manner, path, line, answers[path, line.line])


# --- figures ------------------------------------------------------------------------------------


def _figures(lines: Sequence[Judged], excluded: int) -> dict[str, object]:
    return {
        "all": _sums(lines, excluded),
        "by manner": {name: _sums(part) for name, part in _by(lines, "manner").items()},
        "by package": {
            name: _sums(part)
            for name, part in _grouped(lines, lambda one: _package(one.case)).items()
        },
        "recall by kind": _by_kind(lines, truth=True),
        "false credit by cause": {**_by_kind(lines, truth=False), "excluded": [excluded, None]},
        "not scored": _by_kind(lines, truth=None),
        "reasons of misses": Counter(one.answer.reason for one in lines if one.is_missed),
        "tiers": _tiers(lines),
        "tiers of false credit": Counter(one.answer.reason for one in lines if one.is_false),
    }


def _tiers(lines: Sequence[Judged]) -> dict[str, list[int]]:
    """Return for each reason how many lines an agent wrote, and how many have a known author."""
    known = [one for one in lines if one.truth.truth is not None]
    return {
        reason: [sum(one.truth.truth is True for one in part), len(part)]
        for reason, part in sorted(_grouped(known, lambda one: one.answer.reason).items())
    }


def _sums(lines: Sequence[Judged], excluded: int = 0) -> dict[str, float | int | None]:
    true = [one for one in lines if one.truth.truth is True]
    right = sum(one.answer.attributed for one in true)
    wrong = sum(one.is_false for one in lines) + excluded
    unclear = sum(one.answer.attributed for one in lines if one.truth.truth is None)
    return {
        "lines": len(lines),
        "agent lines": len(true),
        "other lines": sum(one.truth.truth is False for one in lines),
        "not scored": sum(one.truth.truth is None for one in lines),
        "precision": ratio(right, right + wrong),
        "recall": ratio(right, len(true)),
        "false": wrong,
        "missed": len(true) - right,
        "precision if unscored were false": ratio(right, right + wrong + unclear),
    }


def _by_kind(lines: Sequence[Judged], *, truth: bool | None) -> dict[str, list[int | float | None]]:
    """Return for each kind: lines attributed, lines, share."""
    found: dict[str, list[int | float | None]] = {}
    wanted = [one for one in lines if one.truth.truth is truth]
    for kind, part in sorted(_grouped(wanted, lambda one: one.truth.kind).items()):
        attributed = sum(one.answer.attributed for one in part)
        found[kind] = [attributed, len(part), ratio(attributed, len(part))]
    return found


def _by(lines: Sequence[Judged], name: str) -> dict[str, list[Judged]]:
    return _grouped(lines, lambda one: str(getattr(one, name)))


def _grouped(lines: Sequence[Judged], key: Callable[[Judged], str]) -> dict[str, list[Judged]]:
    found: dict[str, list[Judged]] = defaultdict(list)
    for one in lines:
        found[key(one)].append(one)
    return dict(found)


def _package(case: str) -> str:
    return case.rpartition("-")[0]


# --- printing -----------------------------------------------------------------------------------


def _print(lines: Sequence[Judged], excluded: int) -> None:
    groups = {
        "all": list(lines),
        **{f"manner {name}": part for name, part in sorted(_by(lines, "manner").items())},
        **_grouped(lines, lambda one: _package(one.case)),
    }
    rows = [
        [name, *_sums(part, excluded if name == "all" else 0).values()]
        for name, part in groups.items()
    ]
    head = (
        "",
        "lines",
        "agent",
        "other",
        "unscored",
        "precision",
        "recall",
        "false",
        "missed",
        "strict p.",
    )
    say("\n" + table(rows, head))
    _print_kinds("recall by kind", _by_kind(lines, truth=True))
    _print_kinds("false credit by cause", _by_kind(lines, truth=False))
    say(f"  excluded files: {excluded} lines attributed")
    _print_kinds("not scored (nobody could tell)", _by_kind(lines, truth=None))
    _print_reasons("reasons of missed lines", [one for one in lines if one.is_missed])
    _print_reasons("tiers of false credit", [one for one in lines if one.is_false])


def _print_kinds(title: str, kinds: dict[str, list[int | float | None]]) -> None:
    say("\n" + title)
    say(
        table(
            [(kind, *values) for kind, values in kinds.items()],
            ("kind", "attributed", "lines", "share"),
        )
    )


def _print_reasons(title: str, lines: Sequence[Judged]) -> None:
    counts = Counter((one.truth.kind, one.answer.reason) for one in lines)
    reasons = sorted({one.answer.reason for one in lines})
    kinds = sorted({one.truth.kind for one in lines})
    say("\n" + title)
    say(
        table(
            [(kind, *[counts[kind, name] for name in reasons]) for kind in kinds],
            ("kind", *reasons),
        )
    )


def _show(lines: Sequence[Judged], count: int) -> None:
    """Print the cases' stretches with most wrong lines, with a few lines around each."""
    if not count:
        return
    for title, wrong in (
        ("false credit", [one for one in lines if one.is_false]),
        ("missed", [one for one in lines if one.is_missed]),
    ):
        stretches = _stretches(wrong, lines)
        say(f"\n=== {title}: {len(wrong)} lines in {len(stretches)} stretches, the longest first")
        for stretch in sorted(stretches, key=len, reverse=True)[:count]:
            _show_stretch(stretch, lines)


def _stretches(wrong: Sequence[Judged], lines: Sequence[Judged]) -> list[list[Judged]]:
    """Group nearby wrong lines of one file."""
    places = {id(one): place for place, one in enumerate(lines)}
    found: list[list[Judged]] = []
    for one in wrong:
        last = found[-1][-1] if found else None
        if last and last.path == one.path and places[id(one)] - places[id(last)] <= 4:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def _show_stretch(stretch: Sequence[Judged], lines: Sequence[Judged]) -> None:
    first = stretch[0]
    say(f"\n--- {first.case} ({first.manner}) {first.path}")
    file = [one for one in lines if one.case == first.case and one.path == first.path]
    numbers = [place for place, one in enumerate(file) if one in stretch]
    for one in file[max(0, numbers[0] - 3) : min(numbers[-1] + 4, numbers[0] + 40)]:
        sign = "FALSE" if one.is_false else "MISS" if one.is_missed else ""
        difference = "" if one.answer.difference is None else f"{one.answer.difference:.2f}"
        said = f"{one.truth.kind}/{one.answer.reason} {difference} {(one.answer.edit or '')[-4:]}"
        say(f"{sign:5} {one.truth.line:5} {said:36} | {one.truth.text[:110]}")
