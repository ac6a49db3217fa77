"""A slow and obvious audit, written from the rules and docs/matching.md apart from the engine.

Plain loops over plain lists; it imports the nouns, the policy and the list of common words, which
are data, and nothing else of the product. It knows text only, no fingerprints, no moved blocks, no
excluded files and no notebooks. ``reasons`` is its face.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from math import fsum, log2
from typing import NamedTuple

from ghapp.attribution.codebook import COMMON_WORDS
from ghapp.attribution.model import (
    SEEN_BY_HOOK,
    AgentCommit,
    Change,
    Edit,
    EditResult,
    Evidence,
    FileDiff,
    FileStatus,
    Hunk,
    LineRewrite,
    ShellCommand,
)
from ghapp.attribution.policy import Policy

Anchor = tuple[int, int]
"""Where equal lines stand: position in the edit, position in the file."""

ALL_QUOTES = (
    "\u0022\u0027\u0060\u00b4\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f"
    "\u2032\u2033\u2039\u203a\uff02\uff07"
)
DROPPED = " ()[]{},;\\"


# --- lines --------------------------------------------------------------------------------------


def canonical(text: str) -> str:
    """Normalize a line, step by step as rules.md 2.13 says."""
    text = unicodedata.normalize("NFC", text)
    words: list[str] = [""]
    for sign in text:
        if sign.isspace():
            words.append("")
        else:
            words[-1] += "'" if sign in ALL_QUOTES else sign
    return " ".join(word for word in words if word).lower()


def is_long(text: str) -> bool:
    return len(text.removesuffix("\r")) > 1000


def form(text: str) -> str:
    """Return the text by which a line is compared: empty if the line is too long for that."""
    return "" if len(text) > 10_000 else canonical(text)


def counts(canon: str) -> bool:
    return len(canon) > 3 and any(sign.isalnum() for sign in canon)


def plain_weight(canon: str, known: Callable[[int], int] = int) -> float:
    """Weigh a line by its distinct words, each in thousandths.

    ``known`` says how much of a word's length is known.
    """
    return sum(word_weight(word, known) for word in set(re.findall(r"\w+", canon))) / 1000


def word_weight(word: str, known: Callable[[int], int] = int) -> int:
    """Weigh a word in thousandths; one of more than 127 characters in parts."""
    parts = {word[at : at + 127] for at in range(0, len(word), 127)}
    return sum(part_weight(part, known(len(part))) for part in parts)


def part_weight(part: str, length: int) -> int:
    if not any(sign.isalnum() for sign in part):
        return 0
    if length == 1 or part in COMMON_WORDS:
        return 500
    return round(1000 * max(1 + log2(length), 0.8 * length - 1))


def distance(one: str, other: str) -> int:
    """Levenshtein distance by the textbook's table."""
    row = list(range(len(other) + 1))
    for at, sign in enumerate(one, 1):
        above, row[0] = row[0], at
        for to, with_ in enumerate(other, 1):
            above, row[to] = row[to], min(above + (sign != with_), row[to] + 1, row[to - 1] + 1)
    return row[-1]


def difference(one: str, other: str) -> Fraction:
    longer = max(len(one), len(other))
    return Fraction(distance(one, other), longer) if longer else Fraction(0)


def compact(canon: str) -> str:
    return "".join(sign for sign in canon if sign not in DROPPED)


# --- the two sides ------------------------------------------------------------------------------


class Slot(NamedTuple):
    """One effective line of a side: its form and, if it may be credited, its index."""

    form: str
    number: int | None


Side = list[Slot | None]
"""``None`` separates two hunks: no run crosses it."""


@dataclass
class File:
    """A file's new side. ``wide`` is a line and the short lines behind it, compact."""

    diff: FileDiff
    side: Side = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    long: set[str] = field(default_factory=set)
    """Added lines that are too long to count."""
    old: Side = field(default_factory=list)
    """The file before the change."""
    uncounted: dict[int, str] = field(default_factory=dict)


@dataclass
class Written:
    """An edit's new text."""

    edit: Edit
    side: Side = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    credited: set[int] = field(default_factory=set)


def new_side(diff: FileDiff) -> File:
    file = File(diff)
    for hunk in diff.hunks:
        number = hunk.new_start
        for origin, text in hunk.lines:
            canon = form(text)
            if origin != "+" and counts(canon):
                file.old.append(Slot(canon, None))
            if origin == "-":
                file.removed.add(canon)
                continue
            if origin == "+" and counts(canon) and not is_long(text):
                file.numbers.append(number)
                _own(file, canon)
            elif origin == "+":
                file.long |= {canon} if is_long(text) else set()
                file.uncounted[number] = "long_line" if is_long(text) else "trivial_line"
                _short(file, "" if is_long(text) else canon)
            elif counts(canon):
                file.side.append(Slot(canon, None))
            number += 1
        file.side.append(None)
        file.old.append(None)
    return file


def written(edit: Edit) -> Written:
    found = Written(edit)
    for hunk in edit.lines.hunks:
        found.side += _unchanged(hunk.before)
        for text in hunk.own:
            canon = form(str(text))
            if counts(canon):
                _own(found, canon)
            else:
                _short(found, canon)
        found.side += _unchanged(hunk.after)
        found.side.append(None)
    found.removed = [form(str(text)) for text in edit.lines.removed]
    return found


def _own(side: File | Written, canon: str) -> None:
    side.side.append(Slot(canon, len(side.forms)))
    side.forms.append(canon)
    side.wide.append(compact(canon))


def _short(side: File | Written, canon: str) -> None:
    if side.wide:
        side.wide[-1] += compact(canon)


def _unchanged(lines: Iterable[object]) -> list[Slot | None]:
    forms = [form(str(text)) for text in lines]
    return [Slot(canon, None) for canon in forms if counts(canon)]


def places(side: Side) -> list[int]:
    """Return where each line that may be credited stands, by its index."""
    return [at for at, slot in enumerate(side) if slot and slot.number is not None]


# --- runs and gaps ------------------------------------------------------------------------------


class Run(NamedTuple):
    """A longest stretch of equal lines: its start in the file and in the edit, and its length."""

    at: int
    edit_at: int
    length: int

    def anchors(self) -> list[Anchor]:
        """Return where each of its lines stands."""
        return [(self.edit_at + step, self.at + step) for step in range(self.length)]


def loose(side: Side) -> Side:
    """Return a side without the signs that a formatter adds and drops."""
    return [slot and Slot(compact(slot.form), slot.number) for slot in side]


def alike(side: Side, at: int, edit_side: Side, edit_at: int) -> bool:
    if not (0 <= at < len(side) and 0 <= edit_at < len(edit_side)):
        return False
    here, there = side[at], edit_side[edit_at]
    return here is not None and there is not None and here.form == there.form


def equal_runs(side: Side, edit_side: Side) -> list[Run]:
    """Find all longest stretches; each has a line that occurs in the file at most 32 times."""
    often = Counter(slot.form for slot in side if slot)
    found = []
    for at in range(len(side)):
        for edit_at in range(len(edit_side)):
            if alike(side, at - 1, edit_side, edit_at - 1):
                continue
            length = 0
            while alike(side, at + length, edit_side, edit_at + length):
                length += 1
            if any(often[slot.form] <= 32 for slot in side[at : at + length] if slot):
                found.append(Run(at, edit_at, length))
    return found


def chain_of(anchors: Iterable[Anchor]) -> list[Anchor]:
    """Return the longest chain that rises on both sides.

    Of several, the one whose last line stands earliest in the file (then latest in the edit),
    then its last but one, and so on.
    """
    points = sorted(set(anchors))
    longest: dict[Anchor, int] = {}
    for point in points:
        below = [longest[p] for p in points if p[0] < point[0] and p[1] < point[1]]
        longest[point] = 1 + max(below, default=0)
    chain: list[Anchor] = []
    for length in range(max(longest.values(), default=0), 0, -1):
        fits = [
            point
            for point in points
            if longest[point] == length
            and (not chain or (point[0] < chain[0][0] and point[1] < chain[0][1]))
        ]
        chain.insert(0, min(fits, key=lambda point: (point[1], -point[0])))
    return chain


class Gap(NamedTuple):
    """Own lines and added lines, by index, between the same matched lines."""

    own: list[int]
    added: list[int]


def gaps_of(anchors: Iterable[Anchor], written: Written, file: File, slack: int) -> list[Gap]:
    """Return the own and the added lines between neighbors of the chain, and beyond its ends."""
    chain = chain_of(anchors)
    if not chain:
        return []
    ends = [(-1, -1), *chain, (len(written.side), len(file.side))]
    found = []
    for at in range(len(ends) - 1):
        (edit_from, file_from), (edit_to, file_to) = ends[at], ends[at + 1]
        own = [n for n, place in enumerate(places(written.side)) if edit_from < place < edit_to]
        added = [n for n, place in enumerate(places(file.side)) if file_from < place < file_to]
        reach = 2 * len(own) + slack
        if at == 0:
            added = added[-reach:]
        elif at == len(ends) - 2:
            added = added[:reach]
        if own and added:
            found.append(Gap(own, added))
    return found


# --- other line breaks, touched lines -----------------------------------------------------------


def stretches(
    own: list[int], wide: list[str], added: list[int], file: File, is_free: Callable[[int], bool]
) -> list[tuple[list[int], list[int]]]:
    """Return the first shortest stretches of own and of added lines with the same text."""
    found = []
    own, added = list(own), list(added)
    while own:
        match = next(
            filter(
                None, (_stretch(own, wide, added[at:], file, is_free) for at in range(len(added)))
            ),
            None,
        )
        if match:
            found.append(match)
            own = own[len(match[0]) :]
            added = [at for at in added if at > match[1][-1]]
        else:
            own = own[1:]
    return found


def _stretch(
    own: list[int], wide: list[str], added: list[int], file: File, is_free: Callable[[int], bool]
) -> tuple[list[int], list[int]] | None:
    """Return the shortest stretches from the first lines on; not one line for one line."""
    for size in range(1, min(len(own), 60) + 1):
        for broken in range(1, min(len(added), 60) + 1):
            if not all(map(is_free, added[:broken])):
                break
            ours = "".join(wide[at] for at in own[:size])
            if ours == "".join(file.wide[at] for at in added[:broken]):
                return (own[:size], added[:broken]) if size + broken > 2 else None
    return None


class Likeness(NamedTuple):
    """An own line and an added line, by index, and how far they differ."""

    own: int
    added: int
    difference: Fraction


def best_pairing(own: list[str], added: list[str], limit: Fraction) -> list[Likeness]:
    """Of all pairings in order: most pairs, then least difference, then the earliest lines."""

    @cache
    def best(i: int, j: int) -> tuple[int, Fraction, tuple[Likeness, ...]]:
        found: tuple[int, Fraction, tuple[Likeness, ...]] = (0, Fraction(0), ())
        for first in range(i, len(own)):
            for second in range(j, len(added)):
                value = difference(own[first], added[second])
                if value > limit:
                    continue
                count, total, pairs = best(first + 1, second + 1)
                pair = Likeness(first, second, value)
                found = min(found, (count - 1, total + value, (pair, *pairs)))
        return found

    return list(best(0, 0)[2])


# --- one file -----------------------------------------------------------------------------------


class Credit(NamedTuple):
    """The edit that an added line is credited to."""

    written: Written
    reason: str
    difference: Fraction


@dataclass
class Author:
    """One edit while one file is matched."""

    written: Written
    runs: list[Run] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)
    credited: int = 0
    weight: float = 0.0
    of_edit: float = 0.0
    of_session: float = 0.0
    is_whole: bool = False


def writes_whole_file(edit: Edit) -> bool:
    """Say whether an edit wrote a whole file without any known earlier line."""
    if len(edit.lines.hunks) != 1 or edit.lines.removed:
        return False
    hunk = edit.lines.hunks[0]
    named = edit.tool in {"Write", "write", "write_file", "create", "apply_patch"}
    return named and not hunk.before and not hunk.after


class FileAudit:
    """One file and its edits, in the order of ties."""

    def __init__(self, file: File, edits: list[Written], limit: Fraction) -> None:
        self.file = file
        self.limit = limit
        self.credits: dict[int, Credit] = {}
        self.edits = edits
        self.authors = [Author(edit) for edit in edits if edit.forms]
        self.merged: dict[str, set[int]] = {}
        if not file.forms:
            return
        sessions = self._sessions()
        for author in self.authors:
            author.runs = equal_runs(file.side, author.written.side)
            self.merged[author.written.edit.id] = self._merged_before(author)
            edit = author.written.edit
            self._weigh(author, sessions[edit.agent, edit.agent_session])
        self._credit_runs()
        self._credit_gaps()
        for author in self.authors:
            if author.runs and not author.written.credited:
                self._credit_reformatted_edit(author)
            if not author.written.credited:
                self._credit_touched_edit(author)

    # --- weight and coverage

    def weight(self, canon: str) -> float:
        """Weigh a line in this file: a line that recurs there or in one edit weighs less."""
        if canon in self.file.long:
            return 0.0
        often = [Counter(slot.form for slot in self.file.side if slot)[canon]]
        often += [author.written.forms.count(canon) for author in self.authors]
        return plain_weight(canon) / (1.0 + log2(max(1, *often)))

    def _weight_of(self, written: Written, own: Iterable[int]) -> float:
        return fsum(self.weight(written.forms[at]) for at in own)

    def pairs(self, written: Written, run: Run) -> list[tuple[int, int]]:
        """Return (own, added) of the lines of a run that may be credited."""
        found = []
        for here, there in self._both(written, run):
            if there.number is None or here.number is None:
                continue
            if self.may_credit(written, there.number):
                found.append((there.number, here.number))
        return found

    def run_weight(self, written: Written, run: Run) -> float:
        """Sum over the distinct lines; own lines that were merged earlier add nothing."""
        forms = {
            there.form
            for here, there in self._both(written, run)
            if there.number is None
            or (here.number is not None and there.number not in self.merged_of(written))
        }
        return fsum(map(self.weight, forms))

    def merged_of(self, written: Written) -> set[int]:
        """Return the own lines of an edit that were merged before this change."""
        return self.merged.get(written.edit.id, set())

    def left(self, written: Written) -> list[int]:
        """Return the others."""
        return [at for at in range(len(written.forms)) if at not in self.merged_of(written)]

    def _merged_before(self, author: Author) -> set[int]:
        """Return the own lines that the base explains as well as the change: rules.md 2.18."""
        written = author.written
        when = (written.edit.at, written.edit.id)
        standing = {
            slot.number
            for run in equal_runs(self.file.old, written.side)
            for slot in written.side[run.edit_at : run.edit_at + run.length]
            if slot and slot.number is not None
        }
        old = {
            own
            for own in standing
            if not any(
                written.forms[own] in other.removed and (other.edit.at, other.edit.id) <= when
                for other in self.edits
            )
        }
        every = range(len(written.forms))
        if not old or self._weight_of(written, old) < 0.5 * self._weight_of(written, every):
            return set()
        return {own for own in old if written.forms[own] not in self.file.forms}

    def _both(self, written: Written, run: Run) -> list[tuple[Slot, Slot]]:
        both = [(self.file.side[at], written.side[edit_at]) for edit_at, at in run.anchors()]
        return [(here, there) for here, there in both if here and there]

    def may_credit(self, written: Written, own: int) -> bool:
        """Refuse a line that the edit only restyled, unless the change restyles it too."""
        canon = written.forms[own]
        if own in self.merged_of(written):
            return False
        return canon not in written.removed or canon in self.file.removed

    def _sessions(self) -> dict[tuple[str, str], float]:
        """Return how much of what each agent session left is among the added lines."""
        left: dict[tuple[str, str], Counter[str]] = {}
        for written in sorted(self.edits, key=lambda w: (w.edit.at, w.edit.id)):
            edit = written.edit
            mine = left.setdefault((edit.agent, edit.agent_session), Counter())
            if edit.tool == "Write" and not written.removed:
                mine.clear()
            for canon in set(written.removed) - set(written.forms):
                for lines in left.values():
                    lines[canon] -= lines[canon] > 0
            mine.update(canon for canon in written.forms if canon not in written.removed)
        return {key: self._stands(lines) for key, lines in left.items()}

    def _stands(self, lines: Counter[str]) -> float:
        here = Counter(self.file.forms)
        total = fsum(self.weight(canon) * count for canon, count in lines.items())
        stands = fsum(self.weight(c) * min(count, here[c]) for c, count in lines.items())
        return stands / total if total else 0.0

    def _weigh(self, author: Author, of_session: float) -> None:
        written = author.written
        standing = {own for run in author.runs for own, _ in self.pairs(written, run)}
        total = self._weight_of(written, range(len(written.forms)))
        author.of_session = of_session
        author.is_whole = len(standing) == sum(
            canon not in self.file.long for canon in written.forms
        )
        author.weight = self._weight_of(written, standing)
        author.of_edit = author.weight / total if total else 0.0
        if author.of_edit < 0.5 and author.weight >= 7 and of_session < 0.5:
            anchors = [anchor for run in author.runs for anchor in run.anchors()]
            more: list[int] = []
            for gap in gaps_of(anchors, written, self.file, 30):
                own = [
                    at for at in gap.own if at not in standing and at not in self.merged_of(written)
                ]
                for ours, _ in stretches(own, written.wide, gap.added, self.file, lambda _: True):
                    more += ours
            author.of_edit += self._weight_of(written, more) / total

    def is_sure(self, author: Author, run: Run) -> bool:
        """Apply the table of docs/matching.md, step 3."""
        weight, e, s = self.run_weight(author.written, run), author.of_edit, author.of_session
        heavier = max(weight, author.weight)
        if weight * max(e, s) >= 20 or (s >= 0.5 and author.is_whole and weight >= 4):
            return True
        is_new = self.file.diff.status is FileStatus.ADDED
        if is_new and writes_whole_file(author.written.edit) and e >= 0.1 and author.weight >= 7:
            return True
        return weight >= 10 and (
            ((s >= 0.5 or e >= 0.75) and heavier >= 7) or (e >= 0.5 and heavier >= 50)
        )

    # --- runs

    def _credit_runs(self) -> None:
        queue = [
            (rank, run)
            for rank, author in enumerate(self.authors)
            for run in author.runs
            if self.pairs(author.written, run) and self.is_sure(author, run)
        ]
        while queue:
            rank, run = min(queue, key=self._place_in_queue)
            queue.remove((rank, run))
            author = self.authors[rank]
            pairs = self.pairs(author.written, run)
            if all(self._is_free(author.written, own, added) for own, added in pairs):
                author.anchors += run.anchors()
                for own, added in pairs:
                    self._credit(author, own, added, "run", Fraction(0))
            else:
                queue += [(rank, rest) for rest in self._rests(author.written, run)]
        for added, credit in self.credits.items():
            if sum(other.written is credit.written for other in self.credits.values()) == 1:
                self.credits[added] = credit._replace(reason="line")

    def credit_text(self, texts: list[Written], least: float) -> None:
        """Credit what stands in commands, by runs of two lines that are no chance (rule 2.20)."""
        queue = [
            (rank, run)
            for rank, text in enumerate(texts)
            for run in equal_runs(self.file.side, text.side)
            if run.length >= 2 and self.pairs(text, run) and self.run_weight(text, run) >= least
        ]
        while queue:
            rank, run = min(
                queue,
                key=lambda one: (-self.run_weight(texts[one[0]], one[1]), one[0], *one[1][:2]),
            )
            queue.remove((rank, run))
            text = texts[rank]
            pairs = self.pairs(text, run)
            if all(self._is_free(text, own, added) for own, added in pairs):
                for own, added in pairs:
                    self.credits[added] = Credit(text, "shell_text", Fraction(0))
                    text.credited.add(own)
            else:
                queue += [(rank, rest) for rest in self._rests(text, run)]

    def _place_in_queue(self, entry: tuple[int, Run]) -> tuple[float, int, int, int]:
        rank, run = entry
        return -self.run_weight(self.authors[rank].written, run), rank, run.at, run.edit_at

    def _is_free(self, written: Written, own: int, added: int) -> bool:
        return own not in written.credited and added not in self.credits

    def _rests(self, written: Written, run: Run) -> list[Run]:
        """Cut a run at its credited lines; keep the parts with something left to credit."""
        parts: list[list[int]] = [[]]
        for step, (here, there) in enumerate(self._both(written, run)):
            free = there.number is None or here.number is None
            if free or self._is_free(written, there.number or 0, here.number or 0):
                parts[-1].append(step)
            else:
                parts.append([])
        rests = [Run(run.at + p[0], run.edit_at + p[0], len(p)) for p in parts if p]
        return [rest for rest in rests if self.pairs(written, rest)]

    def _credit(self, author: Author, own: int, added: int, reason: str, how_far: Fraction) -> None:
        assert added not in self.credits, "an added line is credited once"
        self.credits[added] = Credit(author.written, reason, how_far)
        author.written.credited.add(own)
        author.credited += 1

    # --- gaps

    def _credit_gaps(self) -> None:
        for author in self.authors:
            if not author.anchors:
                author.anchors = self._unchanged_neighbors(author)
        strong = sorted(self.authors, key=lambda author: -author.weight)
        self._fill([author for author in strong if author.credited])
        for author in strong:
            if author.anchors and not author.written.credited:
                self._fill_whole(author)

    def _unchanged_neighbors(self, author: Author) -> list[Anchor]:
        written = author.written
        return [
            anchor
            for run in author.runs
            if not self.pairs(written, run) and self.run_weight(written, run) >= 7
            for anchor in run.anchors()
        ]

    def _fill(self, authors: list[Author]) -> None:
        """Credit re-wrapped lines of all these edits, then their equal, then touched ones."""
        for author in authors:
            for gap in gaps_of(author.anchors, author.written, self.file, 30):
                self._credit_rewrapped(author, gap)
        for limit in (Fraction(0), self.limit):
            for author in authors:
                for gap in gaps_of(author.anchors, author.written, self.file, 3):
                    touched = self._touched(author.written, gap, limit)
                    self._credit_touched(author, touched)
                    if not limit:
                        self._anchor(author, touched)

    def _anchor(self, author: Author, equal: list[Likeness]) -> None:
        """Let equal lines found in a gap narrow the gaps that are searched for touched lines."""
        here, there = places(self.file.side), places(author.written.side)
        author.anchors = [*author.anchors, *((there[own], here[added]) for own, added, _ in equal)]

    def _fill_whole(self, author: Author) -> None:
        for gap in gaps_of(author.anchors, author.written, self.file, 30):
            if not self.merged_of(author.written) and len(gap.own) == len(author.written.forms):
                self._credit_rewrapped(author, gap)
                touched = self._touched(author.written, gap)
                if not author.credited and len(touched) == len(gap.own):
                    self._credit_touched(author, touched)

    def _credit_rewrapped(self, author: Author, gap: Gap) -> None:
        written = author.written
        own = [
            at for at in gap.own if at not in written.credited and at not in self.merged_of(written)
        ]
        found = stretches(
            own, written.wide, gap.added, self.file, lambda at: at not in self.credits
        )
        for ours, theirs in found:
            for added in theirs:
                self._credit(author, ours[0], added, "rewrapped", Fraction(0))
            written.credited.update(ours)

    def _touched(self, written: Written, gap: Gap, limit: Fraction | None = None) -> list[Likeness]:
        own = [at for at in gap.own if at not in written.credited and self.may_credit(written, at)]
        added = [
            at
            for at in gap.added
            if at not in self.credits and self.file.forms[at] not in written.removed
        ]
        pairs = best_pairing(
            [written.forms[at] for at in own],
            [self.file.forms[at] for at in added],
            self.limit if limit is None else limit,
        )
        return [Likeness(own[pair.own], added[pair.added], pair.difference) for pair in pairs]

    def _credit_touched(self, author: Author, touched: list[Likeness]) -> None:
        for own, added, how_far in touched:
            self._credit(author, own, added, "edited" if how_far else "run", how_far)

    # --- edits with no equal line

    def _credit_reformatted_edit(self, author: Author) -> None:
        """Credit an edit if most of it matches once we ignore the signs a formatter changes."""
        written = author.written
        runs = equal_runs(loose(self.file.side), loose(written.side))
        standing = {own for run in runs for own, _ in self.pairs(written, run)}
        weight = self._weight_of(written, standing)
        if weight < 7 or weight < 0.75 * self._weight_of(written, range(len(written.forms))):
            return
        for run in sorted(runs, key=lambda r: (-self.run_weight(written, r), r.edit_at, r.at)):
            for own, added in self.pairs(written, run):
                if self._is_free(written, own, added):
                    touched = self._touched(written, Gap([own], [added]))
                    self._credit_touched(author, touched)
                    if touched:
                        here, there = places(self.file.side)[added], places(written.side)[own]
                        author.anchors.append((there, here))
        if author.credited:
            self._fill([author])

    def _credit_touched_edit(self, author: Author) -> None:
        written = author.written
        size, mine = len(written.forms), self.left(written)
        total = self._weight_of(written, range(size))
        if not mine or size > 12 or total < 7:
            return
        self._credit_rewrapped(author, Gap(mine, list(range(len(self.file.forms)))))
        if author.credited:
            return
        free = [at for at in range(len(self.file.forms)) if at not in self.credits]
        heaviest = max(mine, key=lambda at: (self.weight(written.forms[at]), -at))
        start = self._touched(written, Gap([heaviest], free))
        if not start:
            return
        free = [at for at in free if at >= start[0].added - 2 * size]
        first = max(0, free.index(start[0].added) - heaviest - 2)
        touched = self._touched(written, Gap(mine, free[first : first + size + 4]))
        if self._weight_of(written, [pair.own for pair in touched]) >= total / 2:
            self._credit_touched(author, touched)


# --- why not ------------------------------------------------------------------------------------


class Reasoned(NamedTuple):
    """The verdict of the oracle on one added line."""

    reason: str
    edit: str | None = None
    difference: float | None = None


def miss(audit: FileAudit, added: int, outside: list[Edit], refused: list[Edit]) -> Reasoned:
    """Say why a line is not attributed, in the order of docs/matching.md."""
    canon = audit.file.forms[added]
    equal = [
        (written, own in written.credited)
        for written in audit.edits
        for own, mine in enumerate(written.forms)
        if mine == canon and audit.may_credit(written, own)
    ]
    for written, is_taken in equal:
        if not is_taken:
            word = "common_line" if plain_weight(canon) < 7 else "scattered"
            return Reasoned(word, written.edit.id, 0.0)
    if equal:
        return Reasoned("credited_elsewhere", equal[0][0].edit.id, 0.0)
    merged = merged_before(audit, canon)
    if merged:
        return merged
    for reason, edits in (("outside_window", outside), ("not_applied", refused)):
        for edit in edits:
            if any(form(str(text)) == canon for hunk in edit.lines.hunks for text in hunk.own):
                return Reasoned(reason, edit.id, 0.0)
    for author in audit.authors:
        near = [
            difference(author.written.forms[own], canon) for own in beside(audit, author, added)
        ]
        if near and audit.limit < min(near) <= Fraction(1, 2):
            return Reasoned("rewritten", author.written.edit.id, round(float(min(near)), 4))
    return Reasoned("no_match")


def merged_before(audit: FileAudit, canon: str) -> Reasoned | None:
    """Name the first edit with a line merged before that the line may have replaced."""
    for written in (author.written for author in audit.authors):
        near = [difference(written.forms[own], canon) for own in audit.merged_of(written)]
        if near and min(near) <= audit.limit:
            return Reasoned("merged_before", written.edit.id, round(float(min(near)), 4))
    return None


def beside(audit: FileAudit, author: Author, added: int) -> list[int]:
    """Return the own lines whose place an added line takes."""
    written = author.written
    if author.anchors:
        gaps = gaps_of(author.anchors, written, audit.file, 3)
        own = [at for gap in gaps if added in gap.added for at in gap.own]
    elif not author.credited and len(written.forms) <= 3:
        own = list(range(len(written.forms)))
    else:
        own = []
    return [at for at in own if at not in written.credited]


# --- the whole change ---------------------------------------------------------------------------


def reasons(
    merged_at: datetime, change: Change, evidence: Evidence, policy: Policy
) -> dict[str, dict[int, Reasoned]]:
    """Return the verdict of rules.md on each added line, by path and number.

    Paths of edits are relative, or lie below one of ``evidence.roots``.
    """
    edits = [
        edit
        for edit in in_order(once(moved(evidence, policy)), merged_at)
        if edit.outcome is not EditResult.OBSERVED or policy.command_changed
        if edit.outcome is not EditResult.SUBSTITUTED or policy.substitutions
    ]
    first = merged_at - timedelta(days=policy.window_before_days)
    last = merged_at + timedelta(days=policy.window_after_days)
    sides = {id(edit): written(edit) for edit in edits}
    matched = []
    observed = []
    replaced = []
    for diff in sorted(change.files, key=lambda file: file.path):
        here = [edit for edit in edits if place(edit, evidence.roots) in names_of(diff)]
        file = new_side(diff)
        usable = [edit for edit in here if may_count(edit, policy)]
        outside = [edit for edit in usable if not first <= edit.at <= last]
        inside = [edit for edit in usable if first <= edit.at <= last]
        told = {(e.agent, e.agent_session) for e in inside if e.outcome is EditResult.APPLIED}
        asked = [edit for edit in inside if edit.outcome is EditResult.UNRECORDED]
        again = [edit for edit in asked if (edit.agent, edit.agent_session) in told]
        unproven = [e for e in asked if e not in again and not stands(sides[id(e)], file)]
        refused = [edit for edit in here if edit not in usable or edit in unproven]
        inside = [edit for edit in inside if edit not in unproven and edit not in again]
        seen = [sides[id(e)] for e in inside if e.outcome is EditResult.OBSERVED]
        made = [edit for edit in inside if edit.outcome is EditResult.SUBSTITUTED]
        told_of = [sides[id(e)] for e in inside if e.outcome not in SEEN_BY_HOOK]
        audit = FileAudit(file, told_of, policy.limit)
        observed.append((audit, seen))
        replaced.append((audit, made))
        matched.append((audit, outside, refused))
    # An edit of a renamed file may be credited in two files: all are matched, then judged.
    commands = [
        one
        for one in rewriting_in_order(evidence.commands, merged_at)
        if one.edit.outcome is EditResult.APPLIED and first <= one.edit.at <= last
        if (policy.substitutions if one.rewrites else policy.shell_text)
    ]
    for audit, *_ in matched:
        credit_substituted(audit, [c for c in commands if c.rewrites], evidence.roots)
    for audit, made in replaced:
        credit_replaced(audit, made)
    for one in evidence.agent_commits or () if policy.agent_commits != "off" else ():
        if one.is_proven and first <= one.at <= last:
            for audit, *_ in matched:
                credit_committed(audit, one)
    texts = [(one, written(one.edit)) for one in commands if one.edit.lines.hunks]
    for named, least in ((True, 20), (False, 50)):
        for audit, *_ in matched:
            names = names_of(audit.file.diff)
            mine = [
                text
                for one, text in texts
                if any(reached(one, name, evidence.roots, named=named) for name in names)
            ]
            audit.credit_text(mine, least)
    for audit, seen in observed:
        credit_observed(audit, seen)
    return {audit.file.diff.path: judged(audit, *others) for audit, *others in matched}


def credit_observed(audit: FileAudit, seen: list[Written]) -> None:
    """Credit what is left to commands that the hook saw, by equal lines alone (rules.md 2.22)."""
    if len(audit.credits) < len(audit.file.forms):
        for added, credit in FileAudit(audit.file, seen, Fraction(0)).credits.items():
            if credit.reason in {"run", "line"} and added not in audit.credits:
                audit.credits[added] = credit._replace(reason="command_changed")


def rewriting_in_order(commands: Iterable[ShellCommand], merged_at: datetime) -> list[ShellCommand]:
    return sorted(
        commands, key=lambda c: (c.edit.at > merged_at, -(c.edit.at - merged_at), c.edit.id)
    )


def credit_committed(audit: FileAudit, commit: AgentCommit) -> None:
    """Credit each line that a commit of an agent's account wrote (rules.md 2.21)."""
    made = Edit(
        id=f"agent_commit:{commit.sha}",
        agent=commit.agent,
        agent_session=commit.sha,
        at=commit.at,
        path="",
    )
    for lines in commit.lines:
        for number in lines.numbers if lines.path == audit.file.diff.path else ():
            at = audit.file.numbers.index(number) if number in audit.file.numbers else None
            if at is not None and at not in audit.credits:
                audit.credits[at] = Credit(Written(made), "agent_commit", Fraction(0))


def credit_substituted(
    audit: FileAudit, commands: list[ShellCommand], roots: Iterable[str]
) -> None:
    """Credit each line that a command made of a removed line of its hunk (rules.md 2.19)."""
    diff = audit.file.diff
    names = names_of(diff)
    mine = [one for one in commands if any(reached(one, name, roots) for name in names)]
    sessions = list(dict.fromkeys((c.edit.agent, c.edit.agent_session) for c in mine))
    orders = [[one] for one in mine]
    for session in sessions:
        together = [c for c in mine if (c.edit.agent, c.edit.agent_session) == session]
        if len(together) > 1:
            orders.append(sorted(together, key=lambda c: (c.edit.at, c.edit.id)))
    for hunk in diff.hunks:
        free = []
        number = hunk.new_start
        for origin, text in hunk.lines:
            at = audit.file.numbers.index(number) if number in audit.file.numbers else None
            if origin == "+" and at is not None and at not in audit.credits:
                free.append((at, canonical(text)))
            number += origin != "-"
        for origin, text in hunk.lines:
            if origin == "-" and not is_long(text):
                _credit_one(audit, text, orders, free)


def credit_replaced(audit: FileAudit, mine: list[Edit]) -> None:
    """Credit each line that stands in a hunk for the line that the hook saw replaced (2.19)."""
    sessions = list(dict.fromkeys((one.agent, one.agent_session) for one in mine))
    orders = [[one] for one in mine]
    for session in sessions:
        together = [one for one in mine if (one.agent, one.agent_session) == session]
        orders.append(sorted(together, key=lambda one: (one.at, one.id)))
    for hunk in audit.file.diff.hunks:
        for removed in [text for origin, text in hunk.lines if origin == "-"]:
            credit = next(filter(None, (_followed(audit, hunk, removed, one) for one in orders)), 0)
            if credit:
                audit.credits[credit[0]] = Credit(Written(credit[1]), "substituted", Fraction(0))


def _followed(
    audit: FileAudit, hunk: Hunk, removed: str, order: list[Edit]
) -> tuple[int, Edit] | None:
    """Follow a removed line through what commands made of it, to the first that is free."""
    now = canonical(removed)
    for one in order:
        own = [str(line) for part in one.lines.hunks for line in part.own]
        pairs = [
            (canonical(str(was)), canonical(new))
            for was, new in zip(one.lines.removed, own, strict=False)
        ]
        now = next((new for was, new in pairs if was == now != new), now)
        for at, number in enumerate(audit.file.numbers):
            here = canonical(removed) != now == audit.file.forms[at]
            if here and at not in audit.credits and number in _added(hunk):
                return at, one
    return None


def _added(hunk: Hunk) -> list[int]:
    kept = [origin for origin, _ in hunk.lines if origin != "-"]
    return [hunk.new_start + at for at, origin in enumerate(kept) if origin == "+"]


def _credit_one(
    audit: FileAudit,
    text: str,
    orders: list[list[ShellCommand]],
    free: list[tuple[int, str]],
) -> None:
    for order in orders:
        line = text
        for command in order:
            line = substituted(line, command.rewrites)
            fitting = [one for one in free if one[1] == canonical(line)]
            if canonical(line) != canonical(text) and fitting:
                free.remove(fitting[0])
                made = Credit(Written(command.edit), "substituted", Fraction(0))
                audit.credits[fitting[0][0]] = made
                return


def substituted(line: str, rewrites: Sequence[LineRewrite]) -> str:
    """Return a line after some rewrites, by Python's own patterns."""
    for one in rewrites:
        if one.only is None or re.search(one.only, line):
            line = re.sub(
                one.expression,
                lambda found, parts=one.parts: "".join(  # type: ignore[misc]  # bound above
                    part if isinstance(part, str) else found[part] for part in parts
                ),
                line,
                count=0 if one.everywhere else 1,
            )
    return line


def reached(
    command: ShellCommand, name: str | None, roots: Iterable[str], *, named: bool = False
) -> bool:
    for one in [one for one in command.reach if not (named and one.is_folder)]:
        for root in roots:
            whole = f"{root}/{name}"
            if not one.is_folder and whole == one.path:
                return True
            if one.is_folder and whole.startswith(f"{one.path}/"):
                rest = whole[len(one.path) + 1 :]
                if all(bool(re.search(f.expression, rest)) != f.lacks for f in one.filters):
                    return True
    return False


def may_count(edit: Edit, policy: Policy) -> bool:
    unrecorded = edit.outcome is EditResult.UNRECORDED and policy.unrecorded_outcomes
    return unrecorded or edit.outcome in {EditResult.APPLIED, *SEEN_BY_HOOK}


def stands(edit: Written, file: File) -> bool:
    """Say whether three quarters of an edit's weight is in the file in order (rules.md 2.17)."""
    weights = [round(1000 * plain_weight(canon)) for canon in edit.forms]
    best = [0] * (len(file.forms) + 1)
    for canon, weight in zip(edit.forms, weights, strict=True):
        row = [0]
        for at, there in enumerate(file.forms):
            row.append(max(row[at], best[at + 1], best[at] + weight if canon == there else 0))
        best = row
    return sum(weights) > 0 and 4 * best[-1] >= 3 * sum(weights)


def judged(audit: FileAudit, outside: list[Edit], refused: list[Edit]) -> dict[int, Reasoned]:
    """Return each added line's reason, by its number."""
    lines = {number: Reasoned(rule) for number, rule in audit.file.uncounted.items()}
    for at, number in enumerate(audit.file.numbers):
        credit = audit.credits.get(at)
        lines[number] = attributed(credit) if credit else miss(audit, at, outside, refused)
    return dict(sorted(lines.items()))


def attributed(credit: Credit) -> Reasoned:
    return Reasoned(credit.reason, credit.written.edit.id, round(float(credit.difference), 4))


def moved(evidence: Evidence, policy: Policy) -> list[Edit]:
    """Return all edits, and again with their new paths those of files that commands moved."""
    edits = list(evidence.edits)
    moves = [one for one in evidence.commands if one.source and policy.shell_text]
    for move in sorted(moves, key=lambda c: (c.edit.at, c.edit.id, c.edit.agent_session)):
        source = str(move.source)
        for edit in list(edits):
            is_file = edit.path == source
            is_there = is_file or edit.path.startswith(f"{source}/")
            if is_there and edit.at <= move.edit.at and move.edit.outcome is EditResult.APPLIED:
                fields = {name: getattr(edit, name) for name in edit.__struct_fields__}
                path = move.edit.path + edit.path.removeprefix(source)
                edits.append(Edit(**fields | {"path": path}))
    return edits


def names_of(diff: FileDiff) -> set[str | None]:
    return {diff.path, diff.previous_path if diff.status is FileStatus.RENAMED else diff.path}


def place(edit: Edit, roots: Iterable[str]) -> str | None:
    """Return an edit's path in the repository."""
    if not edit.path.startswith("/"):
        return edit.path
    below = [root for root in roots if edit.path.startswith(root + "/")]
    return edit.path[len(max(below, key=len)) + 1 :] if below else None


def once(edits: Iterable[Edit]) -> list[Edit]:
    """Keep each edit once: by agent, call, time, path and own lines (rules.md 2.8)."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=_preference):
        if not any(_same(edit, known) for known in kept):
            kept.append(edit)
    return kept


def _same(one: Edit, other: Edit) -> bool:
    own = [[line for hunk in edit.lines.hunks for line in hunk.own] for edit in (one, other)]
    timeless = re.match(r"toolu_[A-Za-z0-9_]{20}", one.id)
    names = ("agent", "id", "path") if timeless else ("agent", "id", "at", "path")
    return own[0] == own[1] and all(getattr(one, name) == getattr(other, name) for name in names)


def _preference(edit: Edit) -> tuple[bool, bool, datetime, str]:
    no, open_ = edit.outcome is not EditResult.APPLIED, edit.outcome is EditResult.UNANSWERED
    return no, open_, edit.at, edit.agent_session


def in_order(edits: list[Edit], merged_at: datetime) -> list[Edit]:
    """Order edits as rules.md 2.10: not after the merge first, then latest, then smallest id."""
    return sorted(edits, key=lambda e: (e.at > merged_at, -(e.at - merged_at), e.id))
