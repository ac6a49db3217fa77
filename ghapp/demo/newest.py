"""Merges the newest pull requests of the demo's year in the sandbox. The app audits them itself.

So whoever follows a link from such a pull request to GitHub finds it there, with its files, and
may see their text beside the reasons. Of all others in the year, there are only audits.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from ghapp.attribution.model import Change
from ghapp.demo.cast import USER_IDS
from ghapp.demo.sandbox import HubPull, HubRepository, Sandbox
from ghapp.demo.year import MergedInYear

NEWEST: Final = 20
"""Pull requests of all repositories together."""
OPEN_FOR = timedelta(hours=5)


def newest(year: Mapping[str, Sequence[MergedInYear]]) -> dict[str, list[MergedInYear]]:
    """Return the pull requests of a year that were merged last, by repository, in order."""
    merged = sorted((pull.merged_at, name) for name, pulls in year.items() for pull in pulls)
    names = [name for _, name in merged[-NEWEST:]]
    return {name: list(year[name][-names.count(name) :]) for name in dict.fromkeys(names)}


def number_people(sandbox: Sandbox) -> None:
    """Give the year's people the ids on GitHub that its evidence names."""
    for login, number in USER_IDS.items():
        sandbox.user(login).id = number


def merge_as_made(
    sandbox: Sandbox, repository: HubRepository, pulls: Sequence[MergedInYear]
) -> list[HubPull]:
    """Merge them with their own numbers and times; tell nobody yet."""
    return [_merged(sandbox, repository, pull) for pull in pulls]


def _merged(sandbox: Sandbox, repository: HubRepository, made: MergedInYear) -> HubPull:
    files, opened_at = _files(made.change), made.merged_at - OPEN_FOR
    tip = repository.git.branches()[repository.default_branch]
    there = [path for path in files if repository.git.entry(tip, path)]
    if there:  # a pull request of the year adds each of its files
        gone = dict.fromkeys(there)
        sandbox.commit(repository, gone, message="Start anew", author=made.author, at=opened_at)
    repository.next_number = made.number
    pull = sandbox.open_pull(
        repository,
        files=files,
        branch=f"{made.author}/{made.number}",
        title=made.title,
        author=made.author,
        at=opened_at,
    )
    sandbox.merge(pull, method="squash", at=made.merged_at)
    return pull


def _files(change: Change) -> dict[str, str]:
    """Return the text of the files that a change adds."""
    return {
        file.path: "".join(f"{line.text}\n" for hunk in file.hunks for line in hunk.lines)
        for file in change.files
    }
