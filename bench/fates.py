"""What can become of one block of a change: who writes it, and what happens to it afterwards.

A fate is a function from a block to the steps that write it. A step names who acts and
what stands there afterwards, line by line with its truth. Nothing is carried out here.
"""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from bench.draft import (
    HUMAN,
    VERBATIM,
    Cell,
    Cells,
    Mark,
    Segment,
    by_agent,
    by_person,
    cells,
    untold,
)
from bench.formatters import Formatters, Style
from bench.lines import is_effective, is_within_limit, normalize
from bench.mutate import rename, restyle, rewrite, touch


@dataclass(frozen=True)
class Step:
    """One act on one block.

    ``actor`` is ``agent`` (an edit of the change's own work), ``human``, or one of
    `ASIDE`: an edit that is recorded and leaves the block as it is.
    """

    actor: str
    content: Cells


ASIDE = ("early", "late", "refused", "failed", "interrupted", "elsewhere", "other_path")
"""Edits that hold the block's lines but must not count, by time, result or place."""


@dataclass(frozen=True)
class Tools:
    """What fates need besides the block itself."""

    rng: Random
    path: str
    pool: tuple[str, ...]
    """Lines of the same package, to write other code from."""
    formatters: Formatters


Fate = Callable[[Segment, Tools], "list[Step] | None"]
"""Returns ``None`` if the block does not suit this fate."""


# --- agent's blocks -------------------------------------------------------------------------------


def verbatim(block: Segment, _tools: Tools) -> list[Step]:
    """Let it stand as the agent wrote it."""
    return [Step("agent", cells(block.target, VERBATIM))]


def restyled(block: Segment, tools: Tools) -> list[Step] | None:
    """Another style of quotes, case, indentation or spacing; equal once normalized."""
    changed = restyle(block.target, tools.rng)
    if tuple(changed) == block.target:
        return None
    final = tuple(_compared(*pair) for pair in zip(block.target, changed, strict=True))
    return [Step("agent", cells(block.target, VERBATIM)), Step("human", final)]


def _compared(old: str, new: str) -> Cell:
    return Cell(new, VERBATIM if old == new else by_agent("restyled"))


def touched(block: Segment, tools: Tools) -> list[Step] | None:
    """Have a person edit a few lines a little, or rename something in the whole block."""
    rng = tools.rng
    renamed = rename(block.target, rng) if rng.random() < 0.4 else None
    changed = renamed or _some(block.target, rng, 0.3, lambda line: touch(line, rng) or line)
    return _by_hand(block, changed)


def rewritten(block: Segment, tools: Tools) -> list[Step] | None:
    """Have a person rewrite some of the lines beyond the limit."""
    rng = tools.rng
    return _by_hand(
        block, _some(block.target, rng, 0.5, lambda line: rewrite(line, tools.pool, rng))
    )


def remnants(block: Segment, tools: Tools) -> list[Step] | None:
    """Have a person rewrite most lines beyond the limit, so that single ones are left."""
    rng = tools.rng
    share = rng.uniform(0.3, 0.8)
    changed = [
        rewrite(line, tools.pool, rng) if is_effective(line) and rng.random() < share else line
        for line in block.target
    ]
    final = _by_hand(block, changed)
    kept = (
        sum(cell.mark.truth is True and is_effective(cell.text) for cell in final[1].content)
        if final
        else 0
    )
    return final if kept else None


def _some(
    lines: Sequence[str], rng: Random, most: float, change: Callable[[str], str]
) -> list[str]:
    """Change one to ``most`` of the effective lines, in one or two stretches."""
    effective = [number for number, line in enumerate(lines) if is_effective(line)]
    count = rng.randint(1, max(1, int(len(effective) * most)))
    start = rng.randrange(len(effective))
    wanted = set(effective[start : start + count])
    return [change(line) if number in wanted else line for number, line in enumerate(lines)]


def _by_hand(block: Segment, changed: Sequence[str]) -> list[Step] | None:
    """Return the steps of an agent's block that a person then changed, line for line."""
    if tuple(changed) == block.target:
        return None
    final = tuple(_judged(*pair) for pair in zip(block.target, changed, strict=True))
    return [Step("agent", cells(block.target, VERBATIM)), Step("human", final)]


def _judged(old: str, new: str) -> Cell:
    if normalize(old) == normalize(new):
        return Cell(new, VERBATIM)
    near = is_within_limit(old, new)
    return Cell(new, by_agent("touched") if near else by_person("rewritten"))


def rewrapped(block: Segment, tools: Tools) -> list[Step] | None:
    """Have a formatter with another line length reformat it."""
    if _is_torn(block.target):
        return None
    rng, form = tools.rng, tools.formatters.format
    semicolons = rng.random() < 0.7
    wide = form(block.target, tools.path, Style(150, keep_open=False, semicolons=semicolons))
    width = rng.choice((60, 72, 79, 88))
    narrow = form(block.target, tools.path, Style(width, semicolons=semicolons))
    if wide is None or narrow is None:
        return None
    written = wide if rng.random() < 0.6 else list(block.target)
    if [*map(normalize, written)] == [*map(normalize, narrow)]:
        return None
    tail = _blank_tail(block.target)
    final = reflowed(written, narrow)
    blank = cells(tail, VERBATIM)
    return [
        Step("agent", cells(written, VERBATIM) + (blank if written is wide else ())),
        Step("human", final + blank),
    ]


def _is_torn(lines: Sequence[str]) -> bool:
    """Return whether a piece is the inside of a list, which means something else alone."""
    full = [line.rstrip() for line in lines if line.strip()]
    depth = min(len(line) - len(line.lstrip()) for line in full)
    return any(line.endswith(",") and len(line) - len(line.lstrip()) == depth for line in full)


def _blank_tail(lines: Sequence[str]) -> list[str]:
    count = 0
    while count < len(lines) and not lines[-1 - count].strip():
        count += 1
    return [""] * count


def reflowed(written: Sequence[str], formatted: Sequence[str]) -> Cells:
    """Return formatted lines with their truth: all are the agent's, in three kinds.

    ``verbatim``: an equal line was written. ``rewrapped``: the stretch is equal without line
    breaks, white space and trailing commas. ``reformatted``: the formatter did more, such as
    adding parentheses or semicolons.
    """
    old, new = [*map(normalize, written)], [*map(normalize, formatted)]
    found: list[Cell] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        kind = "verbatim" if tag == "equal" else "reformatted"
        if tag != "equal" and squeezed(old[i1:i2]) == squeezed(new[j1:j2]):
            kind = "rewrapped"
        found += cells(formatted[j1:j2], by_agent(kind))
    return tuple(found)


def squeezed(lines: Sequence[str]) -> str:
    """Return lines without line breaks, white space and trailing commas."""
    text = "".join("".join(lines).split())
    for closing in ")]}":
        text = text.replace("," + closing, closing)
    return text.rstrip(",")


def evolved(block: Segment, _tools: Tools) -> list[Step] | None:
    """Have the agent write the earlier release's version, and a person update it."""
    if block.earlier is None:
        return None
    first = Step("agent", cells(block.earlier, VERBATIM))
    return [first, Step("human", _grown(block.earlier, block.target))]


def _grown(old: Sequence[str], new: Sequence[str]) -> Cells:
    """Return the later lines with their truth; the earlier ones are the agent's."""
    one, other = [*map(normalize, old)], [*map(normalize, new)]
    found: list[Cell] = []
    gone: list[str] = []
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            found += cells(new[j1:j2], by_agent("kept"))
            continue
        gone += old[i1:i2]
        found += _replaced(old[i1:i2], new[j1:j2])
    lost = [normalize(line) for line in gone]
    return tuple(_unclear(cell, lost) for cell in found)


def _replaced(old: Sequence[str], new: Sequence[str]) -> list[Cell]:
    """Pair each new line with the first old line, in order, that it may have come from."""
    if squeezed([*map(normalize, old)]) == squeezed([*map(normalize, new)]):
        return [*cells(new, by_agent("rewrapped"))]
    found: list[Cell] = []
    at = 0
    for line in new:
        partners = [
            n for n in range(at, len(old)) if is_effective(line) and is_within_limit(old[n], line)
        ]
        if partners:
            at = partners[0] + 1
            found.append(Cell(line, by_agent("touched")))
        else:
            found.append(Cell(line, by_person("rewritten" if old else "human_inside")))
    return found


def _unclear(cell: Cell, lost: Sequence[str]) -> Cell:
    """Mark lines for which nobody can tell whether a person moved, re-wrapped or retyped them."""
    if cell.mark.truth is True:
        return cell
    normal = normalize(cell.text)
    is_piece = is_effective(cell.text) and squeezed([normal]) in squeezed(lost)
    return Cell(cell.text, untold("moved_within")) if is_piece or normal in lost else cell


def drafted(block: Segment, tools: Tools) -> list[Step] | None:
    """Have the agent write a first version and then replace it with the final one."""
    rng = tools.rng
    first = block.earlier
    if first is None:
        changed = _some(block.target, rng, 0.5, lambda line: rewrite(line, tools.pool, rng))
        first = tuple(changed[: rng.randint(max(1, len(changed) // 2), len(changed))])
    return [
        Step("agent", cells(first, by_agent("drafted"))),
        Step("agent", cells(block.target, by_agent("drafted"))),
    ]


def human_inside(block: Segment, tools: Tools) -> list[Step] | None:
    """Have a person add a few lines of their own inside the agent's block."""
    return _inside(block, tools, "agent", "human", by_person("human_inside"))


def moved(block: Segment, _tools: Tools) -> list[Step]:
    """Have the agent write it, for a person to move to another place of the file."""
    return [Step("agent", cells(block.target, by_agent("moved")))]


# --- people's blocks ----------------------------------------------------------------------------


def human(block: Segment, _tools: Tools) -> list[Step]:
    """Have a person write it."""
    return [Step("human", cells(block.target, HUMAN))]


def aside(kind: str) -> Fate:
    """Return the fate of a person's block that an edit of this kind, not counted, holds too."""

    def fate(block: Segment, _tools: Tools) -> list[Step]:
        content = cells(block.target, by_person(kind))
        steps = [Step(kind, content), Step("human", content)]
        return steps[::-1] if kind == "late" else steps

    return fate


def agent_inside(block: Segment, tools: Tools) -> list[Step] | None:
    """Have an agent add a few lines inside a person's block."""
    return _inside(block, tools, "human", "agent", by_agent("agent_inside"))


def _inside(block: Segment, tools: Tools, first: str, second: str, mark: Mark) -> list[Step] | None:
    lines = block.target
    if len(lines) < 5:
        return None
    around = VERBATIM if first == "agent" else HUMAN
    count = tools.rng.randint(1, min(5, len(lines) // 2))
    start = tools.rng.randint(1, len(lines) - count - 1)
    inner = cells(lines[start : start + count], mark)
    if not any(is_effective(cell.text) for cell in inner):
        return None
    above, below = cells(lines[:start], around), cells(lines[start + count :], around)
    return [Step(first, above + below), Step(second, above + inner + below)]


def fragment(block: Segment, tools: Tools) -> list[Step] | None:
    """Have a person write it, and an agent change a word in one of its lines."""
    rng = tools.rng
    numbers = [n for n, line in enumerate(block.target) if is_effective(line)]
    number = rng.choice(numbers)
    before = touch(block.target[number], rng)
    if before is None:
        return None
    lines = [*block.target]
    lines[number] = before
    final = [*cells(block.target, HUMAN)]
    final[number] = Cell(block.target[number], by_agent("fragment"))
    return [Step("human", cells(lines, HUMAN)), Step("fragment", tuple(final))]


AGENT: tuple[tuple[Fate, int], ...] = (
    (verbatim, 34),
    (restyled, 10),
    (rewrapped, 24),
    (touched, 12),
    (rewritten, 7),
    (remnants, 7),
    (evolved, 30),
    (drafted, 8),
    (human_inside, 8),
    (moved, 4),
)
"""Fates of an agent's blocks and their weights; those that do not fit are drawn again."""

PEOPLE: tuple[tuple[Fate, int], ...] = (
    (human, 56),
    (aside("early"), 7),
    (aside("late"), 7),
    (aside("refused"), 5),
    (aside("failed"), 5),
    (aside("interrupted"), 2),
    (aside("elsewhere"), 5),
    (aside("other_path"), 4),
    (agent_inside, 6),
    (fragment, 3),
)
"""Fates of people's blocks and their weights."""


def draw(block: Segment, tools: Tools, agents: float) -> tuple[str, list[Step]]:
    """Return a fate's name and steps; ``agents`` is the chance that an agent wrote the block."""
    choices = AGENT if tools.rng.random() < agents else PEOPLE
    for _ in range(12):
        fate = tools.rng.choices([one for one, _ in choices], [weight for _, weight in choices])[0]
        steps = fate(block, tools)
        if steps is not None:
            return getattr(fate, "__name__", "fate"), steps
    return "human", human(block, tools)
