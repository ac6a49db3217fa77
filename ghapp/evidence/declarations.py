"""What commits and a pull request's text declare about agents. It never supports a line.

A declaration does not tell which lines: squashed commits collect them, and agents' work that a
person commits may have none. Anyone can write one. An audit shows them beside what it measured.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ghapp.attribution.model import AgentDeclaration, Struct
from ghapp.evidence.agents import agent_name
from ghapp.evidence.carried import CarriedCommit, CommitAttachment
from ghapp.evidence.source import Found
from ghapp.evidence.trailers import trailers

NAME = "declarations"

OTHER = "other"
"""An agent that a declaration names and that we do not know."""
MOST_TOOLS = 10
LONGEST_MODEL = 80
LONGEST_LINE = 500
"""Characters of a line that may declare something."""


class DeclaredForm(NamedTuple):
    """A trailer by which people or programs declare an agent."""

    source: str
    """Where the form is defined, or where it was seen."""
    agent: str | None = None
    """The agent that the key alone names; ``None``: the value names it."""
    is_only_for_agents: bool = False
    """Whether a value without a known name still declares an agent: people are never named so."""
    tells_models: bool = False
    """Whether a value with a model still declares an agent if its name is not known."""


_CO_AUTHOR = (
    "https://docs.github.com/en/pull-requests/committing-changes-to-your-project/"
    "creating-and-editing-commits/creating-a-commit-with-multiple-authors"
)

FORMS: dict[str, DeclaredForm] = {
    # Kernel: AGENT_NAME:MODEL_VERSION [TOOL1] [TOOL2]. Fedora, LLVM and NixOS ask for the key,
    # with a form of their own: https://llvm.org/docs/AIToolPolicy.html,
    # https://docs.fedoraproject.org/en-US/council/policy/ai-contribution-policy/,
    # https://github.com/NixOS/nixpkgs/pull/514587 (Claude Code (claude-opus-4-7)),
    # https://github.com/fluxcd/agent-skills (AGENT/MODEL).
    "assisted-by": DeclaredForm(
        "https://docs.kernel.org/process/coding-assistants.html", tells_models=True
    ),
    "generated-by": DeclaredForm("https://www.apache.org/legal/generative-tooling.html"),
    "ai-assisted-by": DeclaredForm(
        "https://github.com/commit-check/commit-check", is_only_for_agents=True
    ),
    "co-developed-by": DeclaredForm("https://docs.kernel.org/process/submitting-patches.html"),
    "co-authored-by": DeclaredForm(_CO_AUTHOR),
    "co-authored-by-ai": DeclaredForm(
        "https://github.com/OpenLiberty/open-liberty/blob/integration/GENAI_GUIDELINES.md",
        is_only_for_agents=True,
    ),
    "claude-session": DeclaredForm("https://code.claude.com/docs/en/settings", "claude-code"),
    "copilot-session": DeclaredForm("https://github.com/github/copilot-cli", "copilot"),
    "agent-logs-url": DeclaredForm("https://github.com/github/docs/pull/43520", "copilot"),
    "amp-thread-id": DeclaredForm("https://ampcode.com/manual", "amp"),
    "made-with": DeclaredForm("https://cursor.com/docs"),
}
"""Key in lower case → what it declares. No second list: the documentation is made from this one."""

SUBJECTS = {"aider:": "aider"}
"""How a title begins → agent: https://aider.chat/docs/git.html#commit-attribution"""

ADDRESSES = {
    "agent@cursor.com": "cursor",
    "aider@aider.chat": "aider",
    "aider@aider.dev": "aider",
    "amp@ampcode.com": "amp",
    "codex@openai.com": "codex",
    "copilot@github.com": "copilot",
    "cursoragent@cursor.com": "cursor",
    "noreply@aider.chat": "aider",
    "noreply@aider.dev": "aider",
    "noreply@anthropic.com": "claude-code",
    "noreply@openai.com": "codex",
    "qwen-coder@alibabacloud.com": "qwen-code",
    "roomote@roocode.com": "roo-code",
}
"""Email address → agent. Addresses are stable; displayed names are not."""

LOGINS = {
    "chatgpt-codex-connector[bot]": "codex",
    "claude[bot]": "claude-code",
    "copilot": "copilot",
    "copilot-swe-agent[bot]": "copilot",
    "cursor[bot]": "cursor",
    "devin-ai-integration[bot]": "devin",
    "factory-droid[bot]": "droid",
    "gemini-cli[bot]": "gemini-cli",
    "gemini-code-assist[bot]": "gemini-cli",
    "google-labs-jules[bot]": "jules",
    "opencode-agent[bot]": "opencode",
}
"""Login at GitHub in lower case → agent, where it stands in a no-reply address."""

NAMED = frozenset(
    {
        *("aider", "amp", "antigravity", "claude-code", "cline", "codex", "copilot", "cursor"),
        *("devin", "droid", "gemini-cli", "jules", "kilo-code", "kimi", "opencode", "qwen-code"),
        "roo-code",
    }
)
"""Agents that a form may name without an address."""

# 198982749+Copilot@users.noreply.github.com
_NO_REPLY = re.compile(r"(?:[0-9]+\+)?([^@+]+)@users\.noreply\.github\.com")
# Claude Opus 5, and not Claude Martin
_CLAUDE_MODEL = re.compile(
    r"claude[- ](?:opus|sonnet|haiku|fable|v?[0-9])[A-Za-z0-9 ._:/@+()\[\]-]*", re.IGNORECASE
)
# Gemini 3 Pro
_GEMINI_MODEL = re.compile(r"gemini[- ][0-9][A-Za-z0-9 ._-]*", re.IGNORECASE)
# Claude Opus 5 (1M context)
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+()\[\]-]*")
# clang-tidy
_TOOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}")
# Claude:claude-opus-4-6 coccinelle sparse
_KERNEL = re.compile(r"([^:()/<>]+):[ \t]*([^\s:()<>][^\s()<>]*)((?:[ \t]+[^\s()<>]+)*)")
# Claude Code (claude-opus-4-7)
_IN_BRACKETS = re.compile(r"([^()<>]*[^()<>\s])[ \t]*\(([^()<>]+)\)")
# claude-code / Claude Sonnet 4.6
_AFTER_SLASH = re.compile(r"([^:()/<>]*[^:()/<>\s])[ \t]*/[ \t]*([^\s:()/<>][^:()/<>]*)")
# Claude Opus 5 <noreply@anthropic.com>
_WITH_ADDRESS = re.compile(r"([^<>]*)<([^<>\s]*)>.*")
# 🤖 Generated with [Claude Code](https://claude.com/claude-code)
_FOOTER = re.compile(
    r"\W{0,8}(?:Generated|Made|Created) with \[([^\[\]]{1,60})\]"
    r"\(https?://[^\s()]+\)\W{0,8}"
)
_NAMED_AIDER = "(aider) <"


class DeclaredText(Struct, frozen=True):
    """A pull request's title and text, as its author wrote them."""

    title: str
    body: str


class _Said(NamedTuple):
    """One agent that one message declares."""

    agent: str
    form: str
    model: str | None = None
    tools: tuple[str, ...] = ()


def declared(
    commits: Iterable[CarriedCommit], text: DeclaredText | None = None
) -> tuple[AgentDeclaration, ...]:
    """Return what commits and a pull request's text declare, one entry for each agent, by agent.

    ``text`` is ``None`` where nobody looked.
    """
    in_commits = [[*_named(commit), *_of_message(commit.message)] for commit in commits]
    in_text = [] if text is None else list(_of_message(f"{text.title}\n\n{text.body}"))
    agents = {one.agent for said in (*in_commits, in_text) for one in said}
    return tuple(_declaration(agent, in_commits, in_text) for agent in sorted(agents))


def _declaration(
    agent: str, in_commits: Sequence[Sequence[_Said]], in_text: Sequence[_Said]
) -> AgentDeclaration:
    said = [[one for one in some if one.agent == agent] for some in (*in_commits, in_text)]
    every = [one for some in said for one in some]
    return AgentDeclaration(
        agent=agent,
        commits=sum(map(bool, said[:-1])),
        in_text=bool(said[-1]),
        models=tuple(sorted({one.model for one in every if one.model})),
        tools=tuple(sorted({tool for one in every for tool in one.tools})),
        forms=tuple(sorted({one.form for one in every})),
    )


def read(commit: CarriedCommit, attached: Sequence[CommitAttachment]) -> Iterator[Found]:
    """Yield nothing: a declaration proves no line."""
    del commit, attached
    yield from ()


# --- one message ----------------------------------------------------------------------------------


def _named(commit: CarriedCommit) -> Iterator[_Said]:
    """Yield the agents that a commit's author and committer are named as."""
    for form, who in (("author", commit.author), ("committer", commit.committer)):
        found = _WITH_ADDRESS.fullmatch(who)
        agent = _by_address(found[2]) if found else None
        if agent is None and _NAMED_AIDER in who:
            agent = "aider"
        if agent is not None:
            yield _Said(agent, form)


def _of_message(message: str) -> Iterator[_Said]:
    lines = message.split("\n")
    begins = (agent for start, agent in SUBJECTS.items() if lines[0].lower().startswith(start))
    yield from (_Said(agent, "subject") for agent in begins)
    for line in lines:
        if len(line) > LONGEST_LINE:
            continue
        found = _FOOTER.fullmatch(line.strip())
        agent = _by_name(found[1]) if found else None
        if agent is not None:
            yield _Said(agent, "footer")
    for key, value in trailers(message):
        form = FORMS.get(key.lower())
        if (
            form is not None
            and len(value) <= LONGEST_LINE
            and (said := _of_trailer(key.lower(), form, value))
        ):
            yield said


def _of_trailer(key: str, form: DeclaredForm, value: str) -> _Said | None:
    """Return what a trailer declares; ``None``: it names a person, or nobody."""
    if form.agent is not None:
        return _Said(form.agent, key)
    if found := _WITH_ADDRESS.fullmatch(value):
        agent, name = _by_address(found[2]), found[1].strip()
        return None if agent is None else _Said(agent, key, _model_in(agent, name))
    if key.startswith("co-") and not form.is_only_for_agents:
        # A co-author without an address is a person's nickname as often as an agent.
        return None
    name, model, tools = _parted(value)
    agent = _by_name(name) or (_by_name(value) if model is None else None)
    if agent is None:
        is_agent = form.is_only_for_agents or (form.tells_models and model is not None)
        return _Said(OTHER, key, model, tools) if is_agent else None
    return _Said(agent, key, model or _model_in(agent, name), tools)


def _parted(value: str) -> tuple[str, str | None, tuple[str, ...]]:
    """Return the parts of a value without an address: agent, model and tools."""
    if found := _KERNEL.fullmatch(value):
        tools = (one for one in found[3].split() if _TOOL.fullmatch(one))
        return found[1].strip(), _model(found[2]), tuple(tools)[:MOST_TOOLS]
    if found := _IN_BRACKETS.fullmatch(value) or _AFTER_SLASH.fullmatch(value):
        return found[1].strip(), _model(found[2]), ()
    return value, None, ()


def _model_in(agent: str, name: str) -> str | None:
    """Return the model that an agent's displayed name tells; ``None``: it tells none."""
    if agent == "aider":
        found = _IN_BRACKETS.fullmatch(name)
        return _model(found[2]) if found else None
    is_model = _CLAUDE_MODEL.fullmatch(name) or _GEMINI_MODEL.fullmatch(name)
    return _model(name) if is_model else None


def _model(name: str) -> str | None:
    tidy = " ".join(name.split())
    return tidy if len(tidy) <= LONGEST_MODEL and _MODEL.fullmatch(tidy) else None


def _by_address(address: str) -> str | None:
    found = _NO_REPLY.fullmatch(address.lower())
    return LOGINS.get(found[1]) if found else ADDRESSES.get(address.lower())


def _by_name(name: str) -> str | None:
    if _CLAUDE_MODEL.fullmatch(name):
        return "claude-code"
    if _GEMINI_MODEL.fullmatch(name):
        return "gemini-cli"
    known = agent_name(name)
    return known if known in NAMED else None
