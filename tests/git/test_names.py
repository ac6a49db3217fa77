"""Names from outside go into a request's path parsed and quoted, at every place that makes one."""

import ast
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from ghapp.git.names import RepositoryName, in_path, leads_up, quoted, segment
from tests.cases import TOP

PATH = re.compile(
    r"^/?(?:repos|repositories|app|apps|app-manifests|organizations|orgs|users?|installation|search|"
    r"pulls|issues|commits|compare|contents|collaborators|check-runs|labels|git|sessions)/|\.git$"
)
"""What the text of an API's path begins with, or an address that git fetches from ends with."""
QUOTING = {"segment", "quoted", "in_path"}
NUMBERS = {
    *("number", "pull.number", "run.id", "run_id", "kept.id", "comment.id", "lost.id"),
    *("installation_id", "repository_id", "page.id", "run.number"),
}
"""Whole numbers, by the types that mypy checks."""
ELSEWHERE = {
    "git_address(github.base_url)",
    "path",
    "listed",
    "owner",
    "api_url.rstrip('/')",
    "self.public_url",
    "public_url",
}
"""The beginning of an address, or a part whose own making is checked."""


def pieces() -> Iterator[tuple[str, int, str]]:
    """Yield each expression that goes into a path: file, line, text."""
    for file in sorted((TOP / "ghapp").rglob("*.py")):
        name = file.relative_to(TOP).as_posix()
        if name.startswith(("ghapp/demo/", "ghapp/collector/", "ghapp/web/api/")):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr) and _is_path(node):
                for part in node.values:
                    if isinstance(part, ast.FormattedValue):
                        yield name, node.lineno, ast.unparse(part.value)


def _is_path(node: ast.JoinedStr) -> bool:
    texts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
    text = "".join(map(str, texts)).removeprefix("{}")
    return PATH.search(text) is not None and " " not in text


def test_every_text_in_a_path_is_quoted() -> None:
    found = list(pieces())
    wrong = [
        f"{name}:{line}: {text} goes into a path as it is"
        for name, line, text in found
        if text.partition("(")[0] not in QUOTING and text not in NUMBERS | ELSEWHERE
    ]
    assert wrong == []
    assert len(found) > 25


@pytest.mark.parametrize(
    "text",
    [
        *("acme", "acme/", "/shop", "acme/shop/x", "acme/..", "../shop", "acme/.", "-a/shop"),
        *("acme/sh op", "acme/shop?x", "acme/shop#x", "acme/sh%2Fop", "acme/shop\n", "ac.me/shop"),
        *("x/../../installation/repositories", "a" * 40 + "/shop", "acme/" + "a" * 101, "acmé/x"),
    ],
)
def test_what_cannot_be_a_name_is_none(text: str) -> None:
    assert RepositoryName.parse(text) is None


@pytest.mark.parametrize("text", ["acme/shop.js", "a/_", "ann_acme/x", "A-b/.github", "a/..."])
def test_what_can_be_one_is_parted(text: str) -> None:
    assert RepositoryName.parse(text) == tuple(text.split("/"))


@given(st.text(min_size=1), st.text(min_size=1), st.text())
def test_whatever_a_name_holds_the_path_stays_the_one_that_was_meant(
    owner: str, name: str, path: str
) -> None:
    for made, slashes in (
        (f"/repos/{in_path(f'{owner}/{name}')}/contents", 4),
        (f"/orgs/{segment(owner)}/teams", 3),
        (f"/repos/a/b/contents/{quoted(path)}", 5 + path.count("/")),
    ):
        sent = requests.Request("GET", f"https://api.github.com{made}").prepare().url
        assert sent is not None
        parts = urlsplit(sent)
        assert not parts.query
        assert not leads_up(parts.path)
        assert parts.path.startswith(made.split("/")[1].join("//"))
        assert parts.path.count("/") == slashes or "//" in made or made.endswith("/")


@pytest.mark.parametrize("path", ["/a/../b", "/a/%2e%2E/b", "/a/..", "/a/./b", ".."])
def test_dots_lead_up_however_they_are_written(path: str) -> None:
    assert leads_up(path)
    assert unquote(path) == path or leads_up(unquote(path))
