"""Converts fingerprints from replaced keys to the current key. It holds no key.

A fingerprint alone cannot be converted, because nobody has its line. But an audit has the text
of the change, and only lines and tokens of the change can be attributed: we can hash those with
both keys. All others keep their old hashes, which equal nothing. So we invent no attribution,
and lose none.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ghapp.attribution import notebook
from ghapp.attribution.codebook import COMMON_WORDS, MOVED_BY_FORMATTERS
from ghapp.attribution.fingerprint import RECORD_BYTES, LineFingerprinter
from ghapp.attribution.identity import EditName, name_of
from ghapp.attribution.model import (
    Change,
    Edit,
    EditHunk,
    EditLines,
    Evidence,
    FileDiff,
    FingerprintLines,
    LineFingerprint,
)


def rekeyed(
    evidence: Evidence,
    change: Change,
    keys: Mapping[EditName, str],
    old: Mapping[str, LineFingerprinter],
    present: LineFingerprinter,
) -> Evidence:
    """Return the evidence with all fingerprints converted to the current key.

    ``keys`` maps the name of each edit with another key to that key's name; ``old`` maps the names
    to fingerprinters. An edit whose key is not in ``old`` stays as it is and matches nothing.
    """
    translations = {name: _Translation(change, key, present) for name, key in old.items()}

    def converted(edit: Edit) -> Edit:
        translation = translations.get(keys.get(name_of(edit), ""))
        if translation is None or not _is_fingerprinted(edit.lines):
            return edit
        lines = translation.lines(edit.lines)  # type: ignore[arg-type]  # not text
        return msgspec.structs.replace(edit, lines=lines)

    edits = tuple(converted(edit) for edit in evidence.edits)
    return msgspec.structs.replace(evidence, edits=edits)


class _Translation:
    """Converts fingerprints from one key to another, for the lines and tokens of a change."""

    def __init__(self, change: Change, old: LineFingerprinter, present: LineFingerprinter) -> None:
        self._lines: dict[bytes, LineFingerprint] = {}
        self._records: dict[bytes, bytes] = {}
        for text in {line for file in change.files for line in _texts(file)}:
            before, after = old.line(text), present.line(text)
            self._lines[before.line] = after
            self._records.update(zip(_cut(before.tokens), _cut(after.tokens), strict=True))
        # The code book treats these tokens specially, whether or not the change has them.
        for token in (*COMMON_WORDS, *MOVED_BY_FORMATTERS):
            self._records[old.token(token)] = present.token(token)

    def lines(self, lines: FingerprintLines) -> FingerprintLines:
        """Return an edit's lines with hashes of the other key."""
        return FingerprintLines(
            hunks=tuple(
                EditHunk(self._all(hunk.before), self._all(hunk.own), self._all(hunk.after))
                for hunk in lines.hunks
            ),
            removed=self._all(lines.removed),
        )

    def _all(self, lines: Iterable[LineFingerprint]) -> tuple[LineFingerprint, ...]:
        return tuple(self._lines.get(one.line) or self._by_token(one) for one in lines)

    def _by_token(self, line: LineFingerprint) -> LineFingerprint:
        records = self._records
        tokens = b"".join(records.get(one, one) for one in _cut(line.tokens))
        return LineFingerprint(line=line.line, tokens=tokens)


def _texts(file: FileDiff) -> Iterator[str]:
    """Yield every line of a file's diff, in the form that matching reads."""
    is_notebook = file.path.endswith(notebook.SUFFIX)
    for hunk in file.hunks:
        for _, text in hunk.lines:
            yield notebook.source(text) if is_notebook else text


def _cut(tokens: bytes) -> Iterator[bytes]:
    return (tokens[at : at + RECORD_BYTES] for at in range(0, len(tokens), RECORD_BYTES))


def _is_fingerprinted(lines: EditLines[str] | EditLines[LineFingerprint]) -> bool:
    groups = ((*hunk.own, *hunk.before, *hunk.after) for hunk in lines.hunks)
    first = next((line for group in (*groups, lines.removed) for line in group), None)
    return isinstance(first, LineFingerprint)
