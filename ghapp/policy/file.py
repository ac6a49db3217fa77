"""Read a repository's policy, ``.github/attribution.yml``, strictly: an error names its line.

The file is plain YAML: no anchors, no tags, no second document, bounded in size and depth. Members
that it leaves out are as in ``claude-code-v1``. `ghapp.policy.in_force` decides which file counts.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, NoReturn

import msgspec
import yaml
from msgspec import Meta

from ghapp.attribution.model import Struct
from ghapp.attribution.policy import (
    CLAUDE_CODE_V1,
    FILE,
    ID,
    LARGEST_REWRITE,
    LONGEST_WINDOW,
    POLICIES,
    AgentCommits,
    Policy,
)
from ghapp.reports.markdown import CommentForm

MOST_BYTES = 64 * 1024
DEEPEST = 4
"""Levels of nesting; the file needs two."""
MOST_PATTERNS = 1_000
LONGEST_PATTERN = 500

OWN_ID = f"{CLAUDE_CODE_V1.id}+own"
"""The id of a policy whose file gives none; its digest tells it from others."""

Days = Annotated[int, Meta(ge=0, le=LONGEST_WINDOW)]
Pattern = Annotated[str, Meta(max_length=LONGEST_PATTERN)]


AgentName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,38}$")]
# AI-assisted: GitHub accepts 50 characters; the ledger separates labels by commas.
LabelName = Annotated[
    str, Meta(pattern=r"^[^\S\x00-\x1f]*[^,\s\x00-\x1f][^,\x00-\x1f]*$", max_length=50)
]


class CommentWhen(StrEnum):
    """Which merged pull requests get a comment."""

    ALWAYS = "always"
    """Those about which something is known."""
    ASSISTED = "assisted"
    """Those with attributed lines."""
    UNKNOWN_TOO = "unknown_too"
    """Those without evidence as well."""


SWITCHED = {True: CommentForm.SHORT, False: CommentForm.OFF}
"""YAML 1.1, which PyYAML reads, takes an unquoted ``off`` for false.
https://yaml.org/type/bool.html"""


class RepositoryPolicy(Struct, frozen=True, kw_only=True):
    """What a repository decides about its audits: the rules, and how to show the result."""

    rules: Policy = CLAUDE_CODE_V1
    comment: CommentForm = CommentForm.SHORT
    comment_when: CommentWhen = CommentWhen.ALWAYS
    cost: bool = False
    """Whether the comment names what the agents cost."""
    label: bool = True
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    """Agent → the label that names it here; others have their usual one."""
    share_limit: float | None = None
    """The largest share that passes the check, inclusive; ``None``: every share passes."""


class PolicyFileError(ValueError):
    """The file holds no valid policy; ``line`` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


class AttributionFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How merged pull requests of this repository are audited for agent-written lines."""

    version: Annotated[Literal[1], Meta(description="Version of this format.")] = 1
    id: Annotated[
        str | None,
        Meta(description="Name of these rules in audits; give a new one with every change."),
    ] = None
    window_before_days: Annotated[
        Days, Meta(description="Days before the merge from which edits count.")
    ] = CLAUDE_CODE_V1.window_before_days
    window_after_days: Annotated[
        Days, Meta(description="Days after the merge up to which edits count.")
    ] = CLAUDE_CODE_V1.window_after_days
    rewrite_limit: Annotated[
        float,
        Meta(
            ge=0,
            le=LARGEST_REWRITE,
            description="Largest difference of a line from an agent's that is still attributed.",
        ),
    ] = CLAUDE_CODE_V1.rewrite_limit
    moved_blocks: Annotated[
        bool,
        Meta(description="Whether an agent's block of one file counts in another added file."),
    ] = False
    unrecorded_outcomes: Annotated[
        bool,
        Meta(description="Whether an edit whose outcome no record tells counts where it stands."),
    ] = True
    substitutions: Annotated[
        bool,
        Meta(description="Whether lines count that a command of an agent rewrote (sed -i)."),
    ] = True
    shell_text: Annotated[
        bool,
        Meta(description="Whether lines count that stand in a command of an agent."),
    ] = True
    agent_commits: Annotated[
        AgentCommits | bool,
        Meta(
            description=(
                "Whether lines count that an agent's own account pushed: count (as the agent's), "
                "apart (with a label of their own) or off; true is apart, false is off."
            )
        ),
    ] = AgentCommits.APART
    command_changed: Annotated[
        bool,
        Meta(description="Whether lines count that the collector's hook saw a command write."),
    ] = True
    exclude: Annotated[
        tuple[Pattern, ...],
        Meta(max_length=MOST_PATTERNS, description="Paths to leave out, as in a .gitignore."),
    ] = ()
    comment: Annotated[
        CommentForm | bool,
        Meta(description="How much the comment says; true is short, false is off."),
    ] = CommentForm.SHORT
    comment_when: Annotated[
        CommentWhen,
        Meta(description="Which pull requests get one: always is where something is known."),
    ] = CommentWhen.ALWAYS
    cost: Annotated[
        bool, Meta(description="Whether the comment names what the agents cost, as an estimate.")
    ] = False
    label: Annotated[bool, Meta(description="Whether labels are set.")] = True
    labels: Annotated[
        dict[AgentName, LabelName],
        Meta(description="Labels by agent, in place of the usual claude-code-assisted."),
    ] = msgspec.field(default_factory=dict)
    share_limit: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        Meta(description="Share of attributed lines above which the check fails; none without it."),
    ] = None


def read(text: str) -> RepositoryPolicy:
    """Return the policy in a file's text; an empty text means the default.

    Raises `PolicyFileError`.
    """
    if len(text.encode()) > MOST_BYTES:
        raise PolicyFileError(1, f"more than {MOST_BYTES // 1024} KB; shorten it")
    if "\ufffd" in text:
        raise PolicyFileError(_line(text, text.index("\ufffd")), "not UTF-8; save it as UTF-8")
    node, value = _parsed(text)
    try:
        file = msgspec.convert({} if value is None else value, AttributionFile)
    except msgspec.ValidationError as error:
        raise _misfit(node, str(error)) from error
    return RepositoryPolicy(
        rules=_rules(file, node),
        comment=file.comment if isinstance(file.comment, CommentForm) else SWITCHED[file.comment],
        comment_when=file.comment_when,
        cost=file.cost,
        label=file.label,
        labels=dict(file.labels),
        share_limit=file.share_limit,
    )


def schema() -> dict[str, Any]:
    """Return the file's JSON Schema, which editors use to complete and check the file."""
    (found,), components = msgspec.json.schema_components([AttributionFile])
    described = components.pop(found["$ref"].rpartition("/")[2])
    dialect = "https://json-schema.org/draft/2020-12/schema"
    whole: dict[str, Any] = {"$schema": dialect, **described, "title": FILE, "$defs": components}
    # As JSON has it: lists instead of tuples.
    return msgspec.json.decode(msgspec.json.encode(whole), type=dict[str, Any])


def _rules(file: AttributionFile, node: yaml.Node | None) -> Policy:
    given = {name: getattr(file, name) for name in Policy.__struct_fields__ if name != "id"}
    if isinstance(file.agent_commits, bool):
        given["agent_commits"] = AgentCommits.APART if file.agent_commits else AgentCommits.OFF
    if file.id is None:
        same = [one for one in POLICIES.values() if one == Policy(id=one.id, **given)]
        return same[0] if same else Policy(id=OWN_ID, **given)
    rules = Policy(id=file.id, **given)
    line = _line_of(node, ".id")
    if not ID.fullmatch(file.id):
        raise PolicyFileError(line, "id: use up to 64 lower-case letters, digits and + . _ -")
    if file.id in POLICIES and rules != POLICIES[file.id]:
        raise PolicyFileError(line, f"id: {file.id} is a built-in policy's; choose another one")
    return rules


# --- YAML, strictly -----------------------------------------------------------------------------


def _parsed(text: str) -> tuple[yaml.Node | None, Any]:
    """Return the text's tree, which knows line numbers, and its value."""
    try:
        _check_events(text)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None, None
        _check_keys(node)
        return node, loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(mark, error.problem or error.context or "no YAML")
    except yaml.reader.ReaderError as error:
        line = _line(text, error.position)
        raise PolicyFileError(line, "a character that YAML does not allow") from error
    except PolicyFileError:
        raise
    except ValueError as error:  # numbers and dates of impossible size
        raise PolicyFileError(1, f"a value that cannot be read: {error}") from error


def _check_events(text: str) -> None:
    """Refuse what can turn a small text into a large tree, before the tree is built."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            _refuse(event.start_mark, "anchors and aliases are not read; write it out")
        if getattr(event, "tag", None) is not None:
            _refuse(event.start_mark, "tags are not read; leave it out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            _refuse(event.start_mark, f"nested deeper than {DEEPEST} levels")


def _check_keys(node: yaml.Node) -> None:
    """Refuse keys that are not text, and repeated keys."""
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            _check_keys(one)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if key.tag != "tag:yaml.org,2002:str":
            _refuse(key.start_mark, "a name that is not text")
        if key.value in seen:
            _refuse(key.start_mark, f"{key.value[:60]!r} appears for the second time")
        seen.add(key.value)
        _check_keys(value)


def _refuse(mark: Any, reason: str) -> NoReturn:
    raise PolicyFileError(mark.line + 1 if mark is not None else 1, reason)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _misfit(node: yaml.Node | None, told: str) -> PolicyFileError:
    """Return msgspec's complaint as our error, with the line that it concerns."""
    # A wrong name in a table is "at `key` in `$.labels`".
    reason, _, path = told.replace(" - at `key` in `$", " - at `$").partition(" - at `$")
    place = path.rstrip("`")
    _, _, unknown = reason.partition("unknown field `")
    if unknown:
        place = "." + unknown.rstrip("`")
        known = ", ".join(AttributionFile.__struct_fields__)
        reason = f"unknown member; known are {known}"
    member = place.removeprefix(".") or "the file"
    return PolicyFileError(_line_of(node, place), f"{member}: {reason}")


def _line_of(node: yaml.Node | None, place: str) -> int:
    """Return the line of a member, by a path such as ``.exclude[2]``."""
    name, _, index = place.removeprefix(".").partition("[")
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == name:
            return int(_item(value, index.rstrip("]")).start_mark.line) + 1
    return 1 if node is None else int(node.start_mark.line) + 1


def _item(node: yaml.Node, index: str) -> yaml.Node:
    items: list[yaml.Node] = node.value if isinstance(node, yaml.SequenceNode) else []
    return items[int(index)] if index.isdigit() and int(index) < len(items) else node
