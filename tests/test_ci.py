"""What runs on a server, and what is there for who joins; a flaw in a dependency fails."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cases import TOP

SAYS = """
import pathlib, sys
told = {told!r}
if told is None:
    sys.exit("ConnectionError: pypi.org cannot be reached")
pathlib.Path(sys.argv[sys.argv.index("-o") + 1]).write_text(told)
"""
FLAWED = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1"}]}
SOUND = {"name": "new", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "ours", "skip_reason": "not found"}


def audit(folder: Path, told: list[dict[str, Any]] | None) -> tuple[int, str]:
    """Run the audit with a pip-audit that says what it is told; return status and words."""
    package = folder / "pip_audit"
    package.mkdir()
    text = None if told is None else json.dumps({"dependencies": told})
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(SAYS.format(told=text))
    done = subprocess.run(
        (sys.executable, str(TOP / ".ci" / "audit"), "requirements.txt"),
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        ([SOUND, FLAWED], 1, "old 1.0 is vulnerable: PYSEC-2026-1"),
        ([SOUND, UNKNOWN], 0, "1 of 2 packages audited"),
        ([UNKNOWN], 0, "NOT AUDITED, the service knows none"),
        (None, 0, "NOT AUDITED, no advisory service answered: ConnectionError"),
    ],
)
def test_what_was_found_is_said(
    tmp_path: Path, told: list[dict[str, Any]] | None, status: int, words: str
) -> None:
    found, said = audit(tmp_path, told)
    assert (found, words in said) == (status, True), said


def test_ci_asks_for_it() -> None:
    assert ".ci/audit" in (TOP / ".ci" / "run").read_text()


# --- workflows, forms, tags -----------------------------------------------------------------------

GITHUB = TOP / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))


def steps(path: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_commit_beside_its_version(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text())
    assert len(used) == sum("uses" in step for step in steps(path)) > 0
    for one in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one


def test_ci_runs_the_command_of_the_readme_and_the_nightly_draws_more() -> None:
    command = "python3 run.py test"
    assert f"\n{command}\n" in (TOP / "README.md").read_text()
    assert '"$python" run.py test\n' in (TOP / ".ci" / "run").read_text()
    assert {"run": "bash .ci/run"} in steps(GITHUB / "workflows" / "ci.yml")
    (nightly,) = (
        step
        for step in steps(GITHUB / "workflows" / "nightly.yml")
        if step.get("run", "").startswith(command)
    )
    assert int(nightly["env"]["GHAPP_EXAMPLES_FACTOR"]) >= 4


def test_a_release_is_checked_built_and_attested_in_this_order() -> None:
    told = [
        str(step.get("run") or step["uses"]) for step in steps(GITHUB / "workflows" / "release.yml")
    ]
    wanted = [".ci/check-tag", ".ci/run", ".ci/build", "attest-build-provenance", "release create"]
    places = [next(at for at, one in enumerate(told) if what in one) for what in wanted]
    assert places == sorted(places)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_has_what_github_asks_of_it(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    assert form["name"]
    assert form["description"]
    asked = [one for one in form["body"] if one["type"] != "markdown"]
    assert asked
    assert len({one["id"] for one in asked}) == len(asked)
    assert any(one.get("validations", {}).get("required") for one in asked)


def test_the_form_for_a_wrong_reason_names_the_command_that_anonymizes() -> None:
    assert "ghapp report-line " in (GITHUB / "ISSUE_TEMPLATE/wrong-line-reason.yml").read_text()


@pytest.mark.parametrize(
    "path",
    [
        *("CONTRIBUTING.md", "SECURITY.md", "docs/README.md", ".devcontainer/devcontainer.json"),
        *(".github/PULL_REQUEST_TEMPLATE.md", ".github/dependabot.yml"),
    ],
)
def test_the_door_for_who_joins_is_there(path: str) -> None:
    assert (TOP / path).read_text().strip()


def test_the_index_names_every_reader() -> None:
    found = re.findall(r"^\*\*([\w ]+)\*\*", (TOP / "docs/README.md").read_text(), re.MULTILINE)
    readers = ("Maintainer", "lead", "Developer", "Administrator", "Operator", "Auditor")
    for reader in (*readers, "Contributor"):
        assert any(one.endswith(reader) for one in found), reader


def test_a_tag_that_names_another_version_is_refused() -> None:
    command = ("bash", str(TOP / ".ci" / "check-tag"), "v0.0.0")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "does not name the package's version" in done.stderr
