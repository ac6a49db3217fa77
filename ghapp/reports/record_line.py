"""The line on a check run that names its record: written, and read back. It asks GitHub nothing.

GitHub then holds what the database says, so whoever has only the database cannot take a record
back: `ghapp verify --github` compares (docs/records.md).
"""

import re
from typing import NamedTuple

import msgspec

from ghapp.reports.markdown import CheckOutput

# Record 17 of this repository, chain `sha256:5bd1...`
_LINE = re.compile(r"Record ([0-9]{1,18}) of this repository, chain `(sha256:[0-9a-f]{64})`")


class NamedRecord(NamedTuple):
    """A record by its place in a repository's chain, and the chain's digest there."""

    position: int
    chain: str


def with_record(check: CheckOutput, record: NamedRecord) -> CheckOutput:
    """Return a check run whose text begins with the line: GitHub cuts long texts at their end."""
    line = f"Record {record.position} of this repository, chain `{record.chain}`"
    return msgspec.structs.replace(check, text=f"{line}\n\n{check.text}")


def record_in(text: str) -> NamedRecord | None:
    """Read the line in a check run's text; ``None``: it names no record."""
    found = _LINE.match(text)
    return None if found is None else NamedRecord(int(found[1]), found[2])
