"""Other programs that read the same transcripts, asked about the same pull requests.

Each is installed from the package index into an environment of its own in the cache folder. It
gets what its manual asks for: a checkout with the change as its last commit, and a home folder
with the transcripts of that checkout. Its answer is which lines of a file it calls an agent's.
"""

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.audits import Document, FileResult, LineResult, Question, TotalsResult, iso
from bench.console import run
from bench.releases import cache
from ghapp.attribution.unified_diff import parse_diff

PEERS = {"ai-blame": "ai-blame==0.5.3", "aigit": "getaigit==0.1.0"}
"""Command → what to install."""

# "claude-opus-4-6      2026-07-24 08:53     1 | import os": a model if an agent wrote it
_BLAMED = re.compile(r"^(?P<who>.*?)\s+(?P<line>\d+) \| ?")

_AIGIT = """
import json, sys
from pathlib import Path
from aigit.cli import _get_store
from aigit.core.blame import annotate_file
root = Path(sys.argv[1])
store = _get_store(root)
found = {}
for name in sys.argv[2:]:
    lines = annotate_file(root / name, root, store)
    found[name] = [n for n, line in enumerate(lines, 1) if line.ai_tool]
print(json.dumps(found))
"""


@dataclass(frozen=True)
class PeerAuditor:
    """One of `PEERS` on the cases that ``bench truth --keep`` wrote."""

    name: str

    def __call__(self, question: Question) -> Document:
        """Return which added lines the program calls an agent's."""
        changed = parse_diff(question.diff.read_bytes())
        files = [file for file in changed if file.added()]
        with _place(question) as (checkout, home):
            ask = _ai_blame if self.name == "ai-blame" else _aigit
            theirs = ask(_installed(self.name), checkout, home, [file.path for file in files])
        results = []
        for file in files:
            lines = tuple(
                LineResult(one.number, "peer", attributed=one.number in theirs[file.path])
                for one in file.added()
            )
            count = sum(line.attributed for line in lines)
            results.append(FileResult(file.path, len(lines), count, None, lines))
        total = sum(len(file.lines) for file in results)
        found = sum(file.attributed for file in results)
        return Document("", TotalsResult(total, total, found), tuple(results))


def _installed(name: str) -> Path:
    """Return the folder of the program's commands, installed if it is not there."""
    folder = cache() / f"peer-{PEERS[name].replace('==', '-')}"
    if not (folder / "bin" / name).exists():
        run([sys.executable, "-m", "venv", str(folder)])
        run([str(folder / "bin" / "pip"), "install", "--quiet", PEERS[name]])
    return folder / "bin"


@contextmanager
def _place(question: Question) -> Iterator[tuple[Path, Path]]:
    """Lend a checkout with the change as its last commit, and a home with its transcripts."""
    case = question.diff.parent
    # Both programs derive the transcripts' folder from the checkout's path.
    with tempfile.TemporaryDirectory(prefix="peer") as name:
        top = Path(name).parent / Path(name).name.replace("_", "x").lower()
        shutil.rmtree(top, ignore_errors=True)
        checkout, home = top / "shop", top / "home"
        checkout.mkdir(parents=True)
        try:
            _commits(case, checkout, iso(question.merged_at))
            _transcripts(question, checkout, home)
            yield checkout, home
        finally:
            shutil.rmtree(top)


def _commits(case: Path, checkout: Path, merged_at: str) -> None:
    who = {f"GIT_{role}_{key}": "a@example.com" for role in ("AUTHOR", "COMMITTER")
           for key in ("NAME", "EMAIL")}  # fmt: skip
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}

    def git(*arguments: str, date: str = merged_at) -> None:
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        run(["git", *arguments], cwd=checkout, environment=environment | dates)

    git("init", "--quiet", ".")
    for side, date in (("base", "2026-01-01T00:00:00Z"), ("head", merged_at)):
        git("rm", "-rq", "--cached", "--ignore-unmatch", ".")
        for path in checkout.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        trees = ("--git-dir", str(case.parent / ".trees"), "--work-tree", str(checkout))
        listed = run(["git", *trees, "ls-tree", "-r", f"{case.name}-{side}"], cwd=checkout)
        if listed:
            git(*trees, "checkout", "--quiet", f"{case.name}-{side}", "--", ".")
        git("add", "-A")
        git("commit", "--quiet", "--allow-empty", "-m", side, date=date)


def _transcripts(question: Question, checkout: Path, home: Path) -> None:
    to = home / ".claude" / "projects" / str(checkout).replace("/", "-")
    for evidence in question.evidence:
        for path in evidence.rglob("*.jsonl"):
            text = path.read_text(encoding="utf-8")
            for root in sorted(question.roots, key=len, reverse=True):
                text = text.replace(root, str(checkout))
            new = to / path.relative_to(evidence)
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(text, encoding="utf-8")


def _ai_blame(
    commands: Path, checkout: Path, home: Path, paths: Iterable[str]
) -> dict[str, set[int]]:
    # With a history it finds no edit of many files; it needs none.
    shutil.rmtree(checkout / ".git")
    found = {}
    for path in paths:
        options = ("--home", str(home), "--dir", str(checkout), "--no-cache", "--no-header")
        told = run(
            [str(commands / "ai-blame"), "blame", path, *options], cwd=checkout, accept=(0, 1)
        )
        lines = map(_BLAMED.match, told.decode(errors="replace").splitlines())
        found[path] = {int(one["line"]) for one in lines if one and one["who"].strip(" -")}
    return found


def _aigit(commands: Path, checkout: Path, home: Path, paths: Iterable[str]) -> dict[str, set[int]]:
    environment = {**os.environ, "HOME": str(home)}
    index = [str(commands / "aigit"), "index", "--repo", str(checkout)]
    run(index, cwd=checkout, environment=environment, accept=(0, 1))
    asked = [str(commands / "python"), "-c", _AIGIT, str(checkout), *paths]
    told: dict[str, list[int]] = json.loads(run(asked, cwd=checkout, environment=environment))
    return {path: set(lines) for path, lines in told.items()}
