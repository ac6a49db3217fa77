"""Acts out a pull request: people and agents write step by step, and every edit is recorded."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from uuid import UUID

from bench import agent
from bench.agent import AgentSession, Call
from bench.draft import (
    Cells,
    Draft,
    Segment,
    by_person,
    cells,
    draft_segments,
    new_segments,
    stretches,
    untold,
)
from bench.fates import ASIDE, Step, Tools, draw, evolved
from bench.formatters import Formatters
from bench.lines import is_effective
from bench.releases import Pair, language
from bench.renames import MOST, RenamedLine, Renames
from bench.scripts import Scripts

ROOT = "/home/dev/acme/shop"
WORKTREE = "/home/dev/acme/shop-worktrees/feature-7"
ELSEWHERE = "/home/dev/other/shop"
"""A checkout of another repository that holds files of the same names."""

EXCLUDED = (
    "package-lock.json",
    "yarn.lock",
    "dist/bundle.js",
    "tests/__snapshots__/a.snap",
    "src/api_pb2.py",
)
"""Some pull requests add one of these files; every policy excludes them."""

UNAPPLIED = ("refused", "failed", "interrupted")
"""Kinds of calls that changed nothing."""

COUNTING = ("agent", "fragment", "history", "other_path")
"""Kinds of calls that are applied, in time, and in a checkout of the repository."""

FIRST_MERGE = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
ENOUGH = 450
"""A pull request with this many added lines gets no further file."""

REPEATED = 0.12
"""Chance that an agent writes a short block a second time, elsewhere in the file."""

WHOLE_FILE = 0.12
"""Chance that a file of both releases is new: an agent writes the earlier one in a single call, and
a person brings it to the later one."""

FEWEST_RENAMES, MOST_RENAMES = 12, 28
"""Renames in a pull request that commands alone make."""

LARGEST_PART = 600
"""Most lines to write in one file; files with larger changes are skipped."""


@dataclass(frozen=True)
class Manner:
    """How a pull request is written."""

    name: str
    agents: tuple[float, ...]
    """Each file gets one of these probabilities that an agent writes a block."""
    history: tuple[int, int]
    """Least and most earlier edits of agents in each file, within the window."""
    dropped: tuple[int, int]
    """Least and most blocks per file that an agent writes and that do not survive."""


MANNERS = (
    Manner("agent", (0.95, 1.0), (0, 2), (0, 1)),
    Manner("half", (0.1, 0.5, 0.9), (1, 4), (0, 2)),
    Manner("people", (0.0, 0.05, 0.2), (4, 12), (1, 3)),
    Manner("people", (0.0, 0.1, 0.3), (8, 25), (2, 5)),
)


@dataclass(frozen=True)
class Recorded:
    """What a counting edit added and quoted, to explain why a line is similar."""

    id: str
    paths: tuple[str, ...]
    own: tuple[str, ...]
    quoted: frozenset[str]


@dataclass(frozen=True)
class Act:
    """One planned call of an edit tool."""

    kind: str
    """``agent``, ``fragment``, ``history``, or one of `bench.fates.ASIDE`."""
    progress: float = 0.0
    """Progress of the work on the file, 0 to 1."""
    tool: str = "Edit"
    stages: tuple[list[str], ...] = ()
    """The file after each part of a call that makes several changes."""


@dataclass
class Pull:
    """A pull request with everything known about it."""

    name: str
    manner: str
    merged_at: datetime
    roots: tuple[str, ...]
    drafts: list[Draft] = field(default_factory=list)
    base: dict[str, list[str]] = field(default_factory=dict)
    """Path → lines before the change."""
    agent_sessions: list[AgentSession] = field(default_factory=list)
    edits: list[Recorded] = field(default_factory=list)
    """Applied edits of this repository inside the window."""
    excluded: dict[str, list[str]] = field(default_factory=dict)
    """Files that an agent wrote but every policy excludes."""
    renamed: dict[str, list[RenamedLine]] = field(default_factory=dict)
    """Files that only commands touched, and people beside them."""


class Author:
    """Writes one pull request from two releases."""

    def __init__(
        self, pair: Pair, name: str, manner: Manner, rng: Random, form: Formatters
    ) -> None:
        self._pair = pair
        self._manner = manner
        self._rng = rng
        self._form = form
        merged_at = FIRST_MERGE + timedelta(hours=rng.randint(0, 2000))
        self._roots = (ROOT, WORKTREE)
        self.pull = Pull(name, manner.name, merged_at, self._roots)
        self._pool = tuple(
            line
            for path in sorted(pair.new)
            for line in pair.new[path].split("\n")
            if is_effective(line)
        )
        self._work = [self._agent_session() for _ in range(rng.randint(1, 4))]
        self._by_kind: dict[str, AgentSession] = {}

    def write_by_shells(self) -> Pull:
        """Let people and agents' commands alone change files, and return the pull request."""
        paths = self._candidates()
        rng = Random(f"{self.pull.name}/shells")  # noqa: S311 - repeatable, and no secret
        scripts = Scripts(self._pair, paths[: len(paths) // 2 + 1], self._roots, rng)
        scripts.act(self.pull.merged_at)
        self._take(scripts)
        self._rename({*scripts.after, *scripts.before}, FEWEST_RENAMES, MOST_RENAMES)
        return self.pull

    def _take(self, made: Scripts | Renames) -> None:
        self.pull.base |= made.before
        self.pull.renamed |= made.after
        self.pull.agent_sessions += made.agent_sessions

    def write(self) -> Pull:
        """Write files until there are enough lines, and return the pull request."""
        paths = self._candidates()
        written = 0
        for path in paths:
            if written >= ENOUGH:
                break
            written += self._file(path)
        if self._rng.random() < 0.35:
            self._excluded_file()
        taken = {*self.pull.base, *self._pair.new} - {*self._unchanged()}
        self._rename(taken | {draft.path for draft in self.pull.drafts})
        return self.pull

    def _rename(self, taken: set[str], least: int = 0, most: int = MOST) -> None:
        """Rename things in files that are left, with a source of chance of its own."""
        rng = Random(f"{self.pull.name}/{self.pull.merged_at}")  # noqa: S311 - repeatable, and no secret
        renames = Renames(self._pair, taken, self._roots, rng)
        renames.act(self.pull.merged_at, least, most)
        self._take(renames)

    def _unchanged(self) -> list[str]:
        named = {draft.previous_path for draft in self.pull.drafts} | set(self.pull.base)
        return [path for path in self._pair.old if path not in named]

    def _candidates(self) -> list[str]:
        old, new = self._pair.old, self._pair.new
        paths = [path for path in sorted(new) if new[path] != old.get(path)]
        self._rng.shuffle(paths)
        return paths

    # --- who and when ---

    def _agent_session(self, root: str | None = None) -> AgentSession:
        rng = self._rng
        number = UUID(int=rng.getrandbits(128), version=4)
        subagent = f"a{rng.getrandbits(64):016x}" if rng.random() < 0.3 else None
        place = root or rng.choice((ROOT, ROOT, ROOT, WORKTREE))
        made = AgentSession(str(number), place, Random(number.int), subagent)  # noqa: S311 - not for secrets
        self.pull.agent_sessions.append(made)
        return made

    def _session_for(self, kind: str) -> AgentSession:
        if kind not in ("early", "late", "elsewhere", "history"):
            return self._rng.choice(self._work)
        if kind not in self._by_kind or self._rng.random() < 0.2:
            root = ELSEWHERE if kind == "elsewhere" else None
            self._by_kind[kind] = self._agent_session(root)
        return self._by_kind[kind]

    def _time(self, kind: str, progress: float) -> datetime:
        rng, merged_at = self._rng, self.pull.merged_at
        if kind == "early":
            return merged_at - timedelta(days=rng.uniform(22, 45))
        if kind == "late":
            return merged_at + timedelta(days=rng.uniform(2.05, 12))
        if kind == "history":
            return merged_at - timedelta(days=rng.uniform(6, 20.5))
        return (
            merged_at
            - timedelta(days=4.5 * (1 - progress))
            - timedelta(minutes=rng.uniform(20, 60))
        )

    # --- one file ---

    def _file(self, path: str) -> int:
        draft = self._draft(path)
        blocks = [segment for segment in draft.segments if segment.is_block]
        size = sum(len(block.target) for block in blocks)
        if not size or size > LARGEST_PART:
            return 0
        if not draft.is_new:
            self.pull.base[draft.previous_path or path] = draft.lines()
            self._history(draft)
        self.pull.drafts.append(draft)
        self._act(draft, self._plan(draft, blocks))
        self._move(draft)
        return size

    def _draft(self, path: str) -> Draft:
        rng, old, new = self._rng, self._pair.old, _lines(self._pair.new[path])
        if path not in old or rng.random() < 0.08:
            return Draft(path, new_segments(new, rng), is_new=True, exists=False)
        before = _lines(old[path])
        if rng.random() < WHOLE_FILE and len(new) <= LARGEST_PART:
            whole = Segment((), tuple(new), tuple(before), is_block=True)
            return Draft(path, [whole], is_new=True, exists=False)
        draft = Draft(path, draft_segments(before, new, rng, path))
        kept = sum(len(one.cells) for one in draft.segments if not one.is_block)
        if kept > 0.7 * max(len(before), len(new)) and kept > 30 and rng.random() < 0.2:
            stem, dot, suffix = path.rpartition(".")
            draft.previous_path = f"{stem}_before{dot}{suffix}"
        return draft

    def _plan(self, draft: Draft, blocks: Sequence[Segment]) -> list[tuple[Segment, Step, str]]:
        """Return all steps on a file in order."""
        agents = self._rng.choice(self._manner.agents)
        tools = Tools(self._rng, draft.path, self._pool, self._form)
        queues: list[list[tuple[Segment, Step, str]]] = []
        for block in blocks:
            steps = evolved(block, tools) if len(blocks) == 1 and draft.is_new else None
            if steps and self._rng.random() < agents:
                name = "evolved"
            elif block.counts:
                name, steps = draw(block, tools, agents)
            else:
                name, steps = "human", [Step("human", cells(block.target, by_person("human")))]
            queues.append([(block, step, name) for step in steps])
        queues += self._dropped(draft) + self._repeated(draft, queues)
        return _interleaved(queues, self._rng)

    def _repeated(
        self, draft: Draft, queues: Sequence[Sequence[tuple[Segment, Step, str]]]
    ) -> list[list[tuple[Segment, Step, str]]]:
        """Plan second copies of blocks that an agent wrote: it repeats itself in one file."""
        found: list[list[tuple[Segment, Step, str]]] = []
        for queue in queues:
            segment, step, name = queue[0]
            if name != "verbatim" or len(step.content) > 25 or self._rng.random() > REPEATED:
                continue
            copy = Segment((), segment.target, is_block=True)
            draft.segments.insert(self._rng.randint(0, len(draft.segments)), copy)
            found.append([(copy, Step("agent", step.content), "repeated")])
        return found

    def _dropped(self, draft: Draft) -> list[list[tuple[Segment, Step, str]]]:
        """Plan blocks that an agent writes and that do not survive."""
        found = []
        for _ in range(self._rng.randint(*self._manner.dropped)):
            lines = self._foreign_block(draft.path)
            if lines:
                segment = Segment((), is_block=True)
                draft.segments.insert(self._rng.randint(0, len(draft.segments)), segment)
                content = cells(lines, untold("dropped"))
                steps = (Step("agent", content), Step("human", ()))
                found.append([(segment, step, "dropped") for step in steps])
        return found

    def _foreign_block(self, path: str) -> list[str]:
        """Return a function or paragraph of another file, preferably a nearby one."""
        kind, folder = language(path), path.rpartition("/")[0]
        others = [one for one in sorted(self._pair.old) if one != path and language(one) == kind]
        near = [one for one in others if one.startswith(folder)]
        if not others:
            return []
        lines = _lines(self._pair.old[self._rng.choice(near or others)])
        spans = [span for span in stretches(lines, self._rng) if 4 <= span[1] - span[0] <= 60]
        return lines[slice(*self._rng.choice(spans))] if spans else []

    def _history(self, draft: Draft) -> None:
        """Record edits with which agents wrote parts of the base, within the window."""
        rng, base = self._rng, draft.lines()
        if rng.random() < 0.1 and self._manner.history[1] > 4:
            act = Act("history", tool="Write")
            self._record(self._session_for("history"), draft, None, base, act)
            return
        spans = [span for span in stretches(base, rng) if 3 <= span[1] - span[0] <= 60]
        count = min(len(spans), rng.randint(*self._manner.history))
        for start, end in rng.sample(spans, count):
            before = base[:start] + base[end:]
            self._record(self._session_for("history"), draft, before, base, Act("history"))

    # --- acting ---

    def _act(self, draft: Draft, plan: Sequence[tuple[Segment, Step, str]]) -> None:
        renamed_at = self._rng.random() if draft.previous_path else 0.0
        number = 0
        while number < len(plan):
            progress = number / len(plan)
            draft.renamed = bool(draft.previous_path) and progress >= renamed_at
            number += self._together(draft, plan[number:], progress)
        draft.renamed = True
        draft.exists = True
        self._act_aside(draft, plan)

    def _together(
        self, draft: Draft, plan: Sequence[tuple[Segment, Step, str]], progress: float
    ) -> int:
        """Carry out the next step, or several in one call; return how many."""
        segment, step, _ = plan[0]
        if step.actor == "human":
            segment.cells = step.content
            draft.exists = True
            return 1
        if step.actor in ASIDE:
            if step.actor != "late":
                self._edit(draft, {id(segment): step.content}, Act(step.actor, progress))
            return 1
        count = self._batch(draft, plan)
        chosen = plan[:count]
        changes = {id(one): made.content for one, made, _ in chosen}
        tool = "Edit" if count == 1 else self._rng.choice(("Write", "MultiEdit"))
        if not draft.exists:
            tool = "Write"
        stages = tuple(_stages(draft, chosen)) if tool == "MultiEdit" else ()
        call_id = self._edit(draft, changes, Act(step.actor, progress, tool, stages))
        for one, made, _ in chosen:
            one.cells = made.content
            one.edits.append(call_id)
        draft.exists = True
        return count

    def _batch(self, draft: Draft, plan: Sequence[tuple[Segment, Step, str]]) -> int:
        """Return how many of the next steps one call makes, all on different blocks."""
        most = 1
        if not draft.exists:
            most = len(plan)
        elif self._rng.random() < 0.12:
            most = self._rng.randint(2, 5)
        seen: set[int] = set()
        for segment, step, _ in plan[:most]:
            if step.actor != "agent" or id(segment) in seen:
                break
            seen.add(id(segment))
        return max(1, len(seen))

    def _act_aside(self, draft: Draft, plan: Sequence[tuple[Segment, Step, str]]) -> None:
        """Record the edits after the merge: each inserts text that is already there."""
        for segment, step, _ in plan:
            if step.actor == "late":
                after, before = draft.lines(), draft.lines({id(segment): ()})
                self._record(self._session_for("late"), draft, before, after, Act("late"))

    def _edit(self, draft: Draft, changes: Mapping[int, Cells], act: Act) -> str:
        before = draft.lines() if draft.exists else None
        found = self._session_for(act.kind)
        if act.kind == "fragment" and found.subagent:
            found = self._main_session()
        return self._record(found, draft, before, draft.lines(changes), act)

    def _main_session(self) -> AgentSession:
        for one in self._work:
            if not one.subagent:
                return one
        made = self._agent_session()
        made.subagent = None
        self._work.append(made)
        return made

    def _record(
        self,
        of: AgentSession,
        draft: Draft,
        before: list[str] | None,
        after: list[str],
        act: Act,
    ) -> str:
        """Add one call to an agent session's transcript and return its id."""
        name = "src/another_place.py" if act.kind == "other_path" else draft.current_path
        path = f"{of.root}/{name}"
        tool = act.tool if before else "Write"
        given, result = self._given(path, before, after, act)
        applied = act.kind not in UNAPPLIED
        call = Call(
            id=of.call_id(),
            tool=tool,
            at=self._time(act.kind, act.progress),
            path=path,
            input=given,
            outcome="applied" if applied else act.kind,
            result=result if applied else None,
            read_first=agent.text_of(before) if before and tool == "Write" else None,
        )
        of.calls.append(call)
        if act.kind in COUNTING:
            paths = (name,) if act.kind == "other_path" else (draft.path,)
            self.pull.edits.append(_recorded(call.id, paths, before or [], after))
        return call.id

    def _given(
        self, path: str, before: list[str] | None, after: list[str], act: Act
    ) -> tuple[agent.Record, agent.Record]:
        """Return a call's input and structured result."""
        if not before or act.tool == "Write":
            given: agent.Record = {"file_path": path, "content": agent.text_of(after)}
            return given, agent.write_result(path, before, after)
        if act.tool == "MultiEdit":
            edits = [self._part(*pair) for pair in pairwise([before, *act.stages])]
            given = {"file_path": path, "edits": edits}
            return given, agent.multi_result(path, before, after, edits)
        strings = agent.edit_strings(before, after, self._rng)
        if act.kind == "fragment":
            strings = _narrowed(before, after) or strings
        given = {"file_path": path, "old_string": strings[0], "new_string": strings[1]}
        return given, agent.edit_result(path, before, after, strings)

    def _part(self, before: list[str], after: list[str]) -> agent.Record:
        old, new = agent.edit_strings(before, after, self._rng)
        return {"old_string": old, "new_string": new}

    # --- afterwards ---

    def _move(self, draft: Draft) -> None:
        """Move the blocks that a person moves to another place of the file."""
        wanted = [one for one in draft.segments if any(c.mark.kind == "moved" for c in one.cells)]
        for segment in wanted:
            draft.segments.remove(segment)
            draft.segments.insert(self._rng.randint(0, len(draft.segments)), segment)

    def _excluded_file(self) -> None:
        """Add a file that an agent wrote and every policy excludes."""
        path = self._rng.choice(EXCLUDED)
        lines = [*self._rng.sample(self._pool, min(60, len(self._pool)))]
        of = self._rng.choice(self._work)
        given: agent.Record = {"file_path": f"{of.root}/{path}", "content": agent.text_of(lines)}
        result = agent.write_result(f"{of.root}/{path}", None, lines)
        at = self._time("agent", 0.5)
        of.calls.append(
            Call(of.call_id(), "Write", at, f"{of.root}/{path}", given, "applied", result)
        )
        self.pull.excluded[path] = lines


def _recorded(
    call_id: str, paths: tuple[str, ...], before: Sequence[str], after: Sequence[str]
) -> Recorded:
    """Return what an edit added and the lines right around it."""
    span = agent.region(before, after)
    old, new = before[span.start : span.old_end], after[span.start : span.new_end]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changed = [codes for codes in matcher.get_opcodes() if codes[0] != "equal"]
    own = tuple(line for *_, j1, j2 in changed for line in new[j1:j2])
    near = after[max(0, span.start - 3) : span.new_end + 3]
    return Recorded(call_id, paths, own, frozenset(near))


def _lines(text: str) -> list[str]:
    return text.rstrip("\n").split("\n")


def _interleaved(
    queues: list[list[tuple[Segment, Step, str]]], rng: Random
) -> list[tuple[Segment, Step, str]]:
    """Merge the steps of all blocks: mostly from top to bottom, corrections later."""
    timed = []
    for position, queue in enumerate(queues):
        at = position / max(1, len(queues)) + rng.uniform(-0.2, 0.2)
        for number, entry in enumerate(queue):
            timed.append((at, position, number, entry))
            at += rng.uniform(0.05, 0.6)
    timed.sort(key=lambda one: one[:3])
    return [entry for *_, entry in timed]


def _stages(draft: Draft, parts: Sequence[tuple[Segment, Step, str]]) -> list[list[str]]:
    """Return the file after each part of a call that makes several changes."""
    found: list[list[str]] = []
    changes: dict[int, Cells] = {}
    for segment, step, _ in parts:
        changes[id(segment)] = step.content
        found.append(draft.lines(changes))
    return found


def _narrowed(before: Sequence[str], after: Sequence[str]) -> tuple[str, str] | None:
    """Return the shortest unique strings of an edit inside one line; ``None``: not unique."""
    span = agent.region(before, after)
    if span.old_end - span.start != 1 or span.new_end - span.start != 1:
        return None
    old, new = before[span.start], after[span.start]
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    tail = 0
    while tail < shorter - start and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    first, last = max(0, start - 6), max(0, tail - 6)
    one, other = old[first : len(old) - last], new[first : len(new) - last]
    return (one, other) if one and "\n".join(before).count(one) == 1 else None
