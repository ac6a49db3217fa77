"""What a bundle lacks of an older one: whoever kept the older one is the witness.

A head that was signed once can be put back together with the shorter chain that it fits, so a
bundle alone does not show that the newest records were cut off.
"""

from pathlib import Path

from ghapp.attribution.model import Struct
from ghapp.records.check import BundleCheck, check
from ghapp.records.statement import AuditRecord


class ChainRecord(Struct, frozen=True):
    """One record of a bundle: enough to compare it, and its name."""

    chain: str
    name: str


Chains = dict[int, dict[int, ChainRecord]]
"""Repository id → position → the record there."""


class CheckedBundle(Struct, frozen=True):
    """A bundle's check, and the chains that it holds."""

    done: BundleCheck
    chains: Chains


def checked(path: Path, trusted: frozenset[str]) -> CheckedBundle:
    """Check a bundle and return its chains. Raises `OSError`."""
    chains: Chains = {}

    def each(record: AuditRecord) -> None:
        link = record.link
        of = chains.setdefault(link.repository_id, {})
        of[link.position] = ChainRecord(chain=record.chain, name=record.name)

    return CheckedBundle(done=check(path, trusted, each=each), chains=chains)


def lacking(new: CheckedBundle, old: CheckedBundle) -> list[str]:
    """Return a sentence for each record of the older bundle that the new one lacks or changed.

    A repository that the new bundle does not name at all is one sentence.
    """
    named = {one.id for one in new.done.header.repositories} if new.done.header else set()
    found: list[str] = []
    for number, records in sorted(old.chains.items()):
        now = new.chains.get(number, {})
        if not now and number not in named:
            found.append(f"repository {number} is not in the newer bundle: export it, too")
            continue
        for position, record in sorted(records.items()):
            kept = now.get(position)
            if kept is None:
                found.append(f"{record.name} is missing")
            elif kept.chain != record.chain:
                found.append(f"{record.name} is another one now")
    return found + [
        f"key {key} signed in the older bundle, and nothing in the newer one"
        for key in sorted(set(old.done.signed_by) - set(new.done.signed_by))
        if old.chains.keys() & named
    ]
