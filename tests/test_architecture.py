"""The import contract, and the programs that the Procfile names, as tests."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from ghapp.cli.main import COMMANDS
from ghapp.publishers.registry import PUBLISHERS
from ghapp.serve.programs import QUEUES
from ghapp.store import Lane
from tests.app_key import PRIVATE_KEY
from tests.cases import TOP
from tests.cli.commands import ghapp

PROCFILE = (TOP / "Procfile").read_text("utf-8")
PROGRAMS = dict(re.findall(r"^([\w-]+): (.+)$", PROCFILE, re.MULTILINE))


MOST_ROOT_MODULES = 10
MOST_FLOORS = 14


def _lint_imports(top: Path) -> subprocess.CompletedProcess[str]:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command is not None, "import-linter is not installed: use `python3 run.py test`"
    return subprocess.run(
        [command, "--no-cache", "--config", str(top / ".importlinter")],
        cwd=top,
        # The checkout's own path file would put its modules before those of a copy.
        env={**os.environ, "PYTHONPATH": str(top)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


FORBIDDEN = (
    ("ghapp/auditing/export.py", "ghapp.demo.sandbox"),
    ("ghapp/wire.py", "ghapp.demo.sandbox.limits"),
    ("workers/jobs.py", "ghapp.demo.sandbox"),
    ("ghapp/store/audits.py", "ghapp.audit"),
    ("ghapp/keys/signing.py", "ghapp.upkeep.weekly"),
    ("ghapp/web/app.py", "workers.jobs"),
    ("ghapp/attribution/model.py", "pathlib"),
)
"""A file, and what it must not import: no two for the same reason."""


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what is said of a copy of the program with all forbidden imports and a new room."""
    top = tmp_path_factory.mktemp("copy")
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("ghapp", "workers"):
        shutil.copytree(TOP / name, top / name, ignore=skip)
    shutil.copyfile(TOP / ".importlinter", top / ".importlinter")
    for path, forbidden in FORBIDDEN:
        with (top / path).open("a", encoding="utf-8") as file:
            file.write(f"\nimport {forbidden}\n")
    (top / "ghapp" / "attic.py").touch()
    done = _lint_imports(top)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout
    return done.stdout


def test_the_import_contract_is_kept() -> None:
    done = _lint_imports(TOP)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("path", "forbidden"), FORBIDDEN)
def test_a_forbidden_import_is_refused(refused: str, path: str, forbidden: str) -> None:
    # With the line that was added at the end: it is this import that is refused.
    line = (TOP / path).read_text("utf-8").count("\n") + 2
    module = path.removesuffix(".py").replace("/", ".")
    assert f"{module} -> {forbidden} (l.{line})" in refused


def test_a_room_without_a_floor_is_refused(refused: str) -> None:
    assert "attic" in refused


def test_the_house_stays_small() -> None:
    root = [path.stem for path in (TOP / "ghapp").glob("*.py") if not path.stem.startswith("__")]
    assert len(root) <= MOST_ROOT_MODULES
    contract = ConfigParser()
    contract.read(TOP / ".importlinter")
    floors = contract["importlinter:contract:floors"]["layers"].split("\n")
    assert 0 < len(list(filter(None, floors))) <= MOST_FLOORS
    meets = contract["importlinter:contract:publishers"]["modules"]
    assert set(re.findall(r"publishers\.(\w+)", meets)) == set(PUBLISHERS)


def test_no_files_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("ghapp", "workers", cache_dir=None)
    modules = graph.modules
    assert len(modules) > 300
    sorter = TopologicalSorter({m: graph.find_modules_directly_imported_by(m) for m in modules})
    sorter.prepare()  # raises CycleError, which names the circle


# --- a newcomer's search ---------------------------------------------------------------------

QUESTIONS = (
    ("where is a lock file excluded?", "lock file", "ghapp/attribution/exclusions/lock_file.py"),
    ("how much may a person rewrite?", "rewrite limit", "ghapp/attribution/alignment.py"),
    ("who decides that a comment is not reopened?", "reopened", "ghapp/publishers/comment.py"),
    ("where do teams come from?", "CODEOWNERS", "ghapp/upkeep/team_sources.py"),
    ("what if Redis is away when a webhook comes?", "Redis is away", "ghapp/web/webhook.py"),
    ("who checks a webhook?", "webhook's signature", "ghapp/github/webhooks.py"),
    ("which policy counts?", "policy in force", "ghapp/policy/in_force.py"),
    ("what leaves a developer's machine?", "leaves the machine", "ghapp/collector/batches.py"),
    ("when is work given up?", "dead letter", "ghapp/jobs/perform.py"),
    ("who keeps GitHub's limits?", "rate limits", "ghapp/github/pacing.py"),
    ("who hides small groups?", "fewer than five", "ghapp/store/summaries/groups.py"),
    ("what came of a pull request?", "outcome", "ghapp/upkeep/outcomes.py"),
    ("who may read a page?", "what they may read", "ghapp/people/readers.py"),
    ("who keeps secrets out of the log?", "redact", "ghapp/log.py"),
    ("where is a bundle verified?", "verify", "ghapp/cli/verify.py"),
    ("where is the API described?", "OpenAPI", "ghapp/web/openapi.py"),
)
"""What a newcomer asks, the obvious word, and the module that it should lead to."""
MOST_FOUND = 5


def _described() -> dict[str, str]:
    """Return the path and docstring of every module but those of the stand-in, by path."""
    paths = [path for top in ("ghapp", "workers") for path in (TOP / top).rglob("*.py")]
    names = {path.relative_to(TOP).as_posix(): path for path in paths}
    return {
        name: f"{name} {ast.get_docstring(ast.parse(path.read_text('utf-8')))}".replace("\n", " ")
        for name, path in names.items()
        if "sandbox" not in name
    }


def test_the_obvious_word_leads_to_the_module() -> None:
    described = _described()
    for question, word, module in QUESTIONS:
        found = [name for name, text in described.items() if word.lower() in text.lower()]
        assert module in found, f"{question} {word!r} leads to {found}"
        assert len(found) <= MOST_FOUND, f"{question} {word!r} leads to {found}"


# --- the Procfile --------------------------------------------------------------------------------


def test_the_procfile_has_every_process() -> None:
    workers = {f"worker-{lane.value}" for lane in Lane}
    assert set(PROGRAMS) == {"release", "web", "scheduler", *workers}
    assert set(QUEUES) == set(Lane)


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - {"web"}))
def test_a_program_is_a_command_of_ours(name: str) -> None:
    program, command, *arguments = shlex.split(PROGRAMS[name])
    assert program == "ghapp"
    assert command in COMMANDS
    assert arguments == ([name.partition("-")[2]] if name.startswith("worker-") else [])


def test_the_web_program_starts(tmp_path: Path) -> None:
    program, *arguments = shlex.split(PROGRAMS["web"])
    assert program == "gunicorn"
    done = subprocess.run(
        [sys.executable, "-m", program, "--check-config", *arguments],
        cwd=TOP,
        env={
            "GHAPP_DATA_DIR": str(tmp_path / "data"),
            "REDIS_URL": f"unix://{tmp_path}/nobody.sock",
            "GITHUB_APP_ID": "1",
            "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
            "GITHUB_WEBHOOK_SECRETS": "4f0d" * 10,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - {"web"}))
def test_a_program_names_all_that_is_missing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would become the worker, and so would this process.
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("it starts nevertheless"))
    _, *arguments = shlex.split(PROGRAMS[name])
    given = {"GHAPP_DATA_DIR": str(tmp_path), "DATABASE_URL": "x", "GHAPP_LOG_LEVEL": "loud"}
    done = ghapp(*arguments, cwd=TOP, **given)
    told = done.stderr.decode()
    assert done.returncode == 1
    assert "DATABASE_URL" in told
    assert "GHAPP_LOG_LEVEL" in told
    assert ("GITHUB_APP_ID" in told) == (name != "release")
