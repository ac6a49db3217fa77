"""Lines keep their first writer through other white space and moved blocks, and no other change."""

import subprocess
from pathlib import Path

from ghapp.git.blame import BlamedLine, blamed
from ghapp.git.repository import GitRepository

BASE = [f"the number of this line is {number}" for number in range(1, 9)]
ADDED = ["def monthly_totals(orders):", "    return collect_by_month(orders, key=month)"]


class Work:
    """A repository with one branch."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self._git("init", "-q")

    def _git(self, *command: str) -> str:
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        done = subprocess.run(
            ["git", *who, *command], cwd=self.path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, **files: list[str]) -> str:
        """Commit the lines of some Python files; return the name."""
        for name, lines in files.items():
            (self.path / f"{name}.py").write_text("".join(f"{line}\n" for line in lines))
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "Change")
        return self._git("rev-parse", "HEAD")


def writers(work: Work, base: str, head: str, path: str, *, across: bool = True) -> list[str]:
    lines = sorted(blamed(GitRepository(work.path), base, head, path, across_files=across))
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    return [line.commit for line in lines]


def test_a_line_has_the_writer_of_its_text(tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    base = work.commit(a=BASE)
    one = work.commit(a=[*BASE, *ADDED])
    mixed = [ADDED[0].replace("orders", "sales"), f"    {ADDED[1]}"]
    two = work.commit(a=[*BASE, *mixed])
    assert writers(work, base, two, "a.py") == [base] * 8 + [two, one]
    # A block that moves keeps its writer, inside a file and, where asked for, between files.
    three = work.commit(a=[*mixed, *BASE[2:], *BASE[:2]])
    assert writers(work, base, three, "a.py") == [two, one, *[base] * 8]
    four = work.commit(a=BASE[4:], b=["import os", *BASE[:4]])
    assert writers(work, base, four, "b.py") == [four, *[base] * 4]
    assert writers(work, base, four, "b.py", across=False) == [four] * 5


def test_copies_share_the_line_that_they_come_from(tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    base = work.commit(a=BASE)
    one = work.commit(a=[*BASE, *ADDED])
    two = work.commit(a=[*ADDED, *BASE, *ADDED])
    found = sorted(blamed(GitRepository(work.path), base, two, "a.py", across_files=True))
    assert {line for line in found if line.commit == one} == {
        BlamedLine(1, one, "a.py", 9),
        BlamedLine(2, one, "a.py", 10),
        BlamedLine(11, one, "a.py", 9),
        BlamedLine(12, one, "a.py", 10),
    }
