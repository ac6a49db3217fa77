"""How an audit compares lines: as text, or as fingerprints of the key in use."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ghapp.attribution.codebook import Codebook, FingerprintCodebook
from ghapp.attribution.model import Change, Edit, Evidence, LineFingerprint
from ghapp.attribution.rekey import rekeyed
from ghapp.keys.evidence import EvidenceKeys
from ghapp.store import Store, key_id


@dataclass(frozen=True)
class LineComparison:
    """Brings evidence and change into one form, even if several keys made the evidence."""

    store: Store
    keys: EvidenceKeys
    clock: Callable[[], datetime]

    def book(self, installation_id: int, evidence: Evidence) -> Codebook:
        """Return how to compare lines: by fingerprints if any edit has them, else as text."""
        if not any(map(_is_fingerprinted, evidence.edits)):
            return Codebook()
        key = self.keys.present(installation_id, now=self.clock())
        return FingerprintCodebook(key.fingerprinter)

    def comparable(
        self, installation_id: int, repository_id: int, evidence: Evidence, change: Change
    ) -> Evidence:
        """Return evidence that `book` can compare: all its fingerprints are of the key in use."""
        if not any(map(_is_fingerprinted, evidence.edits)):
            return evidence
        present = self.keys.present(installation_id, now=self.clock())
        since = min(edit.at for edit in evidence.edits)
        until = max(edit.at for edit in evidence.edits)
        others = self.store.evidence.other_keys(repository_id, since, until, present.id)
        if not others:
            return evidence
        first = key_id(installation_id, 1)
        named = {edit: found or first for edit, found in others.items()}
        used = {name: self.keys.named(name) for name in set(named.values()) - {present.id}}
        old = {name: key.fingerprinter for name, key in used.items() if key is not None}
        return rekeyed(evidence, change, named, old, present.fingerprinter)


def _is_fingerprinted(edit: Edit) -> bool:
    lines = (line for hunk in edit.lines.hunks for line in (*hunk.own, *hunk.before, *hunk.after))
    return isinstance(next(lines, None), LineFingerprint)
