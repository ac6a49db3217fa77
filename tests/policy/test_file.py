"""A repository's policy file: what it says, what is refused and in which line, and its schema."""

import json
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.policy import CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED, AgentCommits, Policy
from ghapp.policy.file import (
    DEEPEST,
    MOST_BYTES,
    OWN_ID,
    AttributionFile,
    CommentWhen,
    PolicyFileError,
    RepositoryPolicy,
    read,
    schema,
)
from ghapp.reports.markdown import CommentForm
from tests.cases import TOP
from tests.searching import searched

DOCS = TOP / "docs"
WHOLE = {
    "version": 1,
    "id": "acme-v1",
    "window_before_days": 30,
    "window_after_days": 0,
    "rewrite_limit": 0.1,
    "moved_blocks": True,
    "exclude": ["vendor/", "*.pb.go"],
    "comment": "full",
    "comment_when": "unknown_too",
    "cost": True,
    "label": False,
    "labels": {"claude-code": "AI-assisted"},
    "share_limit": 0.5,
}


def test_everything_a_file_can_say() -> None:
    assert read(yaml.safe_dump(WHOLE)) == RepositoryPolicy(
        rules=Policy(
            id="acme-v1",
            window_before_days=30,
            window_after_days=0,
            rewrite_limit=0.1,
            moved_blocks=True,
            exclude=("vendor/", "*.pb.go"),
        ),
        comment=CommentForm.FULL,
        comment_when=CommentWhen.UNKNOWN_TOO,
        cost=True,
        label=False,
        labels={"claude-code": "AI-assisted"},
        share_limit=0.5,
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("count", AgentCommits.COUNT),
        ("apart", AgentCommits.APART),
        ("off", AgentCommits.OFF),  # YAML 1.1 reads it as false
        ('"off"', AgentCommits.OFF),
        ("true", AgentCommits.APART),
    ],
)
def test_what_becomes_of_agents_own_commits(said: str, meant: AgentCommits) -> None:
    assert read(f"agent_commits: {said}\n").rules.agent_commits is meant
    assert meant is not AgentCommits.APART or read(f"agent_commits: {said}\n").rules == (
        CLAUDE_CODE_V1
    )


@pytest.mark.parametrize(
    "labels",
    ['{claude-code: ""}', '{claude-code: " "}', "{claude-code: 'a, b'}", "{Claude: x}", "[x]",
     "{claude-code: " + "x" * 51 + "}"],
)  # fmt: skip
def test_a_label_that_github_cannot_have_is_refused_with_its_line(labels: str) -> None:
    with pytest.raises(PolicyFileError, match="line 2: labels"):
        read(f"version: 1\nlabels: {labels}\n")


@pytest.mark.parametrize("text", ["", "# nothing\n", "version: 1\n", "{}"])
def test_what_is_left_out_is_as_built_in(text: str) -> None:
    assert read(text) == RepositoryPolicy(rules=CLAUDE_CODE_V1)


def test_rules_that_are_built_in_keep_their_name_and_others_get_one() -> None:
    assert read("moved_blocks: true").rules is CLAUDE_CODE_V1_MOVED
    assert read("comment: false").rules is CLAUDE_CODE_V1
    assert read("window_before_days: 7").rules == Policy(id=OWN_ID, window_before_days=7)


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ("short", CommentForm.SHORT),
        ("full", CommentForm.FULL),
        ("off", CommentForm.OFF),  # YAML 1.1 reads it as false
        ('"off"', CommentForm.OFF),
        ("false", CommentForm.OFF),
        ("true", CommentForm.SHORT),
    ],
)
def test_how_much_a_comment_says(said: str, form: CommentForm) -> None:
    assert read(f"comment: {said}").comment is form


@pytest.mark.parametrize("when", CommentWhen)
def test_when_a_comment_is_wanted(when: CommentWhen) -> None:
    assert read(f"comment_when: {when}").comment_when is when


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("version: 1\n\nwindow: 3\n", 3, "window: unknown member; known are version, id"),
        ("exclude:\n  - a\n  - 3\n", 3, "exclude[1]"),
        ("exclude: [a,\n  1]", 2, "exclude[1]"),
        ("version: 1\ncomment: 1", 2, "comment"),
        ("version: 1\ncomment: long", 2, "comment"),
        ("comment_when: never", 1, "comment_when"),
        ("comment_when: off", 1, "comment_when"),
        ("version: 2", 1, "version"),
        ("\nwindow_before_days: 400", 2, "<= 366"),
        ("rewrite_limit: 0.6", 1, "<= 0.5"),
        ("rewrite_limit: .nan", 1, "rewrite_limit"),
        ("share_limit: .inf", 1, "share_limit"),
        ("exclude:\n- '" + "a" * 501 + "'", 2, "length <= 500"),
        ("- a", 1, "the file"),
        ("a: b: c", 1, "mapping values"),
        ("version: 1\nversion: 1", 2, "second time"),
        ("version: 1\nid: Acme 1", 2, "lower-case"),
        ("moved_blocks: true\nid: claude-code-v1", 2, "built-in"),
        ("id: &x acme\nexclude: [*x]", 1, "anchors"),
        ("exclude: !!python/object/apply:os.system [ls]", 1, "tags"),
        ("version: 1\n---\nversion: 1", 2, "another document"),
        ("? [a]\n: b", 1, "not text"),
        ("2: 3", 1, "not text"),
        ("<<: {comment: false}", 1, "not text"),
        ("version: 1\nid: a\x01", 2, "does not allow"),
        ("version: 1\nid: \ufffd", 2, "UTF-8"),
        ("window_before_days: " + "9" * 5000, 1, "cannot be read"),
        ("window_before_days: 2001-99-99", 1, "cannot be read"),
        ("[" * (DEEPEST + 1), 1, "deeper"),
        ("#" * (MOST_BYTES + 1), 1, "64 KB"),
    ],
)
def test_refused_with_its_line(text: str, line: int, told: str) -> None:
    with pytest.raises(PolicyFileError) as refused:
        read(text)
    assert refused.value.line == line
    assert told in refused.value.reason


def test_a_small_text_cannot_become_a_large_tree() -> None:
    laughs = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))
    for text in (f"a0: &a0 [lol]\n{laughs}", "[" * 60_000, "{a: " * 15_000):
        with pytest.raises(PolicyFileError):
            read(text)


YAML_SIGNS = "{}[]&*!|>'\"%@`-?:, \n\tabcversionexclude019.#\\"


def _refusal(text: str) -> PolicyFileError | None:
    try:
        read(text)
    except PolicyFileError as refused:
        return refused
    return None


@searched(25)
@given(st.text(alphabet=YAML_SIGNS, max_size=80) | st.text())
def test_any_text_is_read_or_refused_in_one_of_its_lines(text: str) -> None:
    refused = _refusal(text)
    assert refused is None or 1 <= refused.line <= len(text.splitlines()) + 1


# --- the schema -----------------------------------------------------------------------------------


def test_the_published_schema_is_what_the_program_reads_by() -> None:
    published = json.loads((DOCS / "attribution.schema.json").read_text())
    assert published == schema(), "renew it: ghapp policy schema > docs/attribution.schema.json"
    assert set(published["properties"]) == set(AttributionFile.__struct_fields__)


VALIDATOR = jsonschema_rs.validator_for(schema())

# To JSON 1.0 is a whole number, to YAML it is none: such a one is left out.
FLOATS = st.floats().filter(lambda value: not value.is_integer())
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 500), FLOATS, st.text(max_size=5),
    st.lists(st.text(max_size=5) | st.integers(), max_size=3),
)  # fmt: skip


@searched(50)
@given(st.dictionaries(st.sampled_from([*WHOLE, "other"]), VALUES, max_size=4))
def test_the_schema_and_the_program_refuse_the_same(file: dict[str, Any]) -> None:
    try:
        by_schema = VALIDATOR.is_valid(file)
    except ValueError:  # JSON knows no infinity and no "not a number"
        by_schema = False
    refused = _refusal(yaml.safe_dump(file, allow_unicode=True))
    # What a name may be is said in words only.
    assert (refused is None) == by_schema or (refused and refused.reason.startswith("id: "))


def test_the_example_of_the_documentation_can_be_read() -> None:
    text = (DOCS / "policy-file.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    policy = read(text)
    assert (policy.rules.id, policy.share_limit) == ("acme-2026-05", 0.5)
