"""Build directories, by the four names that are documented. It looks into no build file.

Exactly these four, at any depth. Near relatives stay out on purpose: ``out``, ``bin``,
``obj`` and ``vendor`` hold sources in as many repositories as they hold output, and a folder
such as ``.next`` is hardly ever committed; a policy's ``exclude`` names them where need be.
"""

from ghapp.attribution.exclusions.gitattributes import linguist_generated
from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

RULE_ID = "build_directory"
SENTENCE = "build directories (dist/, build/, node_modules/, target/)"

BUILD_DIRECTORIES = frozenset({"dist", "build", "node_modules", "target"})


def excludes(file: FileDiff, change: Change, _policy: Policy, /) -> bool:
    """Exclude what lies below such a folder; a file called ``build`` is a file.

    A repository that keeps sources there says so: ``build/** -linguist-generated``.
    """
    folders = file.path.lower().split("/")[:-1]
    return (
        not BUILD_DIRECTORIES.isdisjoint(folders)
        and linguist_generated(file.path, change.gitattributes) is not False
    )
