"""Owners of directories, by the examples of GitHub's own page on CODEOWNERS."""

import pytest

from ghapp.upkeep.codeowners import CodeOwners


@pytest.mark.parametrize(
    ("rules", "directory", "team"),
    [
        ("* @acme/core", ".", "core"),
        ("* @acme/core", "src/deep", "core"),
        ("* @acme/core\n/web/ @acme/web", "web/css", "web"),
        ("/web/ @acme/web\n* @acme/core", "web/css", "core"),
        ("/build/logs/ @acme/ops", "build/logs/old", "ops"),
        ("/build/logs/ @acme/ops", "src/build/logs", None),
        ("docs/* @acme/docs", "docs", "docs"),
        ("docs/* @acme/docs", "docs/build-app", None),
        ("docs/** @acme/docs", "docs/build-app", "docs"),
        ("apps/ @acme/apps", "deep/apps/one", "apps"),
        ("**/logs @acme/ops", "deeply/nested/logs", "ops"),
        ("/apps/ @acme/apps\n/apps/github", "apps/github", None),
        ("/apps/ @acme/apps\n/apps/github @ann", "apps/github/x", None),
        ("/apps/ @acme/apps\n/apps/github @ann", "apps", "apps"),
        ("*.md @acme/docs", "docs", None),
        ("* @acme/core\n*.md @acme/docs", "docs", "core"),
        ("/web ann@acme.test @ann @acme/web @acme/all # why", "web", "web"),
        ("/my\\ code/ @acme/odd", "my code/x", "odd"),
        ("# * @acme/core\n\n!src @acme/a\n[ab] @acme/b", "src", None),
        ("", ".", None),
    ],
)
def test_the_last_rule_that_matches_names_the_team(
    rules: str, directory: str, team: str | None
) -> None:
    assert CodeOwners(rules).team_of(directory) == team


def test_a_line_longer_than_git_reads_in_other_files_does_not_count() -> None:
    long = f"/{'a/' * 1_100} @acme/odd"
    assert CodeOwners(f"* @acme/core\n{long}").team_of("a/" * 1_100 + "b") == "core"
    assert CodeOwners(f"/{'a/' * 900} @acme/deep").team_of("a/" * 900 + "b") == "deep"
