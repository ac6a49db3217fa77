"""Git LFS pointers: short texts that stand for a file kept elsewhere. It fetches nothing.

https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

import re

from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

RULE_ID = "lfs_pointer"
SENTENCE = "Git LFS pointers"

MOST_LINES = 16
"""Lines of the longest pointer: a version, some extensions, an object id and a size."""

# version https://git-lfs.github.com/spec/v1
_VERSION = re.compile(r"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/")
# oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393, size 12345
_KEY = re.compile(r"(?:oid [a-z0-9]+:[0-9a-f]+|size \d+|ext-\d-\S+ [a-z0-9]+:[0-9a-f]+)\r?$")


def excludes(file: FileDiff, _change: Change, _policy: Policy, /) -> bool:
    """Exclude a file whose merged version is a pointer: its version line, then only its keys."""
    lines = [line.text for hunk in file.hunks[:1] for line in hunk.lines if line.origin != "-"]
    if len(file.hunks) != 1 or file.hunks[0].new_start != 1 or not 2 < len(lines) <= MOST_LINES:
        return False
    return bool(_VERSION.match(lines[0])) and all(map(_KEY.match, lines[1:]))
