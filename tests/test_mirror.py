"""The tests mirror the rooms: a red test names the module that broke."""

import ast
from collections.abc import Iterator
from pathlib import Path

from ghapp.attribution.exclusions.registry import FILE_RULES, LINE_RULES
from ghapp.evidence.registry import SOURCES
from tests.cases import TOP

MOST_LINES = 90
"""Lines of code above which a module has a test file of its own; docstrings do not count."""
CLAUDE_CODE = "tests/evidence/test_claude_code.py"
ELSEWHERE = {
    "ghapp/cli/one_change.py": ("tests/cli/test_audit.py", "tests/cli/test_report_line.py"),
    "ghapp/demo/cast.py": ("tests/demo/test_year.py",),
    "ghapp/demo/code.py": ("tests/demo/test_year.py",),
    "ghapp/demo/stage.py": ("tests/cli/test_demo.py",),
    "ghapp/demo/sandbox/builder.py": ("tests/demo/sandbox/test_changes.py",),
    "ghapp/demo/sandbox/events.py": ("tests/demo/sandbox/test_webhooks.py",),
    "ghapp/demo/sandbox/sandbox.py": ("tests/demo/sandbox/test_webhooks.py",),
    "ghapp/demo/sandbox/state.py": ("tests/demo/sandbox/test_changes.py",),
    "ghapp/demo/sandbox/routes/apps.py": ("tests/demo/sandbox/test_tokens.py",),
    "ghapp/demo/sandbox/routes/checks.py": ("tests/demo/sandbox/test_writes.py",),
    "ghapp/demo/sandbox/routes/contents.py": ("tests/demo/sandbox/test_git_backend.py",),
    "ghapp/demo/sandbox/routes/labels.py": ("tests/demo/sandbox/test_writes.py",),
    "ghapp/demo/sandbox/routes/pulls.py": ("tests/demo/sandbox/test_changes.py",),
    "ghapp/demo/sandbox/routes/users.py": ("tests/demo/sandbox/test_sign_in.py",),
    "ghapp/evidence/claude_code/edits.py": (CLAUDE_CODE,),
    "ghapp/evidence/claude_code/records.py": (CLAUDE_CODE,),
    "ghapp/evidence/claude_code/tools.py": (CLAUDE_CODE,),
    "ghapp/evidence/claude_code/transcript.py": (CLAUDE_CODE,),
    "ghapp/ingest/telemetry.py": ("tests/web/test_telemetry.py",),
    "ghapp/otlp/json_bodies.py": ("tests/otlp/test_requests.py",),
    "ghapp/otlp/protobuf.py": ("tests/otlp/test_requests.py",),
    "ghapp/otlp/reading.py": ("tests/otlp/test_requests.py",),
    "ghapp/otlp/senders/claude_names.py": ("tests/otlp/senders/test_claude_code.py",),
    "ghapp/otlp/told.py": ("tests/otlp/test_meaning.py",),
    "ghapp/serve/running.py": ("tests/serve/test_programs.py",),
    "ghapp/store/__init__.py": ("tests/store/test_database.py",),
    "ghapp/store/schema.py": ("tests/store/test_migrations.py",),
    "ghapp/store/usage_rows.py": ("tests/store/test_usage.py",),
    "ghapp/store/usage_sums.py": ("tests/store/summaries/test_usage.py",),
    "ghapp/usage/copilot.py": ("tests/usage/test_readers.py",),
    "ghapp/usage/kimi.py": ("tests/usage/test_readers.py",),
    "ghapp/usage/opencode.py": ("tests/usage/test_readers.py",),
    "ghapp/usage/counts.py": ("tests/store/summaries/test_usage.py",),
    "workers/__main__.py": ("tests/workers/test_worker.py",),
}
"""Module → where its tests are, since they are about what several modules do together."""


def lines_of_code(path: Path) -> int:
    """Count the lines on which something of a module stands, but for docstrings."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_text or not isinstance(node, ast.stmt | ast.expr | ast.arg | ast.keyword):
            continue
        if isinstance(node, ast.Constant) and "\n" in str(node.value):
            continue
        lines |= {node.lineno, node.end_lineno or node.lineno}
    return len(lines)


def mirrors(path: str) -> Iterator[str]:
    """Yield where a module's own tests may be."""
    top, _, rest = path.partition("/")
    whole = Path(rest if top == "ghapp" else path)
    if whole.name == "__init__.py":
        whole = whole.parent.with_suffix(".py")
    yield f"tests/{whole.parent.as_posix()}/test_{whole.name}".replace("/./", "/")
    yield f"tests/{whole.parent.as_posix()}/test_{whole.parent.name}_{whole.name}"


def has_cases(path: str) -> bool:
    """Return whether a module is one of a list whose members are tested by cases alone."""
    stem = Path(path).stem
    if path.startswith("ghapp/evidence/") and stem in SOURCES:
        return any((TOP / "fixtures/evidence" / stem).glob("*/expected.json"))
    if path.startswith("ghapp/attribution/exclusions/") and stem in {*FILE_RULES, *LINE_RULES}:
        return any((TOP / "fixtures/exclusions" / stem).iterdir())
    return False


def large() -> dict[str, int]:
    paths = [path for top in ("ghapp", "workers") for path in (TOP / top).rglob("*.py")]
    sizes = {path.relative_to(TOP).as_posix(): lines_of_code(path) for path in paths}
    return {path: lines for path, lines in sizes.items() if lines > MOST_LINES}


def test_every_large_module_has_tests_of_its_own() -> None:
    bare = [
        f"{path}: {lines} lines; its tests belong in {next(mirrors(path))}"
        for path, lines in sorted(large().items())
        if path not in ELSEWHERE
        and not has_cases(path)
        and not any((TOP / one).is_file() for one in mirrors(path))
    ]
    assert bare == [], "\n".join(bare)


def test_tests_that_are_elsewhere_are_there() -> None:
    for path, tests in ELSEWHERE.items():
        assert (TOP / path).is_file(), path
        assert all((TOP / one).is_file() for one in tests), tests


def test_the_law_finds_a_module_without_tests() -> None:
    found = large()
    assert "ghapp/audit.py" in found
    assert "ghapp/evidence/cline.py" in found
    assert "ghapp/__init__.py" not in found
    assert not has_cases("ghapp/evidence/call_edits.py")
    assert next(mirrors("ghapp/web/app.py")) == "tests/web/test_app.py"
    assert next(mirrors("ghapp/audit.py")) == "tests/test_audit.py"
    assert next(mirrors("workers/jobs.py")) == "tests/workers/test_jobs.py"
