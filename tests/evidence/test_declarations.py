"""What commits and texts declare about agents: said with agent, model and tools, never credited."""

import pytest

from ghapp.attribution.model import AgentDeclaration
from ghapp.evidence.carried import CarriedCommit
from ghapp.evidence.declarations import FORMS, DeclaredText, declared, read
from tests.cases import TOP
from tests.evidence.commits import commit

FOOTER = "Fix\n\n🤖 Generated with [Claude Code](https://claude.com/claude-code)\n"
CLAUDE = "Fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n"


def of(**changed: str) -> dict[str, tuple[str, ...]]:
    """Return agent → models, then tools of one commit."""
    return {one.agent: (*one.models, *one.tools) for one in declared([commit(**changed)])}


def trailer(line: str) -> dict[str, tuple[str, ...]]:
    return of(message=f"Fix\n\nSome prose.\n\n{line}\n")


NOTHING = ()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"message": CLAUDE}, {"claude-code"}),
        ({"author": "copilot-swe-agent[bot] <1+Copilot@users.noreply.github.com>"}, {"copilot"}),
        ({"committer": "Ann (aider) <ann@example.com>"}, {"aider"}),
        ({"message": "Fix\n\nAmp-Thread-ID: T-1"}, {"amp"}),
        ({"message": CLAUDE + "Made-with: Cursor"}, {"claude-code", "cursor"}),
        ({"message": "aider: Fix the total"}, {"aider"}),
        ({"message": FOOTER}, {"claude-code"}),
        ({"message": "Ask Claude. See the Claude-Session: note"}, set()),
        ({"message": "Fix\n\nClaude-Session: x\n\nAnd more prose."}, set()),
        ({"author": "Claude <claude@example.com>"}, set()),
        ({"author": "Devin Jules <devin@example.com>"}, set()),
    ],
)  # fmt: skip
def test_addresses_and_trailers_name_agents_and_prose_does_not(
    changed: dict[str, str], named: set[str]
) -> None:
    assert of(**changed).keys() == named


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Assisted-by: Claude:opus-4 cocci lint", {"claude-code": ("opus-4", "cocci", "lint")}),
        ("Assisted-by: Claude Code (claude-opus-4-7)", {"claude-code": ("claude-opus-4-7",)}),
        ("Assisted-by: claude-code/opus-4.6", {"claude-code": ("opus-4.6",)}),
        ("Assisted-by: Claude Opus 4.8", {"claude-code": ("Claude Opus 4.8",)}),
        ("assisted-BY: GitHub Copilot", {"copilot": NOTHING}),
        ("Assisted-by: Codex:gpt-5.2-codex", {"codex": ("gpt-5.2-codex",)}),
        ("Assisted-by: House Agent:model-7", {"other": ("model-7",)}),
        ("Assisted-by: Devin", {"devin": NOTHING}),
        ("Assisted-by: Devin Carr", {}),
        ("Assisted-by: Claude Martin", {}),
        ("Assisted-by: Claude Martin <claude@example.com>", {}),
        ("Assisted-by: Claude <noreply@anthropic.com>", {"claude-code": NOTHING}),
        ("Generated-by: Claude Sonnet 4", {"claude-code": ("Claude Sonnet 4",)}),
        ("Generated-by: tools/make-tables.py", {}),
        ("AI-Assisted-By: claude-code / Sonnet 4.6", {"claude-code": ("Sonnet 4.6",)}),
        ("AI-Assisted-By: our own model", {"other": NOTHING}),
        ("Co-authored-by-AI: GitHub Copilot (gpt-4.1)", {"copilot": ("gpt-4.1",)}),
        ("Co-developed-by: Claude 5 <noreply@anthropic.com>", {"claude-code": ("Claude 5",)}),
        ("Co-authored-by: aider (gpt-4o) <aider@aider.chat>", {"aider": ("gpt-4o",)}),
        ("Co-authored-by: aider <noreply@aider.dev>", {"aider": NOTHING}),
        ("Co-authored-by: Jules", {}),
        ("Co-authored-by: Ann <ann@example.com>", {}),
        ("Claude-Session: https://claude.ai/code/1", {"claude-code": NOTHING}),
        ("Agent-Logs-Url: https://github.com/a/b/sessions/1", {"copilot": NOTHING}),
        ("Reviewed-by: Claude <noreply@anthropic.com>", {}),
        ("Assisted-by: Claude:`rm`", {"claude-code": NOTHING}),
        ("Assisted-by: Claude:" + "a" * 100, {"claude-code": NOTHING}),
        ("Assisted-by: Claude:" + "a" * 10_000, {}),
    ],
)  # fmt: skip
def test_each_form_tells_agent_model_and_tools(line: str, said: dict[str, object]) -> None:
    assert trailer(line) == said


def test_each_form_names_its_source() -> None:
    assert all(form.source.startswith("https://") for form in FORMS.values())


def test_a_commit_counts_once_for_each_agent_and_the_text_stands_beside() -> None:
    some = [commit(message=CLAUDE * 2), commit(message=CLAUDE + "Made-with: Cursor"), commit()]
    text = DeclaredText(
        title="Fix", body="It was wrong.\r\n\r\nAssisted-by: Codex:gpt-5 sparse\r\n"
    )
    expected = (
        AgentDeclaration(agent="claude-code", commits=2, forms=("co-authored-by",)),
        AgentDeclaration(
            agent="codex",
            commits=0,
            in_text=True,
            models=("gpt-5",),
            tools=("sparse",),
            forms=("assisted-by",),
        ),
        AgentDeclaration(agent="cursor", commits=1, forms=("made-with",)),
    )
    assert declared(some, text) == expected
    assert declared(reversed(some), text) == expected
    assert declared([]) == ()


def test_a_declaration_proves_no_line() -> None:
    made: CarriedCommit = commit(message=CLAUDE)
    assert list(read(made, [])) == []


def test_the_documentation_has_each_form_and_its_source() -> None:
    told = (TOP / "docs" / "evidence.md").read_text("utf-8")
    for key, form in FORMS.items():
        assert f"| `{key.capitalize()}` | [" in told
        assert f"]({form.source}) |" in told
