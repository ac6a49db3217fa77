"""Two developers, worktrees, one of them offline half of the time: every edit arrives once.

The audit of what arrived equals the audit of the same transcripts on the spot, by tokens.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import FingerprintCodebook
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import Audit, AuditSubject, Change, Edit, Evidence, Verdict
from ghapp.attribution.policy import POLICIES
from ghapp.attribution.unified_diff import parse_diff
from ghapp.collector import account
from ghapp.collector.backfill import backfill
from ghapp.collector.flush import flush
from ghapp.git.repository import GitRepository
from ghapp.ingest.artifacts import find_evidence
from tests.clones import Clone
from tests.collector import workday
from tests.collector.machine import NOW, Agent, Machine
from tests.collector.stand_in import KEY, App

NOWHERE = "http://127.0.0.1:9"


class Day:
    """Two machines with a checkout and a worktree each."""

    def __init__(self, folder: Path, app: App) -> None:
        self.app = app
        self.roots: list[Path] = []
        self.a, self.b = (self._machine(folder, name) for name in "ab")
        self.working = {
            "a": workday.on_machine_a(self.a, *self.roots[:2]),
            "b": workday.on_machine_b(self.b, *self.roots[2:]),
        }

    def _machine(self, folder: Path, name: str) -> Machine:
        machine = Machine(folder / name, name)
        machine.enroll(self.app)
        clone = Clone(machine.home / "shop")
        clone.git("remote", "add", "origin", "git@github.com:acme/shop.git")
        clone.commit(workday.BASE)
        worktree = {"a": clone.path / ".claude" / "worktrees" / "topic", "b": machine.home / "wt"}
        clone.git("worktree", "add", "-q", "-b", "topic", str(worktree[name]))
        self.roots += [clone.path, worktree[name]]
        return machine

    def turns(self) -> Iterator[tuple[Machine, Agent]]:
        """Let both work, turn by turn; the hooks queue their events."""
        for turn_a, turn_b in zip(self.working["a"], self.working["b"], strict=True):
            for machine, agent in ((self.a, turn_a), (self.b, turn_b)):
                for event, at in agent.events:
                    machine.take(event, at)
                agent.events.clear()
                yield machine, agent

    def change(self, folder: Path) -> Change:
        """Return what is merged in the end."""
        repository = Clone(folder / "merged")
        base = repository.commit(workday.BASE)
        head = repository.commit(workday.merged(self.roots))
        return Change(files=tuple(parse_diff(GitRepository(repository.path).diff(base, head))))

    def audit(self, change: Change, edits: tuple[Edit, ...], *roots: Path) -> Audit:
        """Audit by tokens."""
        evidence = Evidence(edits=edits, roots=tuple(map(str, roots)))
        book = FingerprintCodebook(LineFingerprinter(KEY))
        subject = AuditSubject(merged_at=NOW)
        policy = POLICIES["claude-code-v1"]
        return attribute(subject, change, evidence, policy, at=NOW, book=book)

    def offline_audit(self, change: Change) -> Audit:
        """Audit the transcripts of both machines where they lie."""
        found = find_evidence([self.a.transcripts, self.b.transcripts])
        lines_of = LineFingerprinter(KEY).lines
        edits = tuple(
            msgspec.structs.replace(one, lines=lines_of(one.lines))  # type: ignore[arg-type]
            for one in found
            if isinstance(one, Edit)
        )
        return self.audit(change, edits, *self.roots)

    def arrived(self) -> tuple[Edit, ...]:
        """Return the edits as the app got them."""
        return tuple(
            Edit(**{name: getattr(sent, name) for name in sent.__struct_fields__})
            for sent in self.app.edits.values()
        )


@pytest.fixture
def day(tmp_path: Path, app: App) -> Day:
    """Return a day that has not begun."""
    return Day(tmp_path, app)


def test_every_edit_arrives_once_and_the_audit_is_the_same(
    day: Day, app: App, tmp_path: Path
) -> None:
    online = account.load(day.b.places)
    for number, (machine, _) in enumerate(day.turns()):
        if machine is day.b:
            # Half of the time this one has no network.
            is_away = number % 4 == 1
            url = NOWHERE if is_away else app.url
            account.save(day.b.places, msgspec.structs.replace(online, url=url))
        flush(machine.places, now=NOW)
    account.save(day.b.places, online)
    for machine in (day.a, day.b):
        done = backfill(machine.places, [machine.transcripts], since=None, now=NOW)
        assert done.problem is None
        flush(machine.places, now=NOW)
    assert set(app.times_sent.values()) == {1}
    assert len(app.edits) == day.a.calls + day.b.calls

    change = day.change(tmp_path)
    arrived = day.audit(change, day.arrived())
    assert workday.told(arrived) == workday.told(day.offline_audit(change))
    assert arrived.verdict is Verdict.ASSISTED
    assert 0 < arrived.totals.attributed < arrived.totals.effective


def test_hooks_alone_and_transcripts_alone_say_the_same_of_applied_edits(
    day: Day, app: App, tmp_path: Path
) -> None:
    for machine, _ in day.turns():
        flush(machine.places, now=NOW)
    change = day.change(tmp_path)
    by_hooks = day.audit(change, day.arrived())
    app.edits.clear()
    for machine in (day.a, day.b):
        machine.places.sent.unlink()
        backfill(machine.places, [machine.transcripts], since=None, now=NOW)
    by_transcripts = day.audit(change, day.arrived())
    assert workday.told(by_hooks) == workday.told(by_transcripts)
    assert by_hooks.totals == by_transcripts.totals
