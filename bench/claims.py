"""How often an organization's page of outcomes claims a difference where the truth is known.

Made organizations: without an effect, with one, and with one that only the size of changes makes.
"""

from collections.abc import Callable, Iterable
from math import exp
from random import Random

import msgspec

from bench.console import say, table
from ghapp.attribution.model import Struct
from ghapp.summaries.comparisons import ComparedPull, compared, finer
from ghapp.summaries.counts import OutcomeMeasure

ARM = 200
"""Pull requests with an agent, and as many without."""
EFFECT = 1.3
SPREAD = 0.5
"""Of a stratum's hours, as standard deviation of their logarithm: the middle half lies within a
factor of two."""
AGENTS = ("claude-code", "codex", "copilot-cli")
MEASURE = OutcomeMeasure.HOURS_TO_MERGE
"""What an effect acts on."""


class MadeTruth(Struct, frozen=True):
    """What is true of a made organization."""

    name: str
    effect: float = 1.0
    """Factor of the hours of pull requests with an agent."""
    larger: float = 1.0
    """Factor of their size, which makes everything of theirs slower and worse."""


TRUTHS = (
    MadeTruth("no effect"),
    MadeTruth("30 % slower", effect=EFFECT),
    MadeTruth("30 % faster", effect=1 / EFFECT),
    MadeTruth("only larger, 6 times", larger=6.0),
    MadeTruth("only larger, 20 times", larger=20.0),
)


class ClaimRates(Struct, frozen=True):
    """Which part of the pages of one truth claim what."""

    truth: str
    pages: int
    false: float
    """Claim at least one difference that is not there, of any measure, part, agent or person."""
    found: float | None
    """Find the effect, in the right direction; ``None``: there is none."""


def made_pulls(seed: int, truth: MadeTruth, arm: int = ARM) -> list[ComparedPull]:
    """Return an organization's pull requests, the same ones for the same seed."""
    random = Random(seed)  # noqa: S311 - a made history, no secret
    return [_made(random, truth, is_assisted=number % 2 == 0) for number in range(2 * arm)]


def measured(truth: MadeTruth, seeds: Iterable[int], arm: int = ARM) -> ClaimRates:
    """Count what the pages of some seeds claim."""
    pages = wrong = right = 0
    for seed in seeds:
        pulls = made_pulls(seed, truth, arm)
        claims = [
            *((one.measured, one.difference) for one in compared(pulls)),
            *((one.measured, one.difference) for one in finer(pulls)),
        ]
        made = [(name, one.value or 0) for name, one in claims if one.is_told]
        true = [one for one in made if _is_true(*one, truth)]
        main = compared(pulls)[0]
        pages += 1
        wrong += len(true) < len(made)
        right += bool(main.difference.is_told) and _is_true(
            main.measured, main.difference.value or 0, truth
        )
    return ClaimRates(truth.name, pages, wrong / pages, right / pages if _acts(truth) else None)


def measure(seeds: int, *, as_json: bool) -> int:
    """Print the rates of all truths; return 1 if one breaks its bound."""
    rates = [measured(truth, range(seeds)) for truth in TRUTHS]
    if as_json:
        say(msgspec.json.encode(rates).decode())
    else:
        rows = [(one.truth, one.pages, one.false, one.found) for one in rates]
        say(table(rows, ("truth", "pages", "false claims", "found")))
    return int(any(one.false > 0.06 or (one.found or 1) < 0.9 for one in rates))


def _acts(truth: MadeTruth) -> bool:
    return truth.effect != 1


def _is_true(name: OutcomeMeasure, value: float, truth: MadeTruth) -> bool:
    return name is MEASURE and _acts(truth) and (value > 0.5) == (truth.effect > 1)


def _made(random: Random, truth: MadeTruth, *, is_assisted: bool) -> ComparedPull:
    repository = random.randrange(3)
    size = exp(random.gauss(4, 1.2)) * (truth.larger if is_assisted else 1)
    lines = max(int(size), 1)
    share = random.betavariate(1, 0.7) if is_assisted else 0.0
    attributed = max(round(lines * share), 1) if is_assisted else 0
    # Size and repository make everything slower and worse, with or without an agent.
    hours = (1 + repository) * (size / 60) ** 0.4 * exp(random.gauss(0, SPREAD))
    rounds = 1 + min(int(random.expovariate(1.1)), 5)
    worse = min((size / 60) ** 0.3, 6.0)
    values: dict[OutcomeMeasure, float] = {
        MEASURE: hours * (truth.effect if is_assisted else 1),
        OutcomeMeasure.HOURS_TO_REVIEW: 3.5 * exp(random.gauss(0, 0.8)) * worse,
        OutcomeMeasure.REVIEW_ROUNDS: float(rounds),
        OutcomeMeasure.REVIEW_COMMENTS: float(int(random.expovariate(0.35 / worse))),
        OutcomeMeasure.REVERTED: float(random.random() < 0.02 * worse),
        OutcomeMeasure.FIXED_UP: float(random.random() < 0.1 * worse),
    }
    stands, parts = _standing(random, worse), dict[OutcomeMeasure, tuple[float, int, int]]()
    others = lines - attributed
    for name, keeps in stands.items():
        values[name] = keeps()
        if attributed and others:
            parts[name] = (keeps() - keeps(), attributed, others)
    agent = random.choice(AGENTS)
    return ComparedPull(
        repository_id=repository,
        author=f"person-{random.randrange(20)}",
        changed_lines=lines,
        attributed=attributed,
        effective=lines,
        values=values,
        agents=(agent,) if is_assisted else (),
        models=(f"{agent} model-{random.randrange(2)}",) if is_assisted else (),
        paired=parts,
    )


def _standing(random: Random, worse: float) -> dict[OutcomeMeasure, Callable[[], float]]:
    return {
        OutcomeMeasure.SURVIVED_30: lambda: random.betavariate(9, worse),
        OutcomeMeasure.SURVIVED_90: lambda: random.betavariate(6, worse),
    }
