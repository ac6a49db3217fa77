"""The version of an agent as the first records of a file name it. It reads no edit.

Readers take the version with each edit. This is for files in which they find none: a new version
that writes another form is noticed by its number.
"""

import re

# "version":"2.1.101", "cli_version": "0.147.0", "copilotVersion":"1.0.12"
_VERSION = re.compile(
    rb'"(?:cli_version|copilotVersion|cliVersion|agentVersion|version)"\s*:\s*'
    rb'"(\d+\.\d+[0-9A-Za-z.+-]{0,40})"'
)


def version_in(head: bytes) -> str | None:
    """Return the first version in the head of a file; ``None``: it names none.

    >>> version_in(b'{"type": "session_meta", "payload": {"cli_version": "0.147.0"}}')
    '0.147.0'
    """
    found = _VERSION.search(head)
    return found[1].decode() if found else None
