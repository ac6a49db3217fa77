"""What answers on one machine cost at list, by the same parts as their tokens. It opens no file."""

from collections import defaultdict
from collections.abc import Iterable

from ghapp.spend.cost import TokenCost
from ghapp.spend.prices import PriceList
from ghapp.spend.quotes import at_list, row_of
from ghapp.usage.answers import UsageRecord
from ghapp.usage.days import token_days
from ghapp.usage.parts import NAMES


class OwnCosts:
    """Costs of answers; whatever they are parted by, the parts sum to the whole."""

    def __init__(self, answers: Iterable[UsageRecord], prices: PriceList) -> None:
        alike: defaultdict[tuple[str, ...], list[UsageRecord]] = defaultdict(list)
        for one in answers:
            alike[tuple(name(one) for name in NAMES.values())].append(one)
        self._costs = {
            names: sum((at_list(row_of(row), prices).cost for row in token_days(own)), TokenCost())
            for names, own in alike.items()
        }

    @property
    def whole(self) -> TokenCost:
        """Return what all answers cost."""
        return sum(self._costs.values(), TokenCost())

    def parted(self, by: str) -> dict[str, TokenCost]:
        """Return the costs by part; ``by`` is a key of `NAMES`."""
        at = list(NAMES).index(by)
        found: defaultdict[str, TokenCost] = defaultdict(TokenCost)
        for names, one in self._costs.items():
            found[names[at]] += one
        return dict(found)
