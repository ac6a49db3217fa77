"""What an engine upgrade changes: audits every fixture with an earlier version and this one."""

import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Console

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit
from ghapp.documents.differences import AuditDifference, compare
from ghapp.reports.differences import render, to_page

TOP = Path(__file__).resolve().parent.parent
CASES = TOP / "fixtures" / "audits"
SECONDS = 60


class Options(NamedTuple):
    """What to compare with this checkout, and where to write the page."""

    since: str
    """A commit or tag of this repository."""
    output: Path | None


def measure(options: Options) -> int:
    """Print the differences, and write the page if requested."""
    with tempfile.TemporaryDirectory(prefix="ghapp-upgrade-") as name:
        earlier = Path(name)
        _unpack(options.since, earlier)
        differences = list(_differences(earlier, options.since))
    render(lambda: differences, Console(width=100))
    if options.output is not None:
        parts = to_page(lambda: differences, f"engine of {options.since}", "this engine")
        options.output.write_text("".join(parts), encoding="utf-8")
    return 0


def _unpack(revision: str, folder: Path) -> None:
    """Unpack the product of a revision into a folder, with today's fixtures."""
    command = ["git", "-C", str(TOP), "archive", "--end-of-options", revision, "ghapp"]
    packed = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - no shell
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _differences(earlier: Path, revision: str) -> Iterator[AuditDifference]:
    for folder in sorted(CASES.iterdir()):
        before, after = _audited(folder, earlier), _audited(folder, TOP)
        # The version stays the same between releases, but this compares engines.
        named = msgspec.structs.replace(before, engine=f"{before.engine} of {revision}")
        yield compare(named, after)


def _audited(case: Path, checkout: Path) -> Audit:
    """Audit a case by the command line, whose contract all versions keep."""
    given: dict[str, Any] = msgspec.json.decode((case / "case.json").read_bytes())
    command = ["audit", "--diff", str(case / "change.diff"), "--merged-at", given["merged_at"]]
    command += ["--repository", f"fixtures/{case.name}", "--pull-request", "17"]
    evidence = case / "evidence"
    command += ["--evidence", str(evidence if evidence.exists() else case)]
    for root in given.get("roots", ()):
        command += ["--root", root]
    if "as_of" in given:
        command += ["--as-of", given["as_of"]]
    done = subprocess.run(  # noqa: S603 - this interpreter, no shell
        [sys.executable, "-m", "ghapp", *command, "--format", "json"],
        cwd=checkout,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode > 1:
        raise RuntimeError(f"{case.name}: {done.stderr.decode(errors='replace')}")
    return from_document(done.stdout)
