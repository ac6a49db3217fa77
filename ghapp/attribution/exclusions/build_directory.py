"""Build directories, by the four documented names. It reads no build file.

Only these four names count, at any depth. We leave out similar names on purpose: ``out``,
``bin``, ``obj`` and ``vendor`` contain sources as often as output, and a folder such as
``.next`` is hardly ever committed. A policy's ``exclude`` can add them.
"""

from ghapp.attribution.exclusions.gitattributes import linguist_generated
from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

RULE_ID = "build_directory"
SENTENCE = "build directories (dist/, build/, node_modules/, target/)"

BUILD_DIRECTORIES = frozenset({"dist", "build", "node_modules", "target"})


def excludes(file: FileDiff, change: Change, _policy: Policy, /) -> bool:
    """Exclude everything below such a folder, but not a file called ``build``.

    A repository with sources there can write ``build/** -linguist-generated``.
    """
    folders = file.path.lower().split("/")[:-1]
    return (
        not BUILD_DIRECTORIES.isdisjoint(folders)
        and linguist_generated(file.path, change.gitattributes) is not False
    )
